"""How many time tickers a second one ``add_batch`` adds, in one transaction.

python -m benchmarks.bulk_add [--count 20000] [--profile] URL; the URL is that of an empty database. Each
ticker has a request of about 100 bytes, a dataclass, and is due in a day.
"""

import argparse
import cProfile
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from celery import Celery
from sqlalchemy import func, make_url, select

from benchmarks.measured import Measured, rate
from benchmarks.subjects import OURS
from tests.tables import tickers
from tickerq_celery import TickerContext, TickerQ, TimeTicker

CASES = {"postgresql": "PostgreSQL", "mysql": "MariaDB", "mariadb": "MariaDB", "sqlite": "SQLite"}


@dataclass(frozen=True)
class Mail:
    """A request of about 100 bytes."""

    user_id: int
    address: str
    subject: str
    is_urgent: bool = False


def measure(*, count: int, store_url: str, broker_url: str = "") -> tuple[Measured, ...]:
    """Add ``count`` time tickers by one call."""
    with ticker_app(store_url) as tickerq:
        batch = mails(count)
        began = time.perf_counter()
        tickerq.time_tickers.add_batch(batch)
        seconds = time.perf_counter() - began
        counting = select(func.count()).select_from(tickers)
        added = tickerq.core.read(lambda tx: tx.scalars(counting).one())
    return (rate(OURS, "added", count=added, seconds=seconds, case=case_of(store_url)),)


def mails(count: int, *, unique: bool = False) -> Sequence[TimeTicker]:
    """Return time tickers that are due in a day, each with a unique key where they are ``unique``."""
    later = datetime.now(UTC) + timedelta(days=1)
    return [
        TimeTicker(
            "Mail",
            request=Mail(number, f"user{number}@example.org", "Your weekly summary is ready for you"),
            execution_time=later + timedelta(milliseconds=number),
            unique_key=f"mail {number}" if unique else None,
        )
        for number in range(count)
    ]


def case_of(store_url: str) -> str:
    """Return the name of the database."""
    return CASES[make_url(store_url).get_backend_name()]


@contextmanager
def ticker_app(store_url: str) -> Iterator[TickerQ]:
    """Give a TickerQ with one function on a new store, and one ticker added: all is loaded and compiled."""
    namespace = f"bench-{uuid.uuid4().hex[:12]}"
    tickerq = TickerQ(Celery(namespace, broker="memory://", set_as_current=False), store_url)

    @tickerq.function("Mail")
    def send(context: TickerContext[Mail]) -> None:
        """Do nothing."""

    tickerq.create_schema()
    warm = tickerq.time_tickers.add_batch(mails(2))
    tickerq.time_tickers.delete_batch([run.id for run in warm])
    yield tickerq
    tickerq.close()
    tickerq.app.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("url")
    given = parser.parse_args()
    profile = cProfile.Profile()
    found = (profile.runcall if given.profile else lambda work, **kw: work(**kw))(
        measure, count=given.count, store_url=given.url
    )
    for each in found:
        print(f"{each.case}: {each.value:,.0f} {each.quantity} {each.unit}")
    if given.profile:
        profile.print_stats("tottime")


if __name__ == "__main__":
    main()
