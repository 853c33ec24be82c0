"""The audit of a long history: half of it about one run and one cron ticker."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from tests.plans.writing import Writer

AUDITED = 50_000
RARE_ACTOR = "mara"
_STEP = timedelta(seconds=40)


def audited_at(until: datetime, number: int) -> datetime:
    """Return when the entry of that number was written; the last one was at ``until``."""
    return until - _STEP * (AUDITED - 1 - number)


def audited(writer: Writer, until: datetime, *, namespace: str, run: UUID, cron: UUID) -> Mapping[str, str]:
    """Return the columns of the audit."""
    other, user = writer.joined("'other-'", "n"), writer.joined("'user-'", "n % 5")
    return {
        "id": writer.id(),
        "namespace": namespace,
        "at": writer.moment(audited_at(until, 0), f"{_STEP.seconds} * n"),
        "action": "CASE WHEN n % 3 = 0 THEN 'cron_tickers.pause' ELSE 'runs.retry' END",
        "outcome": "CASE WHEN n % 17 = 0 THEN 'refused' ELSE 'done' END",
        "object_kind": "CASE WHEN n % 3 = 0 THEN 'cron_ticker' ELSE 'run' END",
        "object_id": f"CASE WHEN n % 2 = 0 THEN {other} WHEN n % 3 = 0 THEN '{cron}' ELSE '{run}' END",
        "actor": f"CASE WHEN n % 9973 = 7 THEN '{RARE_ACTOR}' ELSE {user} END",
        "ids": "'[]'",
        "count": "1",
    }
