"""The end of an attempt, written in one transaction and only by the holder of its claim."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, insert, select, true, update

from tickerq_celery.enums import TickerStatus
from tickerq_celery.store import chains, logs, overlaps
from tickerq_celery.store.database.batches import write_in_parts
from tickerq_celery.store.database.transaction import Transaction, rowcount
from tickerq_celery.store.starts import is_running
from tickerq_celery.store.tables import attempts, tickers
from tickerq_celery.tickers.claims import Started
from tickerq_celery.tickers.effect import Effect
from tickerq_celery.tickers.lifecycle import Failure, Outcome, check_transition
from tickerq_celery.tickers.progress import Pending
from tickerq_celery.tickers.terminal import terminal
from tickerq_celery.validation import clean, storable

_LONGEST_TYPE = 300
_LONGEST_MESSAGE = 16 * 1024
_LONGEST_TRACEBACK = 256 * 1024


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
    is_wanted = tickers.c.cancel_request.is_(None) if outcome.gives_way else true()
    written = tx.execute(
        update(tickers)
        .where(is_running(run.id, run.claim_no), is_wanted)
        .values(**columns(tx, outcome), **_progress(report), elapsed=elapsed)
    )
    if written.rowcount != 1:
        return Effect(result=False)
    tx.execute(insert(attempts).values(attempt_row(tx, run, outcome, node=node)))
    if report is not None:
        logs.append(tx, run, report)
    if outcome.goes_on or not run.has_children:
        return Effect(result=True)
    return Effect(result=True, due=chains.follow(tx, [run.id], outcome.status))


def attempt_row(tx: Transaction, run: Started, outcome: Outcome, *, node: str | None) -> dict[str, object]:
    """Return the row of the attempt that ends now."""
    failure = outcome.failure
    return {
        **attempt_key(run),
        "status": outcome.attempt_status,
        "started_at": run.started_at,
        "ended_at": tx.sql_now(),
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
        .values(terminal(status, tx.sql_now(), reason).columns() | shown),
    )
    if written != 1:
        return Effect(result=False)
    due = chains.follow(tx, [ticker_id], status)
    if cron_id is not None:
        due += overlaps.pass_lock(tx, cron_id)
    return Effect(result=True, due=due)


def end_unstarted(tx: Transaction, ids: Sequence[UUID], *, status: TickerStatus, reason: str) -> None:
    """End runs that this transaction has locked and that are not started; decide on their children."""
    unstarted = [TickerStatus.IDLE, TickerStatus.QUEUED]
    for before in unstarted:
        check_transition(before, status)
    end = terminal(status, tx.sql_now(), reason).columns()
    statement = update(tickers).where(tickers.c.status.in_(unstarted)).values(end)
    write_in_parts(tx, statement, tickers.c.id, ids)
    chains.follow(tx, ids, status)


def _storable_traceback(text: str) -> str:
    # The error itself stands at the end, and what was called first at the head.
    text = clean(text)
    half = _LONGEST_TRACEBACK // 2
    return text if len(text) <= _LONGEST_TRACEBACK else f"{text[: half - 1]}…{text[-half:]}"


def _progress(report: Pending | None) -> dict[str, object]:
    if report is None:
        return {}
    return {"progress": report.fraction, "progress_message": report.message}


def columns(tx: Transaction, outcome: Outcome) -> dict[str, object]:
    """Return the columns that an attempt's end sets where its run ends or is due again."""
    reason = outcome.skipped_reason and storable(outcome.skipped_reason, _LONGEST_MESSAGE)
    kept = kept_columns(outcome)
    if outcome.wait is None:
        return kept | terminal(outcome.status, tx.sql_now(), reason).columns() | {"result": outcome.result}
    return kept | {
        "status": outcome.status,
        "due_at": tx.sql_after(outcome.wait),
        "running_on": None,
        "cancel_request": None,
        "alone_for": None,
        "skipped_reason": reason,
        "updated_at": tx.sql_now(),
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
