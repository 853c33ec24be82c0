"""Workers that run in a thread of this process, as `celery.contrib.testing` starts them."""

import threading
from collections.abc import Iterator

import pytest
from celery import _state, signals
from celery.contrib.testing.worker import start_worker
from kombu import Connection
from sqlalchemy.orm import Session

from tests.acceptance.waiting import wait_until
from tests.integration.apps import ticker_app
from tests.statements import nodes
from tickerq_celery import TickerQ, TickerStatus, TimeTicker

pytestmark = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)


def keep_logging_as_it_is(**_: object) -> None:
    """Stand for a configuration of logging, so that Celery makes none for the whole process."""


@pytest.fixture(autouse=True)
def _the_process_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(_state, "default_app", _state.default_app)
    monkeypatch.setattr(_state._tls, "current_app", _state._tls.current_app)
    signals.setup_logging.connect(keep_logging_as_it_is)
    yield
    signals.setup_logging.disconnect(keep_logging_as_it_is)


@pytest.fixture(autouse=True)
def _workers_end_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a worker look each tenth of a second whether it shall end: Celery's own looks each two seconds."""
    drain = Connection.drain_events
    monkeypatch.setattr(Connection, "drain_events", lambda connection, **_: drain(connection, timeout=0.1))


@pytest.fixture
def tickerq(store_url: str, namespace: str) -> Iterator[TickerQ]:
    with ticker_app(store_url, namespace) as made:
        made.function("Send")(lambda: None)
        yield made


def left_behind(tickerq: TickerQ) -> tuple[list[str], list[str], int]:
    """Return the threads and rows of workers, and how many receivers wait for a worker's end."""
    threads = [
        each.name
        for each in threading.enumerate()
        if each.name in {"tickerq-heartbeat", "tickerq-limits", "tickerq-seeders"}
    ]
    rows = [node.name for node in tickerq.core.read(nodes.list_nodes)]
    return threads, rows, len(signals.worker_shutdown.receivers or ())


def use_a_worker(tickerq: TickerQ) -> None:
    """Let a worker of this process run one run."""
    with start_worker(tickerq.app, perform_ping_check=False, shutdown_timeout=60):
        wait_until(lambda: tickerq.core.read(nodes.list_nodes), lambda: "a node row")
        run = tickerq.time_tickers.add(TimeTicker(function="Send"))
        wait_until(lambda: tickerq.runs.get(run.id).status is TickerStatus.DONE, lambda: "the run's end")


def test_a_worker_of_a_test_leaves_no_thread_and_no_row_behind(tickerq: TickerQ) -> None:
    before = left_behind(tickerq)
    for _ in range(2):
        use_a_worker(tickerq)
        assert left_behind(tickerq) == before
    assert before[:2] == ([], [])


def test_a_worker_runs_its_seeders_when_it_starts(tickerq: TickerQ) -> None:
    @tickerq.seeder(version=1)
    def demo(session: Session) -> None:
        tickerq.time_tickers.add(TimeTicker(function="Send", description="seeded"), session=session)

    for _ in range(2):
        with start_worker(tickerq.app, perform_ping_check=False, shutdown_timeout=60):
            wait_until(lambda: tickerq.core.read(nodes.list_nodes), lambda: "a node row")
            wait_until(tickerq.runs.count, lambda: "what was seeded")
    assert [run.description for run in tickerq.runs.find()] == ["seeded"]
