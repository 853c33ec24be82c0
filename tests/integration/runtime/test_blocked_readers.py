"""Fifty reads that cannot end by themselves, and what the same process adds meanwhile.

No addition waits for one of them, and each is given up by its budget, whatever keeps it.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import Engine, text

from tests.inner import core
from tests.integration.runtime.transactions import wide
from tests.manual_clock import ManualClock
from tickerq_celery import CronTicker, TickerQ, TimeTicker
from tickerq_celery.errors import QueryTooWideError, StoreError
from tickerq_celery.runtime.reader import Reader

READERS = 50
ADDITIONS = 5


@pytest.fixture(autouse=True)
def unchanged_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the budget of reads as it is in production: it is what is tested here."""
    monkeypatch.setattr(core, "Reader", Reader)


@pytest.fixture
def later(clock: ManualClock) -> TimeTicker:
    """A ticker that no run of the test claims."""
    return TimeTicker(function="Send", execution_time=clock.now() + timedelta(days=1))


class Reads:
    """Fifty threads that read, with the error of each."""

    def __init__(self, read: Callable[[], object]) -> None:
        self._read = read
        self._threads = [threading.Thread(target=self._run) for _ in range(READERS)]
        self.errors: list[Exception | None] = []

    def start(self) -> None:
        for each in self._threads:
            each.start()

    def join(self) -> None:
        for each in self._threads:
            each.join(60)

    def are_all_waiting(self) -> bool:
        return all(each.is_alive() for each in self._threads)

    def _run(self) -> None:
        error = None
        try:
            self._read()
        except StoreError as raised:
            error = raised
        self.errors.append(error)


def check(read: Callable[[], object], add: Callable[[], object]) -> None:
    """Let fifty readers read, add meanwhile, and see that neither waits for the other."""
    add()
    reads = Reads(read)
    reads.start()
    for _ in range(ADDITIONS):
        add()
    # All were added while each read was still kept waiting.
    assert reads.are_all_waiting()
    reads.join()
    # What keeps them has not ended; on a busy machine the database's answer to those that ran may come too
    # late, as that to the others.
    assert len(reads.errors) == READERS
    assert None not in reads.errors
    assert QueryTooWideError in {type(each) for each in reads.errors}


def test_reads_that_use_up_their_budget_delay_no_addition(tickerq: TickerQ, later: TimeTicker) -> None:
    check(
        lambda: tickerq.core.read_bounded(wide),
        lambda: tickerq.time_tickers.add(later),
    )


@contextmanager
def locked(engine: Engine, statement: str) -> Iterator[None]:
    """Lock tables in another session, as a manual migration does."""
    with engine.connect() as connection:
        connection.execute(text(statement))
        yield
        connection.rollback()
        connection.invalidate()


@pytest.mark.parametrize("store_url", ["postgres"], indirect=True)
def test_a_locked_table_delays_no_addition(tickerq: TickerQ, engine: Engine, later: TimeTicker) -> None:
    run = tickerq.time_tickers.add(later)
    with locked(engine, "LOCK TABLE tickerq_attempts IN ACCESS EXCLUSIVE MODE"):
        check(
            lambda: tickerq.runs.get(run.id),
            lambda: tickerq.time_tickers.add(later),
        )


@pytest.mark.verify
@pytest.mark.parametrize("store_url", ["mariadb"], indirect=True)
def test_a_locked_table_delays_no_addition_that_mariadb_itself_lets_through(
    tickerq: TickerQ, engine: Engine, later: TimeTicker
) -> None:
    # Who locks a table there locks what its foreign keys name against writes, too: while the attempts are
    # locked, no session of any program can insert a run. A cron ticker can be added.
    run = tickerq.time_tickers.add(later)
    with locked(engine, "LOCK TABLES tickerq_attempts WRITE"):
        check(
            lambda: tickerq.runs.get(run.id),
            lambda: tickerq.cron_tickers.add(CronTicker(function="Send", expression="0 0 1 1 *")),
        )
