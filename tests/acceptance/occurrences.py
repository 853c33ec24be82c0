"""What became of each instant of a cron ticker that fires every second."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from tests.acceptance.processes import Jobs
from tickerq_celery import TickerStatus
from tickerq_celery.models import tickers

SECOND = timedelta(seconds=1)
_RECORD = re.compile(r"Missed: (?P<count>\d+) instants from (?P<first>\S+) to (?P<last>\S+) passed")


def fired(jobs: Jobs, cron_id: UUID) -> list[datetime]:
    """Return the instants that have an occurrence which was to run, the earliest first."""
    return [instant for instant, reason in _rows(jobs, cron_id) if reason is None]


def told(jobs: Jobs, cron_id: UUID) -> Counter[datetime]:
    """Return how often each instant is told of: by its occurrence, or in a record of what was missed."""
    found: Counter[datetime] = Counter()
    for instant, reason in _rows(jobs, cron_id):
        found.update([instant] if reason is None else _missed(reason))
    return found


def assert_each_instant_is_told_once(jobs: Jobs, cron_id: UUID) -> None:
    """Refuse a gap, and an instant that occurred twice, or occurred and counts as missed."""
    found = told(jobs, cron_id)
    first, last = min(found), max(found)
    assert found == {first + n * SECOND: 1 for n in range((last - first) // SECOND + 1)}


def _rows(jobs: Jobs, cron_id: UUID) -> list[tuple[datetime, str | None]]:
    statement = (
        select(tickers.c.instant, tickers.c.status, tickers.c.skipped_reason)
        .where(tickers.c.cron_ticker_id == cron_id, tickers.c.instant.is_not(None))
        .order_by(tickers.c.instant)
    )
    rows = jobs.tickerq.core.database.read(lambda connection: connection.execute(statement).all())
    return [(row[0], row[2] if row[1] is TickerStatus.SKIPPED else None) for row in rows]


def _missed(reason: str) -> Iterator[datetime]:
    record = _RECORD.match(reason)
    assert record is not None, reason
    for n in range(int(record["count"])):
        yield datetime.fromisoformat(record["first"]) + n * SECOND
