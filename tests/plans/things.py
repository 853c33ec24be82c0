"""What the addresses of pages and answers are of, in each of the two namespaces of a long history."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from tests.plans.history import (
    AUDITED_RUN,
    BIG,
    BULK_JOBS,
    BUSY_CRON,
    NEW_CRON,
    SMALL,
    History,
    planned_of,
    unended,
)
from tests.plans.writing import id_of

# Of the states of a run that has not ended.
_RUNNING, _HELD = 1, 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Things:
    """Runs and cron tickers; what runs and what is held is there if ``set_active`` wrote some."""

    ended: UUID
    failed: UUID
    planned: UUID
    running: UUID
    held: UUID
    cron: UUID
    new_cron: UUID
    bulk_job: UUID


OF: Mapping[str, Things] = {
    BIG: Things(
        ended=AUDITED_RUN,
        failed=id_of(995),
        planned=planned_of(BIG),
        running=unended()[_RUNNING],
        held=unended()[_HELD],
        cron=BUSY_CRON,
        new_cron=NEW_CRON,
        bulk_job=BULK_JOBS[BIG],
    ),
    # In which nothing goes on.
    SMALL: Things(
        ended=id_of(5_057),
        failed=id_of(1_010),
        planned=planned_of(SMALL),
        running=planned_of(SMALL),
        held=planned_of(SMALL),
        cron=id_of(101),
        new_cron=id_of(9_999),
        bulk_job=BULK_JOBS[SMALL],
    ),
}


def filled(template: str, namespace: str, history: History) -> str:
    """Return an address in which ``{ended}`` and its like stand for what a namespace has."""
    middle, things = history.middle, OF[namespace]
    moments = {
        "middle": _written(middle),
        "hour_later": _written(middle + timedelta(hours=1)),
        "newest": _written(history.until),
    }
    return template.format(**{name: getattr(things, name) for name in Things.__slots__}, **moments)


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
