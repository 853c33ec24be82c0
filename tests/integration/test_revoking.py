"""``app.control.revoke``: calls that wait in the store are cancelled, and workers hear of it as ever."""

import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from celery import Celery, group
from celery.app.control import Control
from celery.worker.control import Panel
from kombu.exceptions import OperationalError

from tests.inner import Recorder, RevokeReport
from tests.integration.apps import change_row, dispatch_due, enrol_worker, messages, row_of, ticker_app
from tests.manual_clock import ManualClock
from tickerq_celery import RunCondition, TickerQ, TickerStatus, TimeTicker
from tickerq_celery.errors import StoreError
from tickerq_celery.runs.publisher import Publisher
from tickerq_celery.worker.misrouted import MisroutedLog
from tickerq_celery.worker.revoke_listener import RevokeListener
from tickerq_celery.worker.signals import SignalHandler

HOUR = 3600
IDLE, CANCELLED = TickerStatus.IDLE, TickerStatus.CANCELLED


@pytest.fixture
def tickerq(store_url: str, namespace: str, clock: ManualClock) -> Iterator[TickerQ]:
    with ticker_app(store_url, namespace, clock, durable_eta=60) as made:
        add_task(made.app)
        enrol_worker(made)
        yield made


def add_task(app: Celery) -> None:
    @app.task(name="shop.add", shared=False)
    def add(*args: Any) -> None: ...


def call(tickerq: TickerQ, **options: Any) -> Any:
    return tickerq.app.tasks["shop.add"].apply_async((1,), countdown=HOUR, **options)


@pytest.fixture
def broadcasts(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """What is broadcast to the workers."""
    sent: list[tuple[str, dict[str, Any]]] = []

    def broadcast(self: Control, command: str, arguments: Any = None, **_: Any) -> str:
        sent.append((command, arguments))
        return "broadcast"

    monkeypatch.setattr(Control, "broadcast", broadcast)
    return sent


def status_of(tickerq: TickerQ) -> dict[str | None, TickerStatus]:
    return {run.task_id: run.status for run in tickerq.runs.find()}


def test_a_revoked_call_that_waits_is_cancelled_and_workers_are_notified(
    tickerq: TickerQ, broadcasts: list[Any]
) -> None:
    result, other = call(tickerq), call(tickerq)
    assert tickerq.app.control.revoke(result.id) == "broadcast"
    assert status_of(tickerq) == {result.id: CANCELLED, other.id: IDLE}
    assert broadcasts == [("revoke", {"task_id": result.id, "terminate": False, "signal": "SIGTERM"})]
    (run,) = tickerq.runs.find(status=CANCELLED)
    assert run.skipped_reason == "revoked"


REVOKES: dict[str, Callable[[TickerQ, list[Any]], object]] = {
    "a list": lambda tickerq, results: tickerq.app.control.revoke([each.id for each in results]),
    "keywords": lambda tickerq, results: tickerq.app.control.revoke(
        task_id=[each.id for each in results], terminate=True, signal="KILL"
    ),
    "results": lambda tickerq, results: [each.revoke() for each in results],
    "terminate": lambda tickerq, results: [tickerq.app.control.terminate(each.id) for each in results],
    "another worker": lambda tickerq, results: tickerq.app.control.revoke(
        [each.id for each in results], destination=["w1@host"]
    ),
}


@pytest.mark.parametrize("revoke", REVOKES.values(), ids=REVOKES.keys())
def test_whichever_way_celery_revokes_calls_are_cancelled(
    tickerq: TickerQ, broadcasts: list[Any], revoke: Callable[[TickerQ, list[Any]], object]
) -> None:
    results = [call(tickerq, task_id="order 17"), call(tickerq)]
    revoke(tickerq, results)
    assert set(status_of(tickerq).values()) == {CANCELLED}
    assert broadcasts


def test_a_groups_result_revokes_all_of_it(tickerq: TickerQ, broadcasts: list[Any]) -> None:
    add = tickerq.app.tasks["shop.add"]
    group(add.s(1), add.s(2)).apply_async(countdown=HOUR).revoke()
    assert list(status_of(tickerq).values()) == [CANCELLED, CANCELLED]


def test_a_call_that_has_the_id_of_its_run_is_found_by_that(tickerq: TickerQ, broadcasts: list[Any]) -> None:
    run = tickerq.time_tickers.add(TimeTicker(task="shop.add", delay=HOUR))
    function = tickerq.time_tickers.add(TimeTicker(function="Send", delay=HOUR), allow_unknown=True)
    tickerq.app.control.revoke([str(run.id), str(function.id)])
    assert tickerq.runs.get(run.id).status is CANCELLED
    assert tickerq.runs.get(function.id).status is IDLE


def test_only_calls_of_the_own_namespace_are_cancelled(
    tickerq: TickerQ, broadcasts: list[Any], namespace: str
) -> None:
    result = call(tickerq)
    (run,) = tickerq.runs.find()
    change_row(tickerq, run.id, namespace=f"{namespace}-other")
    tickerq.app.control.revoke(result.id)
    assert row_of(tickerq, run.id).status is IDLE


def test_what_has_been_claimed_is_left_to_the_workers(
    tickerq: TickerQ, broadcasts: list[Any], clock: ManualClock
) -> None:
    result = call(tickerq)
    clock.advance(hours=1)
    dispatch_due(tickerq)
    before = status_of(tickerq)
    tickerq.app.control.revoke(result.id)
    assert status_of(tickerq) == before
    assert len(broadcasts) == 1


def test_children_are_decided_by_the_cancel_of_their_parent(tickerq: TickerQ, broadcasts: list[Any]) -> None:
    children = [
        TimeTicker(task="shop.add", run_condition=RunCondition.ON_CANCELLED),
        TimeTicker(task="shop.add", run_condition=RunCondition.ON_SUCCESS),
    ]
    parent = tickerq.time_tickers.add(TimeTicker(task="shop.add", delay=HOUR, children=children))
    tickerq.app.control.revoke(str(parent.id))
    ended = {run.run_condition: run.status for run in tickerq.runs.find(parent_id=parent.id)}
    assert ended[RunCondition.ON_SUCCESS] is TickerStatus.SKIPPED
    assert ended[RunCondition.ON_CANCELLED] is not TickerStatus.SKIPPED


def test_the_broadcast_comes_first_so_that_a_call_claimed_meanwhile_is_revoked_by_its_worker(
    tickerq: TickerQ, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    result = call(tickerq)
    monkeypatch.setattr(Control, "broadcast", lambda *_, **__: seen.append(status_of(tickerq)))
    tickerq.app.control.revoke(result.id)
    assert seen == [{result.id: IDLE}]


def test_a_store_that_does_not_answer_is_one_warning_and_the_broadcast_is_made(
    tickerq: TickerQ, broadcasts: list[Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise StoreError("gone")

    result = call(tickerq)
    monkeypatch.setattr("tickerq_celery.store.calls.durable_calls.waiting", refuse)
    assert tickerq.app.control.revoke(result.id) == "broadcast"
    assert len(broadcasts) == 1
    (warning,) = [each for each in caplog.records if "may not be revoked" in each.getMessage()]
    assert result.id in warning.getMessage()


def test_a_broker_that_takes_no_broadcast_is_its_error_and_the_call_is_cancelled(
    tickerq: TickerQ, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise OperationalError("no broker")

    result = call(tickerq)
    monkeypatch.setattr(Control, "broadcast", refuse)
    with pytest.raises(OperationalError, match="no broker"):
        tickerq.app.control.revoke(result.id)
    assert status_of(tickerq) == {result.id: CANCELLED}


class OwnControl(Control):
    """A control of the user's."""

    def revoke(self, task_id: Any, *args: Any, **options: Any) -> Any:  # type: ignore[override]
        return ("own", super().revoke(task_id, *args, **options))


@contextmanager
def own_app(store_url: str, namespace: str, control: Any) -> Iterator[Celery]:
    app = Celery(namespace, broker="memory://", control=control, set_as_current=False)
    add_task(app)
    yield app
    app.close()


@pytest.mark.parametrize("control", [OwnControl, "tests.integration.test_revoking:OwnControl"], ids=repr)
@pytest.mark.parametrize("is_made", [True, False], ids=["made before", "made later"])
def test_a_control_class_of_the_users_goes_on_working(
    store_url: str, namespace: str, broadcasts: list[Any], control: Any, is_made: bool
) -> None:
    with own_app(store_url, namespace, control) as app:
        if is_made:
            assert app.control is not None
        tickerq = TickerQ(app, store_url, namespace=namespace, durable_eta=60)
        result = call(tickerq)
        assert isinstance(app.control, OwnControl)
        assert app.control.revoke(result.id) == ("own", "broadcast")
        assert status_of(tickerq) == {result.id: CANCELLED}
        tickerq.close()


def test_an_app_can_still_be_pickled(tickerq: TickerQ) -> None:
    copy = pickle.loads(pickle.dumps(tickerq.app))
    assert type(copy.control) is Control


def test_making_a_tickerq_makes_no_control(store_url: str, namespace: str) -> None:
    with own_app(store_url, namespace, OwnControl) as app:
        TickerQ(app, store_url)
        assert "control" not in vars(app)


def test_what_a_worker_is_asked_to_revoke_is_cancelled(tickerq: TickerQ) -> None:
    result, other = call(tickerq), call(tickerq)
    publisher: Publisher = SimpleNamespace()  # type: ignore[assignment]
    core = tickerq.core
    handler = SignalHandler(core, Recorder(core), publisher, MisroutedLog(core.config.namespace))
    handler.handle(RevokeReport(task_ids=(result.id, "unknown")))
    assert status_of(tickerq) == {result.id: CANCELLED, other.id: IDLE}


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What reaches the command `revoke` of the registry."""
    heard: list[Any] = []

    def revoke(state: Any, task_id: Any, **options: Any) -> dict[str, str]:
        heard.append((task_id, options))
        return {"ok": "own"}

    monkeypatch.setitem(Panel.data, "revoke", revoke)
    return heard


def test_a_worker_handles_the_commands_of_its_own_app_and_leaves_them_to_celery(commands: list[Any]) -> None:
    app, other = Celery("a", set_as_current=False), Celery("b", set_as_current=False)
    heard: list[Any] = []
    of_other: list[Any] = []
    mine, theirs = RevokeListener(app, heard.append), RevokeListener(other, of_other.append)
    mine.listen()
    theirs.listen()
    answer = Panel.data["revoke"](SimpleNamespace(app=app), task_id="one", terminate=True)
    Panel.data["revoke"](SimpleNamespace(app=other), task_id=["two", "three"])
    assert answer == {"ok": "own"}
    assert commands == [("one", {"terminate": True}), (["two", "three"], {})]
    assert (heard, of_other) == ([["one"]], [["two", "three"]])
    theirs.close()
    mine.close()
    Panel.data["revoke"](SimpleNamespace(app=app), task_id="four")
    assert heard == [["one"]]


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What a cancel has workers notified of."""
    sent: list[Any] = []

    def publish_cancel(self: Any, run: Any, *, terminate: bool) -> None:
        sent.append((run.task_id or str(run.id), terminate))

    monkeypatch.setattr("tickerq_celery.broker.publisher.CeleryPublisher.publish_cancel", publish_cancel)
    return sent


def test_a_call_that_waits_is_cancelled_and_no_worker_is_notified(
    tickerq: TickerQ, published: list[Any]
) -> None:
    call(tickerq)
    (run,) = tickerq.runs.find()
    assert tickerq.runs.cancel(run.id).status is CANCELLED
    assert published == []
    assert messages(tickerq) == []


def test_a_cancelled_call_that_is_retried_has_a_new_id_in_all_of_its_message(
    tickerq: TickerQ, clock: ManualClock
) -> None:
    result = call(tickerq)
    (run,) = tickerq.runs.find()
    tickerq.runs.cancel(run.id)
    retried = tickerq.runs.retry(run.id)
    assert retried.task_id == f"{run.id}:1"
    assert retried.task_id != result.id
    (message,) = messages(tickerq)
    headers = message.headers
    assert (headers["id"], headers["root_id"], message.properties["correlation_id"]) == (retried.task_id,) * 3


def test_another_end_keeps_the_id_in_a_retry(tickerq: TickerQ) -> None:
    result = call(tickerq)
    (run,) = tickerq.runs.find()
    now = tickerq.core.clock.now()
    failed = TickerStatus.FAILED
    change_row(tickerq, run.id, status=failed, ended_status=failed, ended_at=now, due_at=None)
    assert tickerq.runs.retry(run.id).task_id == result.id
