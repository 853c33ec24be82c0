"""Fifty reads that cannot end, and what the same process adds meanwhile.

What is promised: an addition within 100 ms, the end of each read within 3 s. A busy machine gets some room
for single ones, not for the median.
"""

import statistics
import threading
import time
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
ADDITIONS = 20
MOST_FOR_AN_ADDITION = 0.1
MOST_FOR_A_READ = 3.0
# For a machine that does much else.
ROOM = 5.0


@pytest.fixture(autouse=True)
def unchanged_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the budget of reads as it is in production: it is what is tested here."""
    monkeypatch.setattr(core, "Reader", Reader)


@pytest.fixture
def later(clock: ManualClock) -> TimeTicker:
    """A ticker that no run of the test claims."""
    return TimeTicker(function="Send", execution_time=clock.now() + timedelta(days=1))


class Reads:
    """Fifty threads that read, with the seconds and the error of each."""

    def __init__(self, read: Callable[[], object]) -> None:
        self._read = read
        self._threads = [threading.Thread(target=self._run) for _ in range(READERS)]
        self.seconds: list[float] = []
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
        begun, error = time.monotonic(), None
        try:
            self._read()
        except StoreError as raised:
            error = raised
        self.seconds.append(time.monotonic() - begun)
        self.errors.append(error)


def check(read: Callable[[], object], add: Callable[[], object]) -> None:
    """Let fifty readers read, add meanwhile, and judge both by the figures of the order."""
    add()
    reads, additions = Reads(read), []
    reads.start()
    for _ in range(ADDITIONS):
        begun = time.monotonic()
        add()
        additions.append(time.monotonic() - begun)
    assert reads.are_all_waiting()
    reads.join()
    shown = (
        f"additions: median {statistics.median(additions):.3f} s, longest {max(additions):.3f} s; "
        f"reads: from {min(reads.seconds):.2f} s to {max(reads.seconds):.2f} s"
    )
    print(shown)
    # On a busy machine the database's answer to those that ran may come too late, and that to the others.
    assert QueryTooWideError in {type(each) for each in reads.errors}, shown
    assert None not in reads.errors, shown
    assert statistics.median(additions) < MOST_FOR_AN_ADDITION, shown
    assert max(reads.seconds) < MOST_FOR_A_READ + ROOM, shown


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
