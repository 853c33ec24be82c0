"""The end of an attempt, written in one transaction and only by the holder of its claim."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Insert, Update, case, insert, select, true, update

from tickerq_celery.clock import Clock
from tickerq_celery.enums import UNSTARTED, TickerStatus
from tickerq_celery.store.database.batches import write_in_parts
from tickerq_celery.store.database.bound import bound, parameters
from tickerq_celery.store.database.dialects import dialect_of
from tickerq_celery.store.database.transaction import Transaction, rowcount
from tickerq_celery.store.runs import chains, logs, overlaps
from tickerq_celery.store.runs.changed_at import changed_at, end_columns
from tickerq_celery.store.runs.starts import is_running
from tickerq_celery.store.tables import attempts, tickers
from tickerq_celery.store.tables.column_types import sql_after, sql_now
from tickerq_celery.tickers.claims import Started
from tickerq_celery.tickers.effect import Effect
from tickerq_celery.tickers.lifecycle import Failure, Outcome, check_transition
from tickerq_celery.tickers.progress import Pending
from tickerq_celery.validation import clean, storable

_LONGEST_TYPE = 300
_LONGEST_MESSAGE = 16 * 1024
_LONGEST_TRACEBACK = 256 * 1024
# What every end writes, and what one with a report writes as well.
_KEPT = ("retry_count", "rescue_count", "exception_type", "exception_message", "elapsed")
_REPORTED = ("progress", "progress_message")


def finish(
    tx: Transaction,
    run: Started,
    outcome: Outcome,
    *,
    node: str,
    elapsed: timedelta | None,
    report: Pending | None = None,
) -> Effect[bool]:
    """Write how a claim ended, its attempt and last report, and let a run's end decide on its children.

    Return False, with nothing written, for a superseded claim, and for an outcome that gives way to a
    cancel which was requested.
    """
    check_transition(TickerStatus.IN_PROGRESS, outcome.status)
    if not _write(tx, run, outcome, node=node, elapsed=elapsed, report=report):
        return Effect(result=False)
    if report is not None:
        logs.append(tx, run, report)
    if outcome.goes_on or not run.has_children:
        return Effect(result=True)
    return Effect(result=True, due=chains.follow(tx, [run.id], outcome.status))


def attempt_row(run: Started, outcome: Outcome, *, node: str | None) -> dict[str, object]:
    """Return the row of the attempt that ends now, but when that is."""
    failure = outcome.failure
    return {
        **attempt_key(run),
        "status": outcome.attempt_status,
        "started_at": run.started_at,
        "exception_type": failure and failure.type[:_LONGEST_TYPE],
        "exception_message": failure and storable(failure.message, _LONGEST_MESSAGE),
        "traceback": failure and failure.traceback and _storable_traceback(failure.traceback),
        "node": node,
    }


def attempt_key(run: Started) -> dict[str, object]:
    """Return what names the attempt that a run is in; one claim of a Celery task's call may have several."""
    retries = run.standing.retry_count if run.is_call else 0
    return {
        "ticker_id": run.id,
        "claim_no": run.claim_no,
        "retries": retries,
        "number": run.attempt_number,
    }


def has_written(tx: Transaction, run: Started, outcome: Outcome, *, node: str) -> bool:
    """Return True if exactly this end of the claim is stored already, written by this node."""
    row = tx.execute(
        select(attempts.c.node, attempts.c.status, attempts.c.exception_type).where(
            *(attempts.c[name] == value for name, value in attempt_key(run).items())
        )
    ).one_or_none()
    failure = outcome.failure
    # The type distinguishes the body's own end from a rescue by the same node.
    return row is not None and tuple(row) == (
        node, outcome.attempt_status, failure and failure.type[:_LONGEST_TYPE],
    )  # fmt: skip


def end_waiting(
    tx: Transaction,
    ticker_id: UUID,
    *,
    claim_no: int,
    status: TickerStatus,
    reason: str | None,
    failure: Failure | None = None,
    before: TickerStatus = TickerStatus.QUEUED,
    only_if: ColumnElement[bool] | None = None,
) -> Effect[bool]:
    """End a run that waits for its claim or its start; decide on its children, pass its overlap lock on.

    Return False, with nothing written, for a claim whose status is not ``before`` any more, or whose row does
    not meet ``only_if``.
    """
    check_transition(before, status)
    cron_id = overlaps.cron_locked_by(tx, ticker_id)
    shown = {} if failure is None else failure_columns(failure)
    written = rowcount(
        tx,
        update(tickers)
        .where(
            tickers.c.id == ticker_id,
            tickers.c.claim_no == claim_no,
            tickers.c.status == before,
            true() if only_if is None else only_if,
        )
        .values(end_columns(tx.clock, status, reason) | {"ended_on": _last_node(before)} | shown),
    )
    if written != 1:
        return Effect(result=False)
    due = chains.follow(tx, [ticker_id], status)
    if cron_id is not None:
        due += overlaps.pass_lock(tx, cron_id)
    return Effect(result=True, due=due)


def end_unstarted(tx: Transaction, ids: Sequence[UUID], *, status: TickerStatus, reason: str) -> None:
    """End runs that this transaction has locked and that are not started; decide on their children."""
    for before in UNSTARTED:
        check_transition(before, status)
    end = end_columns(tx.clock, status, reason)
    waits_for_retry = tickers.c.status == TickerStatus.IDLE
    # First: MariaDB has each assignment read what the ones before it wrote.
    ended_on = case((waits_for_retry, tickers.c.lock_holder))
    statement = update(tickers).where(tickers.c.status.in_(UNSTARTED))
    statement = statement.ordered_values(("ended_on", ended_on), *end.items())
    write_in_parts(tx, statement, tickers.c.id, ids)
    chains.follow(tx, ids, status)


def _last_node(before: TickerStatus) -> ColumnElement[Any] | None:
    """Return the node of a run's last attempt, as it stood ``before``: a claim has put its own name there."""
    return None if before is TickerStatus.QUEUED else tickers.c.lock_holder


def _storable_traceback(text: str) -> str:
    # The error itself stands at the end, and what was called first at the head.
    text = clean(text)
    half = _LONGEST_TRACEBACK // 2
    return text if len(text) <= _LONGEST_TRACEBACK else f"{text[: half - 1]}…{text[-half:]}"


def columns(
    clock: Clock,
    *,
    wait: timedelta | None,
    status: TickerStatus | ColumnElement[TickerStatus],
    reason: str | ColumnElement[str] | None,
    result: bytes | ColumnElement[bytes] | None,
) -> dict[str, object]:
    """Return the columns that an attempt's end sets where its run ends, or is due again after ``wait``."""
    if wait is None:
        end = end_columns(clock, status, reason)
        return end | {"ended_on": tickers.c.lock_holder, "result": result}
    return {
        "status": status,
        "due_at": sql_after(clock, wait),
        "running_on": None,
        "cancel_request": None,
        "alone_for": None,
        "skipped_reason": reason,
        "updated_at": changed_at(clock),
    }


def kept_columns(outcome: Outcome) -> dict[str, object]:
    """Return the columns that an attempt's end sets whatever becomes of its run."""
    counts: dict[str, object] = {"retry_count": outcome.retry_count, "rescue_count": outcome.rescue_count}
    return counts | failure_columns(outcome.failure)


def failure_columns(failure: Failure | None) -> dict[str, object]:
    """Return the columns that show how the last attempt failed, if it did."""
    return {
        "exception_type": failure and failure.type[:_LONGEST_TYPE],
        "exception_message": failure and storable(failure.message, _LONGEST_MESSAGE),
    }


def reason_of(outcome: Outcome) -> str | None:
    """Return why a run was not executed, as it is stored."""
    return outcome.skipped_reason and storable(outcome.skipped_reason, _LONGEST_MESSAGE)


def _write(
    tx: Transaction,
    run: Started,
    outcome: Outcome,
    *,
    node: str,
    elapsed: timedelta | None,
    report: Pending | None,
) -> bool:
    """Write a run's row and that of the attempt: in one statement where the database can, else in two."""
    ended = {
        "id": run.id,
        "claim_no": run.claim_no,
        "status": outcome.status,
        "skipped_reason": reason_of(outcome),
        "elapsed": elapsed,
        **kept_columns(outcome),
    }
    if outcome.wait is None:
        ended["result"] = outcome.result
    if report is not None:
        ended |= {"progress": report.fraction, "progress_message": report.message}
    kind = _Kind(wait=outcome.wait, gives_way=outcome.gives_way, is_reported=report is not None)
    values, attempt = parameters(ended), parameters(attempt_row(run, outcome, node=node), row=1)
    if dialect_of(tx.connection.dialect.name).has_writing_ctes:
        return tx.execute(_end_and_attempt(tx.clock, kind), values | attempt).rowcount == 1
    if tx.execute(_end(tx.clock, kind), values).rowcount != 1:
        return False
    tx.execute(_attempt(tx.clock), attempt)
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """What distinguishes the statements of ends; of waits there are few."""

    wait: timedelta | None
    gives_way: bool
    is_reported: bool


@lru_cache(maxsize=64)
def _end(clock: Clock, kind: _Kind) -> Update:
    varying = [*_KEPT, *(_REPORTED if kind.is_reported else ())]
    return (
        update(tickers)
        .where(
            is_running(bound(tickers.c.id), bound(tickers.c.claim_no)),
            tickers.c.cancel_request.is_(None) if kind.gives_way else true(),
        )
        .values(
            **columns(
                clock,
                wait=kind.wait,
                status=bound(tickers.c.status),
                reason=bound(tickers.c.skipped_reason),
                result=bound(tickers.c.result),
            ),
            **{name: bound(tickers.c[name]) for name in varying},
        )
    )


@lru_cache(maxsize=8)
def _attempt(clock: Clock) -> Insert:
    values = {column.name: bound(column, row=1) for column in attempts.c if column.name != "ended_at"}
    return insert(attempts).values(**values, ended_at=sql_now(clock))


@lru_cache(maxsize=64)
def _end_and_attempt(clock: Clock, kind: _Kind) -> Insert:
    ended = _end(clock, kind).returning(tickers.c.id).cte("ended")
    values: dict[str, ColumnElement[Any]] = {
        column.name: bound(column, row=1) for column in attempts.c if column.name != "ended_at"
    }
    values |= {"ticker_id": ended.c.id, "ended_at": sql_now(clock)}
    row = select(*values.values()).select_from(ended)
    statement = insert(attempts).from_select(list(values), row)
    # Else SQLAlchemy counts the rows of an UPDATE only.
    return statement.execution_options(preserve_rowcount=True)
