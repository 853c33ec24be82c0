"""Changes of time tickers that have not been claimed: checked one by one, written together."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from uuid import UUID

from tickerq_celery.enums import HoldReason, TickerStatus, TickerType
from tickerq_celery.errors import TickerNotFoundError, TickerStateError
from tickerq_celery.managers.batches import naming, position_in
from tickerq_celery.managers.chains import row_of
from tickerq_celery.managers.operations import KIND_NAMES
from tickerq_celery.managers.task_calls import fields_of_kind, refuse_changes_of_a_message, replaced
from tickerq_celery.managers.unit_of_work import Known, UnitOfWork
from tickerq_celery.payload.codec import NO_REQUEST, Packed
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.runs import runs
from tickerq_celery.store.runs.holds import BY_CLAIM, DECIDING
from tickerq_celery.store.runs.runs import Edit
from tickerq_celery.tickers.call import NO_CHANGES, Changes, columns_meant
from tickerq_celery.tickers.celery_task import CALL_FIELDS
from tickerq_celery.tickers.inputs import TimeTicker
from tickerq_celery.tickers.kind_fields import OF_FUNCTIONS, OF_TASKS, REQUEST_IS_CHECKED
from tickerq_celery.tickers.moments import asked_moment
from tickerq_celery.tickers.run_rows import RunRow
from tickerq_celery.tickers.views import Run

_NOT_KEPT = {"function", "task", "delay", "children", "run_condition"}
_OF_EVERY_KIND = {field.name for field in fields(TimeTicker)} - _NOT_KEPT - {*OF_FUNCTIONS, *OF_TASKS}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """A stored run, what its caller changes, and the ticker that it would be if it were new."""

    run: Run
    changes: Changes
    ticker: TimeTicker
    kept_request: Packed | None

    @property
    def is_rescheduled(self) -> bool:
        """Whether it becomes due at another time; what waits for its parent is not due at all."""
        held_for = self.run.held_for
        if held_for is HoldReason.PARENT:
            return False
        return "execution_time" in self.changes or (
            held_for in BY_CLAIM and bool(DECIDING & columns_meant(self.changes))
        )

    @property
    def columns(self) -> frozenset[str]:
        """The columns that the changes mean."""
        names = columns_meant(self.changes)
        if self.is_rescheduled:
            names |= {"due_at", "held_for", "hold_key", "held_since"}
        return frozenset(names)


def edit(
    storing: UnitOfWork,
    tx: Transaction,
    wanted: Mapping[UUID, Changes],
    found: Mapping[UUID, Run],
    *,
    allow_unknown: bool,
    runs_now: bool = False,
) -> list[UUID]:
    """Write changes of time tickers, by their ids, and return those that are due at once.

    ``found`` are those that are there, which this transaction has locked. With ``runs_now`` they are made due
    now: one whose moment has passed keeps it, so that its lag counts from there.

    Raises:
        TickerNotFoundError: There is no such time ticker.
        TickerStateError: One is not Idle any more.
        TickerValidationError: A value cannot be stored.
    """
    asked: dict[str, _Wanted] = {}
    for ticker_id in sorted(wanted):
        position = position_in(wanted, ticker_id)
        with naming(position):
            changes, run = _at_moments(wanted[ticker_id], tx.now), found.get(ticker_id)
            if runs_now and run is not None:
                changes = _no_later(changes, run, tx.now)
            asked[position] = _wanted(ticker_id, run, changes, "run now" if runs_now else "changed")
    known = storing.known(
        tx, {position: each.ticker for position, each in asked.items()}, allow_unknown=allow_unknown
    )
    edits: list[Edit] = []
    for position, each in asked.items():
        with naming(position):
            row = _row(storing, tx, each, known)
        edits.append(Edit(id=each.run.id, edited_before=each.run.updated_at, row=row, names=each.columns))
    runs.edit_all(tx, edits)
    return [each.id for each in edits if "due_at" in each.names and each.row.is_due]


def as_ticker(run: Run, *, but: Collection[str], changes: Changes = NO_CHANGES) -> TimeTicker:
    """Return a run as a new ticker with ``changes``; fields ``but`` need not be readable."""
    kept = {name: getattr(run, name) for name in _OF_EVERY_KIND if name not in but}
    return TimeTicker(**{**fields_of_kind(run, but=but), **kept, **changes})


def _at_moments(changes: Changes, now: datetime) -> Changes:
    """Return changes in which a delay is the moment at which it ends."""
    kept = {name: value for name, value in changes.items() if name != "delay"}
    if changes.get("delay") is None:
        return kept
    return {**kept, "execution_time": asked_moment(kept.get("execution_time"), changes["delay"], now=now)}


def _no_later(changes: Changes, run: Run, now: datetime) -> Changes:
    if run.execution_time is None or run.execution_time > now:
        return changes
    return {**changes, "execution_time": run.execution_time}


def _wanted(ticker_id: UUID, run: Run | None, changes: Changes, what: str) -> _Wanted:
    if run is None:
        raise TickerNotFoundError(KIND_NAMES[TickerType.TIME_TICKER], ticker_id)
    if run.status is not TickerStatus.IDLE:
        raise TickerStateError(ticker_id, str(run.status), what)
    refuse_changes_of_a_message(run, changes)
    # A request that stays need not be readable here, nor fit the function as it is by now.
    kept = None if REQUEST_IS_CHECKED[run.kind] & changes.keys() else NO_REQUEST
    unread = set() if kept is None else {"request", *CALL_FIELDS}
    ticker = as_ticker(run, but={*replaced(changes), *unread}, changes=changes)
    return _Wanted(run=run, changes=changes, ticker=ticker, kept_request=kept)


def _row(
    storing: UnitOfWork, tx: Transaction, wanted: _Wanted, known: Mapping[tuple[str, str], Known]
) -> RunRow:
    row = row_of(storing, wanted.ticker, known=known, now=tx.now, request=wanted.kept_request)
    if wanted.ticker.execution_time is None and wanted.run.parent_id is not None:
        return replace(row, execution_time=None)
    return row
