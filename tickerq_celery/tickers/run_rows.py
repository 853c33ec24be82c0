"""Rows of new runs: time tickers, occurrences, their children, and misfire records."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from operator import attrgetter
from uuid import UUID

from tickerq_celery import validation
from tickerq_celery.enums import HoldReason, Origin, RunCondition, TickerStatus, TickerType
from tickerq_celery.ids import new_id
from tickerq_celery.payload.codec import Packed
from tickerq_celery.schedule.bounds import delay_of
from tickerq_celery.schedule.planner import Misfire
from tickerq_celery.tickers import chains
from tickerq_celery.tickers.chain_templates import copies
from tickerq_celery.tickers.claims import Due
from tickerq_celery.tickers.construction import constructor
from tickerq_celery.tickers.cron_rows import CronRow
from tickerq_celery.tickers.inputs import TimeTicker
from tickerq_celery.tickers.moments import asked_moment
from tickerq_celery.tickers.terminal import Terminal, terminal
from tickerq_celery.tickers.work import WORK_FIELDS, Work


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow(Work):
    """A run as its table holds it when it is stored; the columns that claims and attempts write are NULL."""

    id: UUID
    type: TickerType
    status: TickerStatus = TickerStatus.IDLE
    execution_time: datetime | None
    due_at: datetime | None
    not_before: datetime | None = None
    held_for: HoldReason | None = None
    hold_key: str | None = None
    claim_no: int = 0
    publish_count: int = 0
    is_late: bool = False
    executions: int = 0
    retry_count: int = 0
    rescue_count: int = 0
    attempts_before: int = 0
    cron_ticker_id: UUID | None = None
    instant: datetime | None = None
    unique_key: str | None = None
    active_key: str | None = None
    parent_id: UUID | None = None
    run_condition: RunCondition | None = None
    has_children: bool = False
    skipped_reason: str | None = None
    ended_at: datetime | None = None
    ended_status: TickerStatus | None = None
    origin: Origin = Origin.ADDED
    created_by: str | None = None
    cloned_from: UUID | None = None
    root_id: UUID | None = None
    held_since: datetime | None = None
    created_at: datetime
    updated_at: datetime

    @property
    def is_due(self) -> bool:
        """Whether it was due when it was made."""
        return self.due_at is not None and self.due_at <= self.created_at


_FIELDS = frozenset(each.name for each in fields(RunRow))
_OF_A_NEW_ONE = ("id", "type", "execution_time", "due_at", "created_at", "updated_at")
_OF_A_TICKER = ("unique_key", "active_key", "has_children", "root_id", "created_by")
_UNSET = {
    each.name: each.default
    for each in fields(RunRow)
    if each.name not in {*WORK_FIELDS, *_OF_A_NEW_ONE, *_OF_A_TICKER}
}
_UNSET_VALUES = tuple(_UNSET.values())
_made = constructor(RunRow, [*WORK_FIELDS, *_OF_A_NEW_ONE, *_OF_A_TICKER, *_UNSET])
_values_of = attrgetter(*WORK_FIELDS)


def new_run_row(
    work: Work,
    *,
    type: TickerType,
    execution_time: datetime | None,
    due_at: datetime | None,
    now: datetime,
) -> RunRow:
    """Return the row of a new run, Idle and never claimed."""
    own = (new_id(), type, execution_time, due_at, now, now)
    return _made(*_values_of(work), *own, None, None, False, None, None, *_UNSET_VALUES)


def due_call(row: RunRow) -> Due | None:
    """Return the row of a Celery task's call as a claim reads it, None unless it is due."""
    if row.due_at is None or not row.is_due:
        return None
    return Due(
        id=row.id,
        claim_no=row.claim_no,
        function=row.function,
        queue=row.queue,
        priority=row.priority,
        due_at=row.due_at,
        call=Packed(row.request, row.encoding),
        task_id=row.task_id,
    )


def time_ticker_row(
    ticker: TimeTicker, work: Work, *, now: datetime, created_by: str | None = None
) -> RunRow:
    """Return the row of a new time ticker; a past moment is due now.

    Raises:
        TickerValidationError: The execution time, the delay or the unique key cannot be used.
    """
    asked = asked_moment(ticker.execution_time, ticker.delay, now=now)
    at = now if asked is None else asked
    key = ticker.unique_key
    if key is not None:
        validation.name("unique_key", key, validation.LONGEST_KEY)
    own_id, has_children = new_id(), bool(ticker.children)
    own = (own_id, TickerType.TIME_TICKER, at, max(at, now), now, now)
    root_id = own_id if has_children else None
    return _made(*_values_of(work), *own, key, key, has_children, root_id, created_by, *_UNSET_VALUES)


def _head(row: RunRow, *, has_children: bool) -> RunRow:
    """Return a row as the head of a chain, where it has children; below another it gets that one's root."""
    return replace(row, has_children=has_children, root_id=row.id if has_children else None)


def as_child(row: RunRow, ticker: TimeTicker, *, parent: RunRow) -> RunRow:
    """Return a time ticker's row as one that waits for its parent, and maybe for its own execution time.

    Raises:
        TickerValidationError: The run condition is none.
    """
    return replace(
        waiting_for(parent, row),
        # Without a moment of its own it has none: it runs when its parent lets it.
        execution_time=None if ticker.execution_time is None and ticker.delay is None else row.execution_time,
        run_condition=chains.run_condition(ticker.run_condition),
    )


def as_clone(row: RunRow, *, of: UUID) -> RunRow:
    """Return a row as one copied from the run with this id."""
    return replace(row, origin=Origin.CLONE, cloned_from=of)


def waiting_for(parent: RunRow, row: RunRow) -> RunRow:
    """Return a row of a chain, held until its parent starts or ends."""
    return replace(
        row,
        parent_id=parent.id,
        root_id=parent.root_id,
        origin=Origin.CHAIN,
        due_at=None,
        held_for=HoldReason.PARENT,
        hold_key=str(parent.id),
        held_since=row.created_at,
    )


def occurrence_row(cron: CronRow, *, instant: datetime | None, now: datetime) -> RunRow:
    """Return the row of an occurrence; one without an ``instant`` is a manual run, and due now.

    One with an instant is due as much later as the cron ticker's jitter says for it.
    """
    at = now if instant is None else instant + delay_of(cron.id, instant, cron.jitter)
    row = new_run_row(cron, type=TickerType.CRON_TICKER_OCCURRENCE, execution_time=at, due_at=at, now=now)
    origin = Origin.MANUAL if instant is None else Origin.CRON
    row = replace(row, cron_ticker_id=cron.id, instant=instant, origin=origin)
    return _head(row, has_children=bool(cron.children))


def occurrence_children(cron: CronRow, occurrence: RunRow, *, now: datetime) -> Sequence[RunRow]:
    """Return the rows of an occurrence's own copy of its cron ticker's chain, parents first."""
    rows: list[RunRow] = []
    for copy in copies(cron.children, namespace=occurrence.namespace):
        parent = occurrence if copy.parent is None else rows[copy.parent]
        row = new_run_row(copy.work, type=TickerType.TIME_TICKER, execution_time=None, due_at=None, now=now)
        row = replace(row, run_condition=copy.run_condition, has_children=copy.has_children)
        rows.append(waiting_for(parent, row))
    return rows


def skipped_row(row: RunRow, *, reason: str, now: datetime) -> RunRow:
    """Return an occurrence's row as one that was skipped before it could run; it gets no chain."""
    end = terminal(TickerStatus.SKIPPED, now, reason)
    own = {each.name: getattr(end, each.name) for each in fields(Terminal) if each.name in _FIELDS}
    return _head(replace(row, **own), has_children=False)


def misfire_record(cron: CronRow, misfire: Misfire, *, reason: str, now: datetime) -> RunRow:
    """Return the row of the one record of instants that get no occurrence.

    It stands for all of them and so for no single one: each of them can still get its occurrence.
    """
    row = occurrence_row(cron, instant=misfire.first, now=now)
    row = replace(row, instant=None, origin=Origin.MISFIRE)
    return skipped_row(row, reason=reason, now=now)
