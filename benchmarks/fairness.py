"""How late runs of one function start beside 100,000 due of another: one queue, one beat, one worker.

python -m benchmarks.fairness [due|stored] [count] [seconds]; needs BENCHMARK_STORE and BENCHMARK_BROKER, new
and empty. Beside what is due already, or while it is being stored: by minutely cron tickers that catch up
after days. Each of those runs takes so many seconds, 0 if none are given.
"""

import os
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from sqlalchemy import func, select, update

from benchmarks.fleet import fleet, started_late, store_of
from benchmarks.fleet_app import BROKER, CROWD, OTHER, STORE
from benchmarks.measured import Measured, delays
from benchmarks.subjects import OURS
from tests.tables import cron_tickers, tickers
from tickerq_celery import CronTicker, MisfirePolicy, TickerQ, TimeTicker

_INSTANTS = 1_000
_BATCH = 5_000
_DOWN_FOR = timedelta(days=3)
_EVERY, _OTHERS, _LONGEST_WAIT = 0.5, 30, 10.0


class Crowd(StrEnum):
    """How the backlog comes to be."""

    DUE = "due"
    STORED = "stored"

    @property
    def words(self) -> str:
        """What is said of its runs."""
        return "due" if self is Crowd.DUE else "being stored"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fairness:
    """The delays in milliseconds of the other function's runs that started, and how many did not.

    ``stored`` is how many runs of the crowd there were in the end, ``started`` how many of them started.
    """

    late: tuple[float, ...]
    unstarted: int
    stored: int
    started: int


def beside_a_crowd(
    crowd: Crowd, *, count: int, store_url: str, broker_url: str, body: float = 0.0
) -> Fairness:
    """Add a run of the other function each half a second, due at once, beside ``count`` of the crowd.

    Each of these takes ``body`` seconds.
    """
    with store_of(store_url, broker_url) as tickerq:
        if crowd is Crowd.DUE:
            _add_due(tickerq, count)
        else:
            _add_down(tickerq, count // _INSTANTS)
        with fleet(tickerq, store_url, broker_url, body=body):
            for _ in range(_OTHERS):
                # As a process without a broker would: beat is to find it.
                tickerq.time_tickers.add(TimeTicker(function=OTHER, delay=timedelta(milliseconds=50)))
                time.sleep(_EVERY)
            until = time.monotonic() + _LONGEST_WAIT
            while len(started_late(tickerq, OTHER)) < _OTHERS and time.monotonic() < until:
                time.sleep(_EVERY)
            late = tuple(started_late(tickerq, OTHER))
            started = len(started_late(tickerq, CROWD))
        return Fairness(late=late, unstarted=_OTHERS - len(late), stored=_stored(tickerq), started=started)


def measure(
    *, count: int, store_url: str, broker_url: str, crowd: str = Crowd.DUE, case: str = "PostgreSQL"
) -> tuple[Measured, ...]:
    """Return the delays beside a backlog; ``case`` names the database.

    A run that has not started in the end counts as 10 s late, the time for which it was awaited.
    """
    found = beside_a_crowd(Crowd(crowd), count=count, store_url=store_url, broker_url=broker_url)
    late = [*found.late, *[_LONGEST_WAIT * 1000] * found.unstarted]
    return delays(OURS, late, case=f"{case}, beside {count:,} {Crowd(crowd).words}")


def _add_due(tickerq: TickerQ, count: int) -> None:
    an_hour_ago = datetime.now(UTC) - timedelta(hours=1)
    batch = [TimeTicker(function=CROWD, execution_time=an_hour_ago)] * _BATCH
    for first in range(0, count, _BATCH):
        with tickerq.core.database.engine.begin() as connection:
            # In a transaction of the caller's nothing is published at once.
            tickerq.time_tickers.add_batch(batch[: count - first], session=connection)


def _add_down(tickerq: TickerQ, crons: int) -> None:
    ticker = CronTicker(
        function=CROWD,
        expression="* * * * *",
        misfire=MisfirePolicy.RUN_ALL,
        misfire_limit=_INSTANTS,
    )
    tickerq.cron_tickers.add_batch([ticker] * crons)
    then = datetime.now(UTC).replace(second=0, microsecond=0) - _DOWN_FOR
    down = update(cron_tickers).values(next_run_at=then)
    tickerq.core.database.write(lambda connection: connection.execute(down))


def _stored(tickerq: TickerQ) -> int:
    crowd = select(func.count()).select_from(tickers).where(tickers.c.function == CROWD)
    return tickerq.core.database.read(lambda connection: connection.scalar(crowd)) or 0


def main(arguments: list[str]) -> None:
    """Print the delays beside the crowd that is asked for, else beside both kinds."""
    crowd, count, body = (arguments + [Crowd.DUE, "100000", "0"][len(arguments) :])[:3]
    found = beside_a_crowd(
        Crowd(crowd),
        count=int(count),
        store_url=os.environ[STORE],
        broker_url=os.environ[BROKER],
        body=float(body),
    )
    print(
        f"beside {crowd}: {found.unstarted} of {_OTHERS} did not start; {found.started} of {found.stored} did"
    )
    if found.late:
        print(", ".join(f"{each.quantity} {each.value:,.0f} ms" for each in delays(OURS, found.late)))


if __name__ == "__main__":
    main(sys.argv[1:])
