"""Other times for a cron ticker: from their commit on nothing fires by the old ones."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from tickerq_celery.cron.occurrences import untold
from tickerq_celery.cron.overlap import let_next_run
from tickerq_celery.enums import TickerStatus
from tickerq_celery.runtime.core import Core
from tickerq_celery.schedule.planner import Misfire, Passed, left_out, passed
from tickerq_celery.schedule.timetable import fire_alike, timetable_of
from tickerq_celery.store import ends, occurrences
from tickerq_celery.store.cron_pauses import NOT_PAUSED
from tickerq_celery.store.database.batches import insert_rows
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.tables import tickers
from tickerq_celery.tickers.cron_rows import next_run_of
from tickerq_celery.tickers.run_rows import skip_record
from tickerq_celery.tickers.skip_reasons import bounds_reason, edit_reason, pause_reason

_EXPRESSION = ("expression", "time_zone", "day_or")
_BOUNDS = ("start_at", "end_at", "exclude", "max_runs")
_MOMENT = timedelta(microseconds=1)
MOVED_REASON = "Edited: the cron ticker fires by {!r} now, this was an instant of {!r}"
BOUNDED_REASON = "Edited: the cron ticker's new bounds leave this instant out"


def move(
    tx: Transaction, core: Core, cron: Mapping[str, Any], changes: Mapping[str, Any], *, now: datetime
) -> dict[str, Any]:
    """Take a locked cron ticker off its instants if ``changes`` move them; return what else to write.

    Its occurrences that nobody has begun end as Skipped where their instants are none any more. What
    passed and had not fired gets one record, where an old expression had it or new bounds leave it out.
    """
    after = {**cron, **changes}
    first = _stands_at(cron)
    if _fires_otherwise(cron, after):
        _record_unfired(tx, cron, now)
        found = list(occurrences.lock_pending(tx, cron["id"]))
        _skip_pending(tx, core, cron, found, None if _is_same(cron, after) else after)
        base = now
    elif any(after[name] != cron[name] for name in _BOUNDS):
        _record_left_out(tx, cron, after, now)
        _skip_pending(tx, core, cron, _out_of_bounds(tx, after), None)
        base = now if first is None else min(now, first - _MOMENT)
    else:
        return {}
    following = _next_untold(tx, after, base, now)
    if cron["is_enabled"] and cron["resume_from"] is None:
        return {"next_run_at": following, **NOT_PAUSED}
    # One that has come to its end waits for no pause any more.
    is_over = cron["is_enabled"] and following is None
    return {"resume_from": following} | (NOT_PAUSED if is_over else {})


def _is_same(cron: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    return all(after[name] == cron[name] for name in _EXPRESSION)


def _fires_otherwise(cron: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether a change is of the instants themselves, not of how they are written or of their bounds."""
    if _is_same(cron, after) and after["start_at"] == cron["start_at"]:
        return False
    wanted = timetable_of(after).instants
    try:
        return not fire_alike(timetable_of(cron).instants, wanted)
    except ValueError:
        # What cannot be read here is not what is wanted.
        return True


def _next_untold(tx: Transaction, cron: Mapping[str, Any], base: datetime, now: datetime) -> datetime | None:
    """Return the first instant after ``base``, but for those to come that ``skip_next`` has passed over."""
    following = next_run_of(cron, base)
    while following is not None and following > now and occurrences.taken_among(tx, cron["id"], [following]):
        following = next_run_of(cron, following)
    return following


def missed_by(tx: Transaction, cron: Mapping[str, Any], now: datetime) -> Misfire | None:
    """Return the instants that have passed and did not fire, in a pause or before a beat came; or None.

    Those that a backfill has filled in are none of them.
    """
    first = _stands_at(cron)
    if first is None:
        return None
    timetable = timetable_of(cron)

    def look(at_most: int) -> Passed | None:
        return passed(timetable, first=first, until=now, at_most=at_most)

    return untold(tx, cron["id"], look, at_most=cron["misfire_limit"])


def record_missed(
    tx: Transaction, cron: Mapping[str, Any], missed: Misfire, *, reason: str, now: datetime
) -> None:
    """Store the one record of instants that get no occurrence."""
    insert_rows(tx, tickers, [skip_record(cron, missed, reason=reason, now=now)])


def paused_reason(cron: Mapping[str, Any], missed: Misfire) -> str:
    """Return what is said of the instants that passed in a cron ticker's pause."""
    return pause_reason(missed, by=cron["paused_by"], reason=cron["paused_reason"])


def _stands_at(cron: Mapping[str, Any]) -> datetime | None:
    """Return the first instant that has neither fired nor been told of, whether a pause keeps it or not."""
    moment: datetime | None = cron["next_run_at"] or cron["resume_from"]
    return moment


def _record_unfired(tx: Transaction, cron: Mapping[str, Any], now: datetime) -> None:
    try:
        missed = missed_by(tx, cron, now)
    except ValueError:
        # What cannot be read here has no instants that could be told.
        return
    if missed is None:
        return
    is_paused = cron["next_run_at"] is None
    reason = paused_reason(cron, missed) if is_paused else edit_reason(missed, cron["expression"])
    record_missed(tx, cron, missed, reason=reason, now=now)


def _record_left_out(
    tx: Transaction, cron: Mapping[str, Any], after: Mapping[str, Any], now: datetime
) -> None:
    first = _stands_at(cron)
    if first is None:
        return
    has_runs = after["max_runs"] is None or cron["run_count"] < after["max_runs"]
    try:
        before = timetable_of(cron)
    except ValueError:
        return
    left = timetable_of(after) if has_runs else None
    edges = () if left is None else left.edges(first, now)

    def look(at_most: int) -> Passed | None:
        return left_out(before, left, first=first, until=now, at_most=at_most, edges=edges)

    missed = untold(tx, cron["id"], look, at_most=cron["misfire_limit"])
    if missed is not None:
        record_missed(tx, cron, missed, reason=bounds_reason(missed), now=now)


def _out_of_bounds(tx: Transaction, after: Mapping[str, Any]) -> list[UUID]:
    timetable = timetable_of(after)
    found = occurrences.lock_pending(tx, after["id"])
    return [each for each, instant in found.items() if timetable.latest_at_or_before(instant) != instant]


def _skip_pending(
    tx: Transaction,
    core: Core,
    cron: Mapping[str, Any],
    skipped: Sequence[UUID],
    moved_to: Mapping[str, Any] | None,
) -> None:
    reason = BOUNDED_REASON
    if moved_to is not None:
        reason = MOVED_REASON.format(moved_to["expression"], cron["expression"])
    ends.end_unstarted(tx, skipped, status=TickerStatus.SKIPPED, reason=reason)
    if skipped:
        # One that was asked for by hand may have waited for one of them.
        let_next_run(tx, core, cron)
