"""The end of an attempt, written in one transaction and only by the holder of its claim."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import insert, select, true, update

from tickerq_celery.clock import Clock
from tickerq_celery.enums import TickerStatus
from tickerq_celery.store import chains, logs, overlaps
from tickerq_celery.store.database.batches import write_in_parts
from tickerq_celery.store.database.transaction import Transaction, rowcount
from tickerq_celery.store.tables import attempts, tickers
from tickerq_celery.store.tables.column_types import sql_after, sql_now
from tickerq_celery.tickers.claims import Started
from tickerq_celery.tickers.lifecycle import Outcome, check_transition
from tickerq_celery.tickers.progress import Pending
from tickerq_celery.validation import clean, storable

_LONGEST_TYPE = 300
_LONGEST_MESSAGE = 16 * 1024
_LONGEST_TRACEBACK = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """An end that was accepted; ``made_due`` are the runs that it lets start."""

    made_due: Sequence[UUID] = ()


def finish(
    tx: Transaction,
    run: Started,
    outcome: Outcome,
    *,
    node: str,
    elapsed_ms: int | None,
    report: Pending | None = None,
) -> Written | None:
    """Write how a claim ended, its attempt and last report, and let a run's end decide on its children.

    A superseded claim writes nothing, and gets None; so does an outcome that gives way to a cancel
    where somebody wants that.
    """
    check_transition(TickerStatus.IN_PROGRESS, outcome.status)
    is_wanted = tickers.c.cancel_request.is_(None) if outcome.gives_way else true()
    written = rowcount(
        tx,
        update(tickers)
        .where(
            tickers.c.id == run.id,
            tickers.c.claim_no == run.claim_no,
            tickers.c.status == TickerStatus.IN_PROGRESS,
            is_wanted,
        )
        .values(**_columns(tx.clock, outcome), **_progress(report), elapsed_ms=elapsed_ms),
    )
    if written != 1:
        return None
    failure = outcome.failure
    tx.execute(
        insert(attempts).values(
            ticker_id=run.id,
            claim_no=run.claim_no,
            number=run.attempt_number,
            status=outcome.attempt_status,
            started_at=run.started_at,
            finished_at=tx.sql_now(),
            exception_type=failure and failure.type[:_LONGEST_TYPE],
            exception_message=failure and storable(failure.message, _LONGEST_MESSAGE),
            traceback=failure and failure.traceback and _storable_traceback(failure.traceback),
            node=node,
        )
    )
    if report is not None:
        logs.append(tx, run, report)
    if outcome.goes_on or not run.has_children:
        return Written()
    return Written(made_due=chains.follow(tx, [run.id], outcome.status))


def has_written(tx: Transaction, run: Started, outcome: Outcome, *, node: str) -> bool:
    """Whether this very end of the claim is stored already, written by this node."""
    row = tx.execute(
        select(attempts.c.node, attempts.c.status, attempts.c.exception_type).where(
            attempts.c.ticker_id == run.id, attempts.c.claim_no == run.claim_no
        )
    ).one_or_none()
    failure = outcome.failure
    # The type tells the body's own end from a rescue by the same node.
    return row is not None and tuple(row) == (
        node, outcome.attempt_status, failure and failure.type[:_LONGEST_TYPE],
    )  # fmt: skip


def end_waiting(
    tx: Transaction,
    ticker_id: UUID,
    *,
    claim_no: int,
    status: TickerStatus,
    reason: str,
    before: TickerStatus = TickerStatus.QUEUED,
) -> Written | None:
    """End a run that waits for its claim or its start, with what that means for its children and its turn.

    A claim that does not stand at ``before`` any more writes nothing, and gets None.
    """
    check_transition(before, status)
    cron_id = overlaps.cron_locked_by(tx, ticker_id)
    written = rowcount(
        tx,
        update(tickers)
        .where(
            tickers.c.id == ticker_id,
            tickers.c.claim_no == claim_no,
            tickers.c.status == before,
        )
        .values(_unstarted(tx.clock, status, reason)),
    )
    if written != 1:
        return None
    made_due = chains.follow(tx, [ticker_id], status)
    if cron_id is not None:
        made_due += overlaps.pass_lock(tx, cron_id)
    return Written(made_due=made_due)


def end_unstarted(tx: Transaction, ids: Sequence[UUID], *, status: TickerStatus, reason: str) -> None:
    """End runs that this transaction has locked, and that nobody has started; their children follow."""
    unstarted = [TickerStatus.IDLE, TickerStatus.QUEUED]
    for before in unstarted:
        check_transition(before, status)
    end = update(tickers).where(tickers.c.status.in_(unstarted)).values(_unstarted(tx.clock, status, reason))
    write_in_parts(tx, end, tickers.c.id, ids)
    chains.follow(tx, ids, status)


def _unstarted(clock: Clock, status: TickerStatus, reason: str) -> dict[str, object]:
    """Return the columns of a run that ends before it has started."""
    now = sql_now(clock)
    return {
        "status": status,
        "due_at": None,
        "held_for": None,
        "hold_key": None,
        "not_before": None,
        "check_at": None,
        "skipped_reason": reason,
        "active_key": None,
        "ended_at": now,
        "ended_status": status,
        "updated_at": now,
    }


def _storable_traceback(text: str) -> str:
    # The error itself stands at the end, and what was called first at the head.
    text = clean(text)
    half = _LONGEST_TRACEBACK // 2
    return text if len(text) <= _LONGEST_TRACEBACK else f"{text[: half - 1]}…{text[-half:]}"


def _progress(report: Pending | None) -> dict[str, object]:
    if report is None:
        return {}
    return {"progress": report.fraction, "progress_message": report.message}


def _columns(clock: Clock, outcome: Outcome) -> dict[str, object]:
    failure = outcome.failure
    columns: dict[str, object] = {
        "status": outcome.status,
        "retry_count": outcome.retry_count,
        "rescue_count": outcome.rescue_count,
        "running_on": None,
        "cancel_request": None,
        "alone_for": None,
        "exception_type": failure and failure.type[:_LONGEST_TYPE],
        "exception_message": failure and storable(failure.message, _LONGEST_MESSAGE),
        "skipped_reason": outcome.skipped_reason and storable(outcome.skipped_reason, _LONGEST_MESSAGE),
        "updated_at": sql_now(clock),
    }
    if outcome.wait is not None:
        columns["due_at"] = sql_after(clock, outcome.wait)
    else:
        columns |= {
            "ended_at": sql_now(clock),
            "ended_status": outcome.status,
            "active_key": None,
            "result": outcome.result,
        }
    return columns
