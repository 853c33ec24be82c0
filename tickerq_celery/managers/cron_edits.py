"""Changes of cron tickers: read, checked and written together; only other times are dealt with one by one."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from uuid import UUID

from tickerq_celery.cron.overlap import release_queue
from tickerq_celery.cron.rescheduling import reschedule
from tickerq_celery.enums import TickerKind
from tickerq_celery.errors import TickerNotFoundError
from tickerq_celery.managers.batches import naming, position_in
from tickerq_celery.managers.cron_preview import KIND
from tickerq_celery.managers.cron_rows import Kept, cron_rows
from tickerq_celery.managers.unit_of_work import UnitOfWork
from tickerq_celery.payload.codec import NO_REQUEST
from tickerq_celery.store import cron_tickers
from tickerq_celery.store.cron_edits import edit_all
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.occurrences import rewrite_pending
from tickerq_celery.tickers.call import Changes
from tickerq_celery.tickers.cron_rows import CronEdit, CronRow, refuse_changes_of_a_call
from tickerq_celery.tickers.inputs import CronTicker
from tickerq_celery.tickers.views import Cron

_REQUEST_IS_CHECKED = {"function", "request"}
_COLUMN_OF = {"every": "expression"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """A locked row, what its caller changes, and the ticker that it would be if it were new."""

    before: CronRow
    changes: Changes
    ticker: CronTicker
    kept: Kept

    @property
    def is_call(self) -> bool:
        """Whether it calls a Celery task, which no worker registers as a function."""
        return self.before.kind is TickerKind.CELERY_TASK

    def changed(self, row: CronRow) -> CronRow:
        """Return the locked row with what the changes mean of the ``row`` of the ticker."""
        names = {_COLUMN_OF.get(name, name) for name in self.changes} - {"is_enabled"}
        if "request" in names:
            names.add("encoding")
        if "expression" in names:
            names.add("start_at")  # where an interval begins to count
        return replace(self.before, **{name: getattr(row, name) for name in names})


def edit(
    storing: UnitOfWork, tx: Transaction, wanted: Mapping[UUID, Changes], *, allow_unknown: bool
) -> None:
    """Write changes of cron tickers, by their ids, and of their occurrences that have not begun.

    ``is_enabled`` is left to pauses.

    Raises:
        TickerNotFoundError: There is no such cron ticker.
        TickerValidationError: A value cannot be stored.
    """
    locked = cron_tickers.lock_all(tx, wanted)
    stored = cron_tickers.get_all(tx, locked, codec=storing.core.codec)
    asked: dict[str, _Wanted] = {}
    for cron_id in sorted(wanted):
        position = position_in(wanted, cron_id)
        with naming(position):
            if cron_id not in locked:
                raise TickerNotFoundError(KIND, cron_id)
            asked[position] = _wanted(locked[cron_id], stored[cron_id], wanted[cron_id])
    edits: list[CronEdit] = []
    for position, row in _rows(storing, tx, asked, allow_unknown=allow_unknown).items():
        before = asked[position].before
        with naming(position):
            # Written again without a change, it does not move past an instant that is due.
            after = reschedule(tx, before, asked[position].changed(row), now=row.created_at)
        edits.append(CronEdit(before=before, after=after))
    edit_all(tx, edits)
    for each in edits:
        release_queue(tx, each.before, each.after)
    rewrite_pending(tx, edits)


def _wanted(before: CronRow, stored: Cron, changes: Changes) -> _Wanted:
    if before.kind is TickerKind.CELERY_TASK:
        refuse_changes_of_a_call(**changes)
    # A request that stays need not be readable here, nor fit the function as it is by now.
    request = None if _REQUEST_IS_CHECKED & changes.keys() else NO_REQUEST
    return _Wanted(
        before=before,
        changes=changes,
        ticker=_changed(stored, changes, is_request_read=request is None),
        kept=Kept(run_count=before.run_count, request=request),
    )


def _rows(
    storing: UnitOfWork, tx: Transaction, asked: Mapping[str, _Wanted], *, allow_unknown: bool
) -> dict[str, CronRow]:
    """Return the rows that the tickers would get if they were new, by their positions."""
    rows: dict[str, CronRow] = {}
    for is_call in (False, True):
        alike = {position: each for position, each in asked.items() if each.is_call == is_call}
        if not alike:
            continue
        made = cron_rows(
            storing,
            tx,
            {position: each.ticker for position, each in alike.items()},
            allow_unknown=allow_unknown or is_call,
            kept={position: each.kept for position, each in alike.items()},
        )
        rows |= dict(zip(alike, made, strict=True))
    return rows


def _changed(cron: Cron, changes: Changes, *, is_request_read: bool) -> CronTicker:
    """Return a stored cron ticker with changes, without its own request and chain where they are not needed.

    Of ``expression`` and ``every`` the one given counts.
    """
    unread = {"every", "children"} | (set() if is_request_read else {"request"})
    stored = {
        field.name: getattr(cron, field.name)
        for field in fields(CronTicker)
        if field.name not in unread and field.name not in changes
    }
    if "every" in changes:
        stored["expression"] = None
    return CronTicker(**{**stored, **changes})
