"""Calls that are cancelled while they wait in the store: Celery's result backend has them as REVOKED."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

import pytest
from celery import Celery, chord, states
from celery.backends.redis import ResultConsumer
from celery.worker import state
from celery.worker.request import Request
from kombu.message import Message
from sqlalchemy import select

from tests.acceptance.waiting import wait_until
from tests.inner import Recorder, RevokeReport
from tests.integration.apps import dispatch_due, enrol_worker, messages, ticker_app
from tests.integration.making import ListPublisher, another_node
from tests.manual_clock import ManualClock
from tests.servers.server import Server
from tests.tables import revocations
from tickerq_celery import Run, TickerQ, TickerStatus, TimeTicker
from tickerq_celery.beat.bulk_runner import BulkRunner
from tickerq_celery.broker.revoked_calls import RevokedCalls
from tickerq_celery.enums import BulkAction
from tickerq_celery.errors import StoreError
from tickerq_celery.runs import revocations as telling
from tickerq_celery.runs.revocations import Revocations
from tickerq_celery.scheduler import TickerScheduler
from tickerq_celery.store.calls import revocations as stored
from tickerq_celery.worker.misrouted import MisroutedLog
from tickerq_celery.worker.signals import SignalHandler

HOUR = 3600
WARNING = "the result backend was not told"


@dataclass(slots=True, kw_only=True)
class Shop:
    """An app with tasks, and which errbacks were called with what."""

    app: Celery
    tickerq: TickerQ | None = None
    errbacks: list[tuple[str, str]] = field(default_factory=list)

    def add_tasks(self) -> None:
        app = self.app

        @app.task(name="shop.add", shared=False)
        def add(number: int) -> int:
            return number

        @app.task(name="shop.total", shared=False)
        def total(numbers: list[int]) -> int:
            return sum(numbers)

        @app.task(name="shop.quiet", shared=False, ignore_result=True)
        def quiet() -> None: ...

        @app.task(name="shop.failed", shared=False)
        def failed(request: Any, error: BaseException, traceback: Any, *, of: str) -> None:
            self.errbacks.append((of, type(error).__name__))

    @property
    def tasks(self) -> Any:
        return self.app.tasks

    def call(self, task: str = "shop.add", **options: Any) -> Any:
        args = (1,) if task == "shop.add" else ()
        return self.tasks[task].apply_async(args, countdown=HOUR, **options)

    def chord(self) -> Any:
        """Send a chord of three, of which the last waits; each part, and the body, has an errback."""
        add, failed = self.tasks["shop.add"], self.tasks["shop.failed"]
        header = [add.s(each).on_error(failed.s(of="header")) for each in range(3)]
        header[2].set(countdown=HOUR)
        body = self.tasks["shop.total"].s().on_error(failed.s(of="body"))
        return chord(header)(body)

    def state_of(self, result: Any) -> str:
        return str(self.app.AsyncResult(result.id).state)

    def execute(self) -> None:
        """Execute what waits in the queue, as a worker does."""
        for message in self.messages():
            request = Request(message, app=self.app)
            if not request.revoked():
                request.execute()

    def messages(self) -> list[Message]:
        # It asks for the app only, and Celery alone has one as well.
        return messages(cast("TickerQ", self))

    @property
    def kept(self) -> TickerQ:
        assert self.tickerq is not None
        return self.tickerq

    def run(self) -> Run:
        (run,) = self.kept.runs.find()
        return self.kept.runs.get(run.id)

    def owed(self) -> list[Any]:
        core = self.kept.core
        mine = select(revocations).where(revocations.c.namespace == core.config.namespace)
        return list(core.database.read(lambda connection: connection.execute(mine).all()))

    def beat(self) -> Revocations:
        """Return what a beat does of it, in a process of its own."""
        core = another_node(self.kept.core)
        return Revocations(core, RevokedCalls(self.app, core.codec).announce)


@pytest.fixture
def make(store_url: str, namespace: str, clock: ManualClock) -> Iterator[Callable[..., Shop]]:
    """Return a shop with a TickerQ, and the result backend that is given."""
    opened = []

    def made(backend: str | None = "cache+memory://", **settings: Any) -> Shop:
        block = ticker_app(store_url, namespace, clock, durable_eta=60, **settings)
        opened.append(block)
        tickerq = block.__enter__()
        tickerq.app.conf.result_backend = backend
        shop = Shop(app=tickerq.app, tickerq=tickerq)
        shop.add_tasks()
        enrol_worker(tickerq)
        return shop

    yield made
    for block in opened:
        block.__exit__(None, None, None)


@pytest.fixture
def shop(make: Callable[..., Shop]) -> Shop:
    return make()


@pytest.fixture
def plain(namespace: str) -> Iterator[Callable[[str], Shop]]:
    """Return a shop of Celery alone."""
    opened = []

    def made(backend: str) -> Shop:
        app = Celery(f"{namespace}-plain", broker="memory://", backend=backend, set_as_current=False)
        app.conf.task_default_queue = f"{namespace}-plain"
        opened.append(app)
        shop = Shop(app=app)
        shop.add_tasks()
        return shop

    yield made
    for app in opened:
        app.close()


def cancel(shop: Shop) -> None:
    shop.kept.runs.cancel(shop.run().id)


def cancel_in_bulk(shop: Shop) -> None:
    tickerq = shop.kept
    tickerq.bulk.start(BulkAction.CANCEL, ids=[shop.run().id])
    core = another_node(tickerq.core)
    beat = BulkRunner(
        core, ListPublisher(), Revocations(core, RevokedCalls(shop.app, core.codec).announce).tell
    )
    while not beat.step():
        pass


def cancel_chain(shop: Shop) -> None:
    shop.kept.chains.cancel_rest(shop.run().id)


def revoke(shop: Shop) -> None:
    task_id = shop.run().task_id
    assert task_id is not None
    shop.app.control.revoke(task_id)


def revoke_result(shop: Shop) -> None:
    shop.app.AsyncResult(shop.run().task_id).revoke()


def revoke_in_a_worker(shop: Shop) -> None:
    core, task_id = shop.kept.core, shop.run().task_id
    assert task_id is not None
    tell = Revocations(core, RevokedCalls(shop.app, core.codec).announce).tell
    publisher, misrouted = ListPublisher(), MisroutedLog(core.config.namespace)
    SignalHandler(core, Recorder(core), publisher, misrouted, tell).handle(RevokeReport(task_ids=(task_id,)))


WAYS: dict[str, Callable[[Shop], None]] = {
    "runs.cancel": cancel,
    "bulk": cancel_in_bulk,
    "chains.cancel_rest": cancel_chain,
    "control.revoke": revoke,
    "AsyncResult.revoke": revoke_result,
    "a worker": revoke_in_a_worker,
}
every_way = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())


@every_way
def test_whoever_cancels_a_kept_call_its_result_is_revoked_and_nothing_is_owed(
    shop: Shop, way: Callable[[Shop], None]
) -> None:
    result = shop.call()
    assert shop.state_of(result) == states.PENDING
    way(shop)
    assert shop.run().status is TickerStatus.CANCELLED
    assert shop.state_of(result) == states.REVOKED
    assert repr(shop.app.AsyncResult(result.id).result) == "TaskRevokedError('revoked')"
    assert shop.owed() == []


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What became of a chord."""

    header: list[str]
    body: str
    error: str
    errbacks: list[tuple[str, str]]


def ended(shop: Shop, result: Any) -> Ended:
    header = result.parent.results
    body = shop.app.AsyncResult(result.id)
    return Ended(
        header=[shop.state_of(each) for each in header],
        body=body.state,
        error=repr(body.result).replace(header[2].id, "<the revoked>"),
        errbacks=shop.errbacks,
    )


def plainly_ended(shop: Shop) -> Ended:
    """Revoke the last part of a chord that waits at the broker, and execute all, by Celery alone."""
    result = shop.chord()
    revoked = result.parent.results[2].id
    state.revoked.add(revoked)
    try:
        shop.execute()
    finally:
        state.revoked.discard(revoked)
    return ended(shop, result)


@pytest.fixture(params=["cache", "redis"])
def backend(
    request: pytest.FixtureRequest, start_server: Callable[[str], Server], monkeypatch: pytest.MonkeyPatch
) -> str:
    """A result backend: one that counts the parts of a chord, and one that has each once."""
    if request.param == "cache":
        return "cache+memory://"
    # Nobody waits for a result here, and no subscription is to be ended when one is garbage.
    monkeypatch.setattr(ResultConsumer, "consume_from", lambda *_: None)
    return start_server("redis").url


# Of the driver, about what Celery calls.
@pytest.mark.filterwarnings("ignore:Call to deprecated:DeprecationWarning")
@every_way
def test_a_chord_ends_as_with_plain_celery_if_a_part_that_waits_is_revoked(
    make: Callable[..., Shop], plain: Callable[[str], Shop], backend: str, way: Callable[[Shop], None]
) -> None:
    expected = plainly_ended(plain(backend))
    assert (expected.body, expected.errbacks) == (states.FAILURE, [("body", "ChordError")])
    assert expected.header == [states.SUCCESS, states.SUCCESS, states.REVOKED]
    shop = make(backend)
    result = shop.chord()
    way(shop)
    assert shop.state_of(result) == states.PENDING
    shop.execute()
    assert ended(shop, result) == expected


@pytest.mark.filterwarnings("ignore:Call to deprecated:DeprecationWarning")
@pytest.mark.parametrize("backend", ["redis"], indirect=True)
def test_redis_counts_a_part_once_that_is_told_twice(make: Callable[..., Shop], backend: str) -> None:
    shop = make(backend)
    result = shop.chord()
    leave(shop)
    core = shop.kept.core
    (owed,) = core.read(stored.owed, [each.id for each in shop.owed()])
    for _ in range(2):
        RevokedCalls(shop.app, core.codec).announce(owed)
    first, last = shop.messages()
    Request(first, app=shop.app).execute()
    assert shop.state_of(result) == states.PENDING
    Request(last, app=shop.app).execute()
    assert (shop.state_of(result), shop.errbacks) == (states.FAILURE, [("body", "ChordError")])


def test_a_chord_whose_other_parts_are_done_ends_with_the_cancel(shop: Shop) -> None:
    result = shop.chord()
    shop.execute()
    assert (shop.state_of(result), shop.errbacks) == (states.PENDING, [])
    cancel(shop)
    assert (shop.state_of(result), shop.errbacks) == (states.FAILURE, [("body", "ChordError")])


def test_a_cancelled_call_that_is_retried_is_no_part_of_its_chord_any_more(shop: Shop) -> None:
    shop.chord()
    run = shop.run()
    shop.messages()
    cancel(shop)
    shop.kept.runs.retry(run.id)
    (message,) = shop.messages()
    _, _, embed = message.payload
    assert embed["chord"] is None
    assert embed["errbacks"]


def test_a_call_that_is_published_keeps_its_chord(shop: Shop, clock: ManualClock) -> None:
    shop.chord()
    shop.messages()
    clock.advance(hours=1)
    dispatch_due(shop.kept)
    (message,) = shop.messages()
    assert message.payload[2]["chord"] is not None


def test_the_result_of_a_task_that_ignores_its_results_is_not_kept(shop: Shop) -> None:
    result = shop.call("shop.quiet")
    cancel(shop)
    assert shop.state_of(result) == states.PENDING
    assert shop.owed() == []


def test_a_call_that_ignores_its_result_has_none(shop: Shop) -> None:
    result = shop.call(ignore_result=True)
    cancel(shop)
    assert shop.state_of(result) == states.PENDING


def test_a_call_of_a_task_that_this_process_has_not_imported_is_revoked(shop: Shop) -> None:
    result = shop.app.send_task("shop.elsewhere", countdown=HOUR)
    cancel(shop)
    assert shop.state_of(result) == states.REVOKED


def test_a_scheduled_call_is_revoked_too(shop: Shop) -> None:
    run = shop.kept.schedule(shop.tasks["shop.add"].s(1), delay=HOUR)
    shop.kept.runs.cancel(run.id)
    assert shop.app.AsyncResult(run.task_id).state == states.REVOKED


def test_without_a_result_backend_nothing_is_written(
    make: Callable[..., Shop], caplog: pytest.LogCaptureFixture
) -> None:
    shop = make(None)
    shop.call()
    cancel(shop)
    assert shop.owed() == []
    assert WARNING not in caplog.text


def test_the_cancel_of_a_function_owes_nothing(shop: Shop) -> None:
    run = shop.kept.time_tickers.add(TimeTicker(function="Send", delay=HOUR), allow_unknown=True)
    announced: list[Any] = []
    shop.kept._process.get().revocations._announce = announced.append
    shop.kept.runs.cancel(run.id)
    assert (announced, shop.owed()) == ([], [])


@pytest.mark.parametrize("cancel_it", [cancel, cancel_in_bulk, cancel_chain])
def test_a_call_that_is_published_is_left_to_its_worker(
    shop: Shop, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, cancel_it: Callable[[Shop], None]
) -> None:
    publish = "tickerq_celery.broker.publisher.CeleryPublisher.publish_cancel"
    monkeypatch.setattr(publish, lambda *_, **__: None)
    # One that follows it to its end.
    enrol_worker(shop.kept, queues=[shop.app.conf.task_default_queue])
    result = shop.call()
    clock.advance(hours=1)
    dispatch_due(shop.kept)
    assert shop.run().status is TickerStatus.QUEUED
    cancel_it(shop)
    assert shop.state_of(result) == states.PENDING
    assert shop.owed() == []


def leave(shop: Shop) -> None:
    """Cancel the one run in a process that dies after the commit."""
    shop.kept._process.get().revocations.tell = telling.left_to_the_sweep
    cancel(shop)


def test_what_a_dead_process_left_is_written_by_the_sweep_a_minute_later(
    shop: Shop, clock: ManualClock
) -> None:
    result = shop.call()
    leave(shop)
    beat = shop.beat()
    beat.step()
    assert shop.state_of(result) == states.PENDING
    clock.advance(minutes=1)
    beat.step()
    assert shop.state_of(result) == states.REVOKED
    assert shop.owed() == []


def test_beat_sweeps_revocations_beside_its_loop(shop: Shop, clock: ManualClock) -> None:
    result = shop.call()
    leave(shop)
    clock.advance(minutes=1)
    beat = TickerScheduler(shop.app)
    beat.tick()
    wait_until(lambda: shop.owed() == [], lambda: "it is still owed")
    beat.close()
    assert shop.state_of(result) == states.REVOKED


def test_beat_tells_what_its_bulk_jobs_cancel_at_once(shop: Shop) -> None:
    result = shop.call()
    shop.kept.bulk.start(BulkAction.CANCEL, ids=[shop.run().id])
    beat = TickerScheduler(shop.app)
    beat.tick()
    wait_until(lambda: shop.state_of(result) == states.REVOKED, lambda: str(shop.owed()))
    beat.close()


def test_of_two_sweeps_one_takes_a_revocation_over(shop: Shop, clock: ManualClock) -> None:
    shop.call()
    leave(shop)
    clock.advance(minutes=1)
    core = shop.kept.core
    (taken,) = core.write(stored.take_over, limit=10)
    assert core.write(stored.take_over, limit=10) == []
    clock.advance(minutes=1)
    (again,) = core.write(stored.take_over, limit=10)
    assert not core.write(stored.settle, taken)
    assert len(shop.owed()) == 1
    assert core.write(stored.settle, again)
    assert shop.owed() == []


def test_what_a_sweep_has_taken_over_its_former_process_tells_no_more(shop: Shop, clock: ManualClock) -> None:
    shop.call()
    leave(shop)
    clock.advance(minutes=1)
    core = shop.kept.core
    (taken,) = core.write(stored.take_over, limit=10)
    assert core.read(stored.owed, [taken.id]) == []


def test_a_sweep_writes_what_other_namespaces_do_not_see(shop: Shop, clock: ManualClock) -> None:
    shop.call()
    leave(shop)
    clock.advance(minutes=1)
    assert shop.kept.core.write(lambda tx: stored.take_over(tx.within("another"), limit=10)) == []


def failing(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise ConnectionError("no backend")

    monkeypatch.setattr(type(shop.app.backend), "store_result", refuse)


def test_a_backend_that_fails_fails_no_cancel_and_is_logged_once_and_told_by_the_sweep(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, clock: ManualClock
) -> None:
    results = [shop.call(), shop.call()]
    beat = shop.beat()
    with monkeypatch.context() as patched:
        failing(shop, patched)
        for run in shop.kept.runs.find():
            assert shop.kept.runs.cancel(run.id).status is TickerStatus.CANCELLED
            clock.advance(seconds=6)
        clock.advance(minutes=1)
        beat.step()
        clock.advance(minutes=1)
        beat.step()
    warnings = [each.getMessage() for each in caplog.records if WARNING in each.getMessage()]
    # By each process.
    assert len(warnings) == 2
    assert all("ConnectionError: no backend" in each for each in warnings)
    clock.advance(minutes=1)
    beat.step()
    assert [shop.state_of(each) for each in results] == [states.REVOKED] * 2
    assert shop.owed() == []


def test_a_backend_that_fails_is_left_alone_for_a_while(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, clock: ManualClock
) -> None:
    asked: list[Any] = []

    def refuse(self: Any, task_id: Any, *_: Any, **__: Any) -> None:
        asked.append(task_id)
        raise ConnectionError("no backend")

    monkeypatch.setattr(type(shop.app.backend), "store_result", refuse)
    for _ in range(3):
        shop.call()
    for run in shop.kept.runs.find():
        shop.kept.runs.cancel(run.id)
    assert len(asked) == 1


def test_one_revocation_that_fails_keeps_no_other(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, clock: ManualClock
) -> None:
    results = [shop.call(), shop.call()]
    own: Any = type(shop.app.backend).store_result

    refused: list[str] = []

    def refuse_first(self: Any, task_id: Any, *args: Any, **options: Any) -> Any:
        if not refused:
            refused.append(task_id)
            raise ConnectionError("no backend")
        return own(self, task_id, *args, **options)

    monkeypatch.setattr(type(shop.app.backend), "store_result", refuse_first)
    shop.app.control.revoke([each.id for each in results])
    expected = {each.id: states.PENDING if each.id in refused else states.REVOKED for each in results}
    assert {each.id: shop.state_of(each) for each in results} == expected
    assert len(shop.owed()) == 1


def test_what_takes_too_long_is_left_to_the_sweep_without_a_warning(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    own: Any = type(shop.app.backend).store_result

    def take_long(*args: Any, **options: Any) -> Any:
        clock.advance(seconds=1.1)
        return own(*args, **options)

    monkeypatch.setattr(type(shop.app.backend), "store_result", take_long)
    results = [shop.call(), shop.call()]
    shop.app.control.revoke([each.id for each in results])
    assert sorted(map(shop.state_of, results)) == [states.PENDING, states.REVOKED]
    assert len(shop.owed()) == 1
    assert WARNING not in caplog.text


def test_a_backend_that_hangs_keeps_no_caller_and_is_not_told_twice(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, clock: ManualClock
) -> None:
    monkeypatch.setattr(telling, "_SECONDS", 0.05)
    answers = threading.Event()
    own: Any = type(shop.app.backend).store_result

    def hang(*args: Any, **options: Any) -> Any:
        assert answers.wait(30)
        return own(*args, **options)

    monkeypatch.setattr(type(shop.app.backend), "store_result", hang)
    result = shop.call()
    cancel(shop)
    assert (shop.state_of(result), len(shop.owed())) == (states.PENDING, 1)
    answers.set()
    wait_until(lambda: shop.owed() == [], lambda: "it is still owed")
    assert shop.state_of(result) == states.REVOKED


def test_a_store_that_is_gone_after_the_commit_fails_no_cancel(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: Any) -> None:
        raise StoreError("gone")

    monkeypatch.setattr(stored, "owed", refuse)
    shop.call()
    cancel(shop)
    assert shop.run().status is TickerStatus.CANCELLED
    assert WARNING in caplog.text


def test_a_cancel_that_is_rolled_back_owes_nothing(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise RuntimeError("no")

    result = shop.call()
    with monkeypatch.context() as patched:
        patched.setattr("tickerq_celery.runs.cancelling.failpoint", refuse)
        with pytest.raises(RuntimeError, match="no"):
            cancel(shop)
    assert (shop.run().status, shop.state_of(result)) == (TickerStatus.IDLE, states.PENDING)
    assert shop.owed() == []


def test_what_is_owed_goes_with_its_run(shop: Shop) -> None:
    shop.call()
    leave(shop)
    shop.kept.runs.delete(shop.run().id)
    assert shop.owed() == []


def test_a_retry_leaves_what_is_owed_of_the_former_task_id(shop: Shop, clock: ManualClock) -> None:
    result = shop.call()
    leave(shop)
    retried = shop.kept.runs.retry(shop.run().id)
    clock.advance(minutes=1)
    shop.beat().step()
    assert shop.state_of(result) == states.REVOKED
    assert shop.app.AsyncResult(retried.task_id).state == states.PENDING


@pytest.mark.parametrize("seconds", [59, 60])
def test_a_revocation_is_its_process_own_for_a_minute(shop: Shop, clock: ManualClock, seconds: int) -> None:
    shop.call()
    leave(shop)
    clock.advance(seconds=seconds)
    assert len(shop.kept.core.write(stored.take_over, limit=10)) == (
        seconds >= stored.TAKEN_FOR / timedelta(seconds=1)
    )
