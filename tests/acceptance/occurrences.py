"""What became of each instant of a cron ticker that fires every second."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from tests.acceptance.jobs import Jobs
from tests.missed import missed
from tests.tables import tickers
from tickerq_celery import Cron, TickerStatus

SECOND = timedelta(seconds=1)
HARDLY_EVER = "0 0 0 29 2 *"


def fired(jobs: Jobs, cron_id: UUID) -> list[datetime]:
    """Return the instants that have an occurrence which was to run, the earliest first."""
    return [instant for instant, reason in _rows(jobs, cron_id) if instant is not None and reason is None]


def recorded(jobs: Jobs, cron_id: UUID) -> Counter[datetime]:
    """Return how often each instant is recorded: by its occurrence, or in a record of what was missed."""
    found: Counter[datetime] = Counter()
    for instant, reason in _rows(jobs, cron_id):
        found.update(_missed(reason) if instant is None else [instant])
    return found


def stop_firing(jobs: Jobs, cron_id: UUID) -> datetime:
    """Let a cron ticker come to its end, and return the instant before which all have been decided."""
    reached = jobs.tickerq.cron_tickers.get(cron_id).next_run_at
    assert reached is not None
    # What has been fired and is not claimed yet ends as Skipped, and the next expression fires no more.
    jobs.tickerq.cron_tickers.update(cron_id, expression=HARDLY_EVER)
    return reached


def assert_each_instant_is_recorded_once(jobs: Jobs, cron: Cron, *, before: datetime) -> None:
    """Refuse an instant that vanished, from the first to the last ``before``, and one that is recorded twice.

    ``cron`` is what was returned when it was added.
    """
    assert cron.next_run_at is not None
    faults = faults_of_instants(recorded(jobs, cron.id), first=cron.next_run_at, before=before)
    assert not faults, f"{faults}\n{jobs.logs()}"


def faults_of_instants(found: Mapping[datetime, int], *, first: datetime, before: datetime) -> list[str]:
    """Return the instants that are not recorded once: from ``first`` to ``before``, and all later ones."""
    end = max([before, *(instant + SECOND for instant in found)])
    wanted = {first + n * SECOND for n in range((end - first) // SECOND)}
    counts = {instant: found.get(instant, 0) for instant in sorted(wanted | found.keys())}
    return [
        f"{instant}: {count} times"
        for instant, count in counts.items()
        if count != (1 if instant in wanted else 0)
    ]


def _rows(jobs: Jobs, cron_id: UUID) -> list[tuple[datetime | None, str | None]]:
    statement = (
        select(tickers.c.instant, tickers.c.status, tickers.c.skipped_reason)
        .where(tickers.c.cron_ticker_id == cron_id)
        .order_by(tickers.c.instant)
    )
    rows = jobs.tickerq.core.database.read(lambda connection: connection.execute(statement).all())
    return [(row[0], row[2] if row[1] is TickerStatus.SKIPPED else None) for row in rows]


def _missed(reason: str | None) -> Iterator[datetime]:
    record = missed(reason)
    assert record is not None, reason
    assert record.count_is_exact, reason
    for n in range(record.count):
        yield record.first + n * SECOND
