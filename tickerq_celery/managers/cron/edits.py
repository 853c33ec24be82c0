"""Changes of cron tickers: read, checked and written together; what other times take back goes one by one."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from uuid import UUID

from tickerq_celery.cron.overlap import release_queue
from tickerq_celery.cron.rescheduling import Rescheduling
from tickerq_celery.errors import TickerNotFoundError
from tickerq_celery.managers.batches import naming, position_in
from tickerq_celery.managers.cron.locked import KIND
from tickerq_celery.managers.cron.rows import Unchanged, cron_rows
from tickerq_celery.managers.task_calls import fields_of_kind, replaced
from tickerq_celery.managers.unit_of_work import UnitOfWork
from tickerq_celery.payload.codec import NO_REQUEST
from tickerq_celery.store.cron import cron_tickers
from tickerq_celery.store.cron.occurrences import rewrite_pending
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.tickers.call import Changes, columns_meant
from tickerq_celery.tickers.celery_task import CALL_FIELDS
from tickerq_celery.tickers.cron_rows import CronEdit, CronRow, refuse_changes_of_an_entry
from tickerq_celery.tickers.inputs import CronTicker
from tickerq_celery.tickers.kind_fields import OF_FUNCTIONS, OF_TASKS, REQUEST_IS_CHECKED
from tickerq_celery.tickers.views import Cron

_OF_EVERY_KIND = {field.name for field in fields(CronTicker)} - {*OF_FUNCTIONS, *OF_TASKS, "function", "task"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """A locked row, what its caller changes, and the ticker that it would be if it were new."""

    before: CronRow
    changes: Changes
    ticker: CronTicker
    unchanged: Unchanged

    def changed(self, row: CronRow) -> CronRow:
        """Return the locked row with what the changes mean of the ``row`` of the ticker."""
        names = columns_meant(self.changes) - {"is_enabled"}
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
    stored = cron_tickers.lock_views(tx, locked, codec=storing.core.codec)
    asked: dict[str, _Wanted] = {}
    for cron_id in sorted(wanted):
        position = position_in(wanted, cron_id)
        with naming(position):
            if cron_id not in locked:
                raise TickerNotFoundError(KIND, cron_id)
            asked[position] = _wanted(locked[cron_id], stored[cron_id], wanted[cron_id])
    rows = cron_rows(
        storing,
        tx,
        {position: each.ticker for position, each in asked.items()},
        allow_unknown=allow_unknown,
        unchanged={position: each.unchanged for position, each in asked.items()},
    )
    changed = [
        CronEdit(before=each.before, after=each.changed(row))
        for each, row in zip(asked.values(), rows, strict=True)
    ]
    edits: list[CronEdit] = []
    times = Rescheduling(tx, changed)
    for position, each in zip(asked, changed, strict=True):
        with naming(position):
            # Written again without a change, it does not move past an instant that is due.
            edits.append(replace(each, after=times.done(each)))
    cron_tickers.edit_all(tx, edits)
    for edited in edits:
        release_queue(tx, edited.before, edited.after)
    rewrite_pending(tx, edits)


def _wanted(before: CronRow, stored: Cron, changes: Changes) -> _Wanted:
    if before.is_entry:
        refuse_changes_of_an_entry(changes)
    # A request that stays need not be readable here, nor fit the function as it is by now.
    request = None if REQUEST_IS_CHECKED[before.kind] & changes.keys() else NO_REQUEST
    return _Wanted(
        before=before,
        changes=changes,
        ticker=_changed(stored, changes, is_request_read=request is None),
        unchanged=Unchanged(run_count=before.run_count, request=request),
    )


def _changed(cron: Cron, changes: Changes, *, is_request_read: bool) -> CronTicker:
    """Return a stored cron ticker with changes, without its own request and chain where they are not needed.

    Of ``expression`` and ``every`` the one given counts.
    """
    unread = {"every", "children"} | (set() if is_request_read else {"request", *CALL_FIELDS})
    but = {*replaced(changes), *unread}
    stored = {name: getattr(cron, name) for name in _OF_EVERY_KIND - but}
    if "every" in changes:
        stored["expression"] = None
    return CronTicker(**{**fields_of_kind(cron, but=but), **stored, **changes})
