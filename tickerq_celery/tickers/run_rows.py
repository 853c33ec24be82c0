"""Rows of new runs: time tickers, occurrences, their children, and misfire records."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from uuid import UUID

from tickerq_celery import validation
from tickerq_celery.enums import HoldReason, RunCondition, TickerStatus, TickerType
from tickerq_celery.ids import new_id
from tickerq_celery.schedule.bounds import delay_of
from tickerq_celery.schedule.planner import Misfire
from tickerq_celery.tickers import chains
from tickerq_celery.tickers.chain_templates import copies
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
    created_at: datetime
    updated_at: datetime


_FIELDS = frozenset(each.name for each in fields(RunRow))


def new_run_row(
    work: Work,
    *,
    type: TickerType,
    execution_time: datetime | None,
    due_at: datetime | None,
    now: datetime,
) -> RunRow:
    """Return the row of a new run, Idle and never claimed."""
    return RunRow(
        **{name: getattr(work, name) for name in WORK_FIELDS},
        id=new_id(),
        type=type,
        execution_time=execution_time,
        due_at=due_at,
        created_at=now,
        updated_at=now,
    )


def time_ticker_row(ticker: TimeTicker, work: Work, *, now: datetime) -> RunRow:
    """Return the row of a new time ticker; a past moment is due now.

    Raises:
        TickerValidationError: The execution time, the delay or the unique key cannot be used.
    """
    asked = asked_moment(ticker.execution_time, ticker.delay, now=now)
    at = now if asked is None else asked
    key = ticker.unique_key
    if key is not None:
        validation.name("unique_key", key, validation.LONGEST_KEY)
    row = new_run_row(work, type=TickerType.TIME_TICKER, execution_time=at, due_at=max(at, now), now=now)
    return replace(row, unique_key=key, active_key=key, has_children=bool(ticker.children))


def as_child(row: RunRow, ticker: TimeTicker, *, parent_id: UUID) -> RunRow:
    """Return a time ticker's row as one that waits for its parent, and maybe for its own execution time.

    Raises:
        TickerValidationError: The run condition is none.
    """
    return replace(
        waiting_for(parent_id, row),
        # Without a moment of its own it has none: it runs when its parent lets it.
        execution_time=None if ticker.execution_time is None and ticker.delay is None else row.execution_time,
        run_condition=chains.run_condition(ticker.run_condition),
    )


def waiting_for(parent_id: UUID, row: RunRow) -> RunRow:
    """Return a row held until its parent starts or ends."""
    return replace(row, parent_id=parent_id, due_at=None, held_for=HoldReason.PARENT, hold_key=str(parent_id))


def occurrence_row(cron: CronRow, *, instant: datetime | None, now: datetime) -> RunRow:
    """Return the row of an occurrence; one without an ``instant`` is a manual run, and due now.

    One with an instant is due as much later as the cron ticker's jitter says for it.
    """
    at = now if instant is None else instant + delay_of(cron.id, instant, cron.jitter)
    row = new_run_row(cron, type=TickerType.CRON_TICKER_OCCURRENCE, execution_time=at, due_at=at, now=now)
    return replace(row, cron_ticker_id=cron.id, instant=instant, has_children=bool(cron.children))


def occurrence_children(cron: CronRow, occurrence: RunRow, *, now: datetime) -> Sequence[RunRow]:
    """Return the rows of an occurrence's own copy of its cron ticker's chain, parents first."""
    rows: list[RunRow] = []
    for copy in copies(cron.children, namespace=occurrence.namespace):
        parent = occurrence if copy.parent is None else rows[copy.parent]
        row = new_run_row(copy.work, type=TickerType.TIME_TICKER, execution_time=None, due_at=None, now=now)
        row = replace(row, run_condition=copy.run_condition, has_children=copy.has_children)
        rows.append(waiting_for(parent.id, row))
    return rows


def skipped_row(row: RunRow, *, reason: str, now: datetime) -> RunRow:
    """Return an occurrence's row as one that was skipped before it could run; it gets no chain."""
    end = terminal(TickerStatus.SKIPPED, now, reason)
    own = {each.name: getattr(end, each.name) for each in fields(Terminal) if each.name in _FIELDS}
    return replace(row, has_children=False, **own)


def misfire_record(cron: CronRow, misfire: Misfire, *, reason: str, now: datetime) -> RunRow:
    """Return the row of the one record of instants that get no occurrence.

    It stands for all of them and so for no single one: each of them can still get its occurrence.
    """
    row = replace(occurrence_row(cron, instant=misfire.first, now=now), instant=None)
    return skipped_row(row, reason=reason, now=now)
