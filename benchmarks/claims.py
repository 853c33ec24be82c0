"""How fast due runs are claimed, also beside many others, and what the writes of a run cost PostgreSQL.

python -m benchmarks.claims [--count 20000] [--beside 200000] [--writes] STORE-URL …

Each URL is of an empty database, which is migrated. Figures are printed, and nothing is asserted.
"""

import argparse
import time
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import text, update

from benchmarks.measured import Measured, Unit, rate
from benchmarks.stored_runs import ticker_app, write_runs
from benchmarks.subjects import OURS
from tests.tables import tickers
from tickerq_celery import TickerStatus
from tickerq_celery.runs.claimer import Claimer
from tickerq_celery.runs.recorder import Recorder
from tickerq_celery.runtime.core import Core
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.runs import publications
from tickerq_celery.tickers.claims import Claim, Started
from tickerq_celery.tickers.lifecycle import succeeded

_MINUTE = timedelta(minutes=1)
_AT_ONCE = 100
_WRITTEN = text(
    "SELECT pg_current_wal_lsn() - '0/0'::pg_lsn AS wal, n_tup_upd AS updates, n_tup_hot_upd AS hot"
    " FROM pg_stat_user_tables WHERE relname = 'tickerq_tickers'"
)


def measure(*, count: int, store_url: str, case: str = "", beside: int = 0) -> tuple[Measured, ...]:
    """Claim ``count`` due runs, beside so many of tomorrow and as many ended; ``case`` names the store."""
    with ticker_app(store_url) as tickerq:
        write_runs(tickerq, beside, due_in=timedelta(days=1))
        write_runs(tickerq, beside, has_ended=True)
        write_runs(tickerq, count)
        claimer, claimed, seconds = Claimer(tickerq.core), 0, 0.0
        # Learns what the workers can run and compiles its statements, as a beat does once.
        is_first = True
        while True:
            began = time.perf_counter()
            batch = claimer.claim(holder="beat").claims
            took = time.perf_counter() - began
            if not batch:
                break
            if not is_first:
                claimed, seconds = claimed + len(batch), seconds + took
            is_first = False
            take_from_queue(tickerq.core)
    others = f"beside {beside:,} future and {beside:,} ended" if beside else "nothing else stored"
    case = f"{case}, {others}" if case else others
    return (rate(OURS, "claim", count=claimed, seconds=seconds, case=case),)


def take_from_queue(core: Core) -> None:
    """End what was claimed: a queue that is full takes no more."""
    done = TickerStatus.DONE
    ended = update(tickers).where(tickers.c.status == TickerStatus.QUEUED, tickers.c.check_at.is_not(None))
    values = {"status": done, "check_at": None, "ended_at": tickers.c.created_at, "ended_status": done}
    core.database.write(lambda to: to.execute(ended.values(values)))


@dataclass(frozen=True, slots=True)
class _Written:
    """What a server has written so far: bytes of WAL, updates of runs, and those that no index notices."""

    wal: int
    updates: int
    hot: int

    def since(self, before: "_Written", step: str, count: int) -> tuple[Measured, ...]:
        """Return the WAL of each of ``count`` runs, and the share of updates that were HOT."""
        wal, updates, hot = self.wal - before.wal, self.updates - before.updates, self.hot - before.hot
        share = 100 * hot / updates if updates else 0.0
        return (
            Measured(
                subject=OURS, quantity=f"WAL bytes, {step}", value=wal / count, unit=Unit.COUNT, count=count
            ),
            Measured(
                subject=OURS, quantity=f"HOT updates in %, {step}", value=share, unit=Unit.COUNT, count=count
            ),
        )


class _Lives:
    """The steps that the due runs of a store go through."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._recorder = Recorder(core)
        self._claims: list[Claim] = []
        self._started: list[Started] = []

    def claim(self) -> None:
        claimer = Claimer(self._core)
        while batch := claimer.claim(holder="beat").claims:
            self._claims += batch

    def stamp(self) -> None:
        for first in range(0, len(self._claims), _AT_ONCE):
            part = self._claims[first : first + _AT_ONCE]
            self._core.write(publications.stamp, part, check_after=_MINUTE)

    def start(self) -> None:
        runs = (self._recorder.start(each.id, each.number) for each in self._claims)
        self._started += [run for run in runs if run is not None]

    def end(self) -> None:
        for run in self._started:
            self._recorder.finish(run, succeeded(run.standing), elapsed=timedelta(0))


def measure_writes(*, count: int, store_url: str, broker_url: str = "") -> tuple[Measured, ...]:
    """Claim, stamp, start and end ``count`` runs, on a PostgreSQL server that writes nothing else."""
    found: list[Measured] = []
    with ticker_app(store_url, max_queued=count) as tickerq:
        write_runs(tickerq, count)
        lives = _Lives(tickerq.core)
        for step in (lives.claim, lives.stamp, lives.start, lives.end):
            before = _written(tickerq.core)
            step()
            found += _written(tickerq.core).since(before, step.__name__, count)
    return tuple(found)


def _written(core: Core) -> _Written:
    def read(tx: Transaction) -> _Written:
        tx.execute(text("SELECT pg_stat_force_next_flush()"))
        return _Written(*map(int, tx.execute(_WRITTEN).one()))

    # Of the first transaction's end the statistics are written that the second one reads.
    core.write(read)
    return core.write(read)


def main() -> None:
    """Measure as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--beside", type=int, default=0)
    parser.add_argument("--writes", action="store_true")
    parser.add_argument("urls", nargs="+")
    asked = parser.parse_args()
    for url in asked.urls:
        found = (
            measure_writes(count=asked.count, store_url=url)
            if asked.writes
            else measure(count=asked.count, store_url=url, beside=asked.beside)
        )
        for each in found:
            print(f"{url.partition(':')[0]}: {each.quantity} {each.value:,.0f} {each.unit} {each.case}")


if __name__ == "__main__":
    main()
