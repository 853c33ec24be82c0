"""Two namespaces on one store and one queue: a worker runs none of the other's runs, and says so once."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from types import SimpleNamespace

import pytest
from celery import Celery, signals

from tests.inner import Core, DropReason, Recorder, task_id
from tests.integration.apps import deliver, dispatch_due, enrol_worker, messages, row_of, ticker_app
from tests.integration.making import claim, enrolled, fail, make_run, start
from tests.integration.making import row_of as stored
from tests.manual_clock import ManualClock
from tickerq_celery import TickerQ, TickerStatus, TimeTicker
from tickerq_celery.worker.misrouted import MisroutedLog
from tickerq_celery.worker.request import message_dropped
from tickerq_celery.worker.signals import SignalHandler, SignalListener

MakeCore = Callable[..., Core]
LINE = "runs of namespace theirs reach this worker of namespace mine through queue {}: "


@pytest.fixture
def other(store_url: str, namespace: str, clock: ManualClock, tickerq: TickerQ) -> Iterator[TickerQ]:
    """An app of another namespace that consumes the first one's queue and has a function of the same name."""
    with ticker_app(store_url, f"{namespace}-b", clock) as made:
        made.app.conf.task_default_queue = tickerq.app.conf.task_default_queue
        yield made


def test_a_run_of_another_namespace_starts_nothing_and_is_due_again_after_1_2_4_seconds(
    tickerq: TickerQ, other: TickerQ, clock: ManualClock
) -> None:
    ran: list[str] = []
    other.function("Send")(lambda: ran.append("other"))
    enrol_worker(other)
    run_id = tickerq.time_tickers.add(TimeTicker(function="Send")).id
    for seconds in (1, 2, 4):
        (message,) = messages(other)
        dropped = deliver(other, message)
        assert (dropped.state, dropped.result.reason) == ("IGNORED", DropReason.OTHER_NAMESPACE)
        assert dropped.result.owner == tickerq.config.namespace
        row = row_of(tickerq, run_id)
        assert (row.status, row.due_at) == (TickerStatus.IDLE, clock.now() + timedelta(seconds=seconds))
        clock.advance(seconds=seconds)
        dispatch_due(tickerq)
    (message,) = messages(tickerq)
    deliver(tickerq, message)
    assert (row_of(tickerq, run_id).status, ran) == (TickerStatus.DONE, [])


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_retries_and_rescues_do_not_lengthen_the_wait_of_a_misrouted_run_nor_does_it_grow_for_ever(
    core: Core, make_core: MakeCore, namespace: str, clock: ManualClock
) -> None:
    enrolled(core)
    run_id = make_run(core, retries=3)
    (claimed,) = claim(core)
    run = start(core, claimed)
    assert run is not None
    fail(core, run)
    theirs = Recorder(make_core(namespace=f"{namespace}-b"))
    waits = []
    for _ in range(9):
        clock.advance(days=1)
        (claimed,) = claim(core)
        assert theirs.return_misrouted(run_id, claimed.number) == namespace
        waits.append((stored(core, run_id).due_at - clock.now()).total_seconds())
    assert waits == [1, 2, 4, 8, 16, 32, 64, 64, 64]


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_misrouted_run_that_was_claimed_again_is_left_alone(
    core: Core, make_core: MakeCore, namespace: str
) -> None:
    enrolled(core)
    run_id = make_run(core)
    (claimed,) = claim(core)
    theirs = Recorder(make_core(namespace=f"{namespace}-b"))
    assert theirs.return_misrouted(run_id, claimed.number + 1) is None
    assert Recorder(core).return_misrouted(run_id, claimed.number) is None
    assert stored(core, run_id).status is TickerStatus.QUEUED


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_worker_without_the_function_returns_a_misrouted_run_at_once(
    core: Core, make_core: MakeCore, namespace: str, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    enrolled(core)
    run_id = make_run(core)
    (claimed,) = claim(core)
    other = make_core(namespace=f"{namespace}-b")
    misrouted = MisroutedLog(other.config.namespace)
    listener = SignalListener(Celery(set_as_current=False), misrouted)
    listener.listen()
    message = SimpleNamespace(delivery_info={"routing_key": "celery"})
    signals.task_unknown.send(
        sender=None, message=message, exc=None, name="tickerq.Send", id=task_id(run_id, claimed.number)
    )
    listener.close()
    handler = SignalHandler(other, Recorder(other), None, misrouted)  # type: ignore[arg-type]  # not called
    handler.handle(listener.reports.get_nowait())
    assert stored(core, run_id).due_at == clock.now() + timedelta(seconds=1)
    assert f"runs of namespace {namespace} reach this worker" in caplog.text
    assert "waits for another worker" not in caplog.text


class Sender:
    """As much of a request as the listener asks for."""

    def __init__(self, queue: str) -> None:
        self.delivery_info = {"routing_key": queue}


def test_each_namespace_and_queue_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    listener = SignalListener(Celery(set_as_current=False), MisroutedLog("mine"))
    listener.listen()
    for queue in ("celery", "celery", "mail"):
        message_dropped.send(sender=Sender(queue), reason=DropReason.OTHER_NAMESPACE, owner="theirs")
    listener.close()
    assert listener.drops.take() == {DropReason.OTHER_NAMESPACE: 3}
    assert [caplog.text.count(LINE.format(queue)) for queue in ("celery", "mail")] == [1, 1]
    assert {record.levelname for record in caplog.records} == {"ERROR"}
