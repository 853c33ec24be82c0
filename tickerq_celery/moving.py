"""Another expression for a cron ticker: from its commit on nothing fires by the old one."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from tickerq_celery.core import Core
from tickerq_celery.cron_drafts import next_run, schedule_of
from tickerq_celery.drafts import edit_reason, pause_reason, skip_record
from tickerq_celery.enums import TickerStatus
from tickerq_celery.models import tickers
from tickerq_celery.planner import Misfire, passed
from tickerq_celery.store import cron_tickers, ends
from tickerq_celery.store.engine import insert_rows

_TIMES = ("expression", "time_zone", "day_or")
MOVED_REASON = "Edited: the cron ticker fires by {!r} now, this was an instant of {!r}"


def move(
    connection: Connection, core: Core, cron: Mapping[str, Any], changes: Mapping[str, Any], *, now: datetime
) -> dict[str, Any]:
    """Take a locked cron ticker off its instants if ``changes`` move them; return what else to write.

    Its occurrences that nobody has claimed end as Skipped, and what had not fired gets one record.
    """
    after = {**cron, **changes}
    if all(after[name] == cron[name] for name in _TIMES):
        return {}
    missed = missed_by(cron, now)
    if missed is not None:
        is_paused = cron["next_run_at"] is None
        reason = paused_reason(cron, missed) if is_paused else edit_reason(missed, cron["expression"])
        insert_rows(connection, tickers, [skip_record(cron, missed, reason=reason, now=now)])
    ends.end_unstarted(
        connection,
        core.clock,
        cron_tickers.lock_pending(connection, cron["id"]),
        status=TickerStatus.SKIPPED,
        reason=MOVED_REASON.format(after["expression"], cron["expression"]),
    )
    is_firing = cron["is_enabled"] and cron["resume_from"] is None
    return {"next_run_at" if is_firing else "resume_from": next_run(after, now)}


def missed_by(cron: Mapping[str, Any], now: datetime) -> Misfire | None:
    """Return the instants that have passed and did not fire, in a pause or before a beat came; or None."""
    first = cron["next_run_at"] or cron["resume_from"]
    if first is None:
        return None
    return passed(schedule_of(cron), first=first, until=now, at_most=cron["misfire_limit"])


def paused_reason(cron: Mapping[str, Any], missed: Misfire) -> str:
    """Return what is said of the instants that passed in a cron ticker's pause."""
    return pause_reason(missed, by=cron["paused_by"], reason=cron["paused_reason"])
