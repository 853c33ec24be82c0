"""Other times for cron tickers: from their commit on nothing fires by the old ones."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from enum import Enum, auto
from uuid import UUID

from tickerq_celery.cron.overlap import admit_next
from tickerq_celery.enums import TickerStatus
from tickerq_celery.schedule.planner import Misfire, left_out, passed
from tickerq_celery.schedule.timetable import fire_alike
from tickerq_celery.store.cron import occurrences
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.runs import ends, runs
from tickerq_celery.tickers.cron_rows import CronEdit, CronRow
from tickerq_celery.tickers.run_rows import misfire_record
from tickerq_celery.tickers.skip_reasons import bounds_reason, edit_reason, pause_reason

_EXPRESSION = ("expression", "time_zone", "day_or")
_BOUNDS = ("start_at", "end_at", "exclude", "max_runs")
_MOMENT = timedelta(microseconds=1)
MOVED_REASON = "Edited: the cron ticker fires by {!r} now, this was an instant of {!r}"
BOUNDED_REASON = "Edited: the cron ticker's new bounds leave this instant out"


class _Change(Enum):
    """What an edit changes of the times: the instants themselves, or what bounds leave of them."""

    INSTANTS = auto()
    BOUNDS = auto()


def reschedule(tx: Transaction, before: CronRow, after: CronRow) -> CronRow:
    """Return an edited row with its next instant; see ``Rescheduling``. ``before`` is the locked row."""
    edit = CronEdit(before=before, after=after)
    return Rescheduling(tx, [edit]).done(edit)


class Rescheduling:
    """Takes back what the former times of locked cron tickers made, all of which is read together.

    Occurrences that have not begun end as Skipped where the edit leaves no such instants. What passed and
    had not fired gets one misfire record, where the old expression had it or new bounds leave it out. What
    new bounds leave of it is decided on anew, also where a catch-up had begun.
    """

    def __init__(self, tx: Transaction, edits: Collection[CronEdit]) -> None:
        self._tx = tx
        changes = {each.before.id: _change_of(each.before, each.after) for each in edits}
        self._changes = {cron_id: change for cron_id, change in changes.items() if change is not None}
        self._pending = occurrences.lock_pending(tx, list(self._changes))
        self._to_come = occurrences.after(tx, list(self._changes), tx.now)

    def done(self, edit: CronEdit) -> CronRow:
        """Return one of the edited rows with its next instant; an edit of no times changes nothing."""
        tx, before, after = self._tx, edit.before, edit.after
        change = self._changes.get(before.id)
        if change is None:
            return after
        pending = self._pending.get(before.id, {})
        if change is _Change.INSTANTS:
            _record_unfired(tx, before)
            _skip_pending(tx, before, list(pending), None if _is_same(before, after) else after)
            base = tx.now
        else:
            _record_left_out(tx, before, after)
            _skip_pending(tx, before, _out_of_bounds(after, pending), None)
            first = before.first_unrecorded
            base = tx.now if first is None else min(tx.now, first - _MOMENT)
        following = _next_unskipped(after, base, self._to_come.get(before.id, ()))
        after = replace(after, catch_up_until=None)
        if before.is_enabled and before.resume_from is None:
            return replace(after.not_paused(), next_run_at=following)
        moved = replace(after, resume_from=following)
        # One that has come to its end waits for no pause any more.
        return moved.not_paused() if before.is_enabled and following is None else moved


def _change_of(before: CronRow, after: CronRow) -> _Change | None:
    if _fires_otherwise(before, after):
        return _Change.INSTANTS
    return _Change.BOUNDS if _bounds_differ(before, after) else None


def _is_same(before: CronRow, after: CronRow) -> bool:
    return all(getattr(after, name) == getattr(before, name) for name in _EXPRESSION)


def _bounds_differ(before: CronRow, after: CronRow) -> bool:
    return any(getattr(after, name) != getattr(before, name) for name in _BOUNDS)


def _fires_otherwise(before: CronRow, after: CronRow) -> bool:
    """Whether a change is of the instants themselves, not of how they are written or of their bounds."""
    if _is_same(before, after) and after.start_at == before.start_at:
        return False
    wanted = after.timetable().instants
    try:
        return not fire_alike(before.timetable().instants, wanted)
    except ValueError:
        # What cannot be read here is not what is wanted.
        return True


def _next_unskipped(cron: CronRow, base: datetime, taken: Collection[datetime]) -> datetime | None:
    """Return the first instant after ``base``, but for those to come that ``skip_next`` has ``taken``."""
    following = cron.next_run_after(base)
    while following is not None and following in taken:
        following = cron.next_run_after(following)
    return following


def missed_by(cron: CronRow, now: datetime) -> Misfire | None:
    """Return the instants that have passed and did not fire, in a pause or before a beat came; or None.

    They are not compared with those that a backfill has filled in.
    """
    first = cron.first_unrecorded
    if first is None:
        return None
    return passed(cron.timetable(), first=first, until=now, at_most=cron.misfire_limit)


def record_missed(tx: Transaction, cron: CronRow, missed: Misfire, *, reason: str) -> None:
    """Store the one record of instants that get no occurrence."""
    runs.insert(tx, [misfire_record(cron, missed, reason=reason, now=tx.now)])


def paused_reason(cron: CronRow, missed: Misfire) -> str:
    """Return what is said of the instants that passed in a cron ticker's pause."""
    return pause_reason(missed, by=cron.paused_by, reason=cron.paused_reason)


def _record_unfired(tx: Transaction, cron: CronRow) -> None:
    try:
        missed = missed_by(cron, tx.now)
    except ValueError:
        # What cannot be read here has no instants that could be recorded.
        return
    if missed is None:
        return
    is_paused = cron.next_run_at is None
    reason = paused_reason(cron, missed) if is_paused else edit_reason(missed, cron.expression)
    record_missed(tx, cron, missed, reason=reason)


def _record_left_out(tx: Transaction, cron: CronRow, after: CronRow) -> None:
    first = cron.first_unrecorded
    if first is None:
        return
    try:
        before = cron.timetable()
    except ValueError:
        return
    left = after.timetable() if after.has_runs_left else None
    edges = () if left is None else left.edges(first, tx.now)
    missed = left_out(before, left, first=first, until=tx.now, at_most=cron.misfire_limit, edges=edges)
    if missed is not None:
        record_missed(tx, cron, missed, reason=bounds_reason(missed))


def _out_of_bounds(after: CronRow, pending: Mapping[UUID, datetime]) -> list[UUID]:
    timetable = after.timetable()
    return [each for each, instant in pending.items() if not timetable.has(instant)]


def _skip_pending(
    tx: Transaction,
    cron: CronRow,
    skipped: Sequence[UUID],
    moved_to: CronRow | None,
) -> None:
    reason = BOUNDED_REASON
    if moved_to is not None:
        reason = MOVED_REASON.format(moved_to.expression, cron.expression)
    ends.end_unstarted(tx, skipped, status=TickerStatus.SKIPPED, reason=reason)
    if skipped:
        # A manual run may have waited for one of them.
        admit_next(tx, cron)
