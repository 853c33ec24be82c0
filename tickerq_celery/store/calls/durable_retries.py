"""Retries of Celery tasks that are kept: the run of the retried execution waits, with their message."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select, update

from tickerq_celery.enums import CLAIMED, TickerKind, TickerStatus
from tickerq_celery.payload.codec import Packed
from tickerq_celery.store.calls import execution_ends, executions, revocations
from tickerq_celery.store.database.transaction import Transaction, rowcount
from tickerq_celery.store.runs.ends import attempt_key, end_waiting
from tickerq_celery.store.runs.starts import STARTED, started
from tickerq_celery.store.tables import attempts, tickers
from tickerq_celery.tickers.claims import Started, TaskExecution
from tickerq_celery.tickers.durable_calls import DurableCall
from tickerq_celery.tickers.lifecycle import Failure, Outcome, published_again

_REPLACED = (
    tickers.c.status,
    tickers.c.due_at,
    tickers.c.retry_count,
    tickers.c.request,
    tickers.c.encoding,
    tickers.c.queue,
    tickers.c.started_at,
    tickers.c.elapsed,
    tickers.c.running_on,
    tickers.c.alone_for,
    tickers.c.check_at,
    tickers.c.executions,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DurableRetry:
    """What a retry has put back: the run as its execution had it, and its columns for ``restore``.

    ``columns`` is None where the run was cancelled instead, for which its execution had been asked.
    """

    run: Started
    columns: Mapping[str, object] | None


def put_back(tx: Transaction, call: DurableCall, request: Packed, *, node: str) -> DurableRetry | None:
    """Let the run of the retried execution wait for its retry, with that message, and note its attempt.

    Return None, with nothing written, where there is none: its claim was given up, or it has ended; or a body
    has handed its headers on to another task. A run whose cancel was requested is Cancelled instead.
    """
    row = None if call.retry_of is None else _retried(tx, call.retry_of)
    if row is None:
        return None
    run = started(row)
    if row.status is TickerStatus.QUEUED:
        # Its start was not recorded: so this is when it is known to have begun.
        run = replace(run, executions=row.executions + 1, started_at=row.at)
    outcome = published_again(run.standing, executions.RETRIED)
    execution_ends.record(tx, run, outcome, node=row.lock_holder or node)
    if row.cancel_request is not None:
        end_waiting(
            tx, run.id, claim_no=run.claim_no, status=TickerStatus.CANCELLED, reason=None, before=row.status
        )
        # Told by the sweep, a minute later: Celery writes RETRY once this is committed.
        revocations.owe(tx, [run])
        return DurableRetry(run=run, columns=None)
    columns = {each.name: getattr(row, each.name) for each in _REPLACED}
    _write(tx, run, row.status, _waiting(tx, run, call, request))
    return DurableRetry(run=run, columns=columns)


def restore(tx: Transaction, kept: DurableRetry, call: DurableCall) -> Outcome | None:
    """Undo a retry that its caller has given up; return the end that the execution has reported, or None.

    A run whose execution has reported its end is InProgress for that to be written again. One that is not as
    the retry has left it stays: it was cancelled meanwhile, or is published.
    """
    run, columns = kept.run, kept.columns
    is_kept = (*_is(run.id, run.claim_no), tickers.c.status == TickerStatus.IDLE)
    is_kept = (*is_kept, tickers.c.retry_count == call.retries)
    if columns is None or tx.scalar(select(tickers.c.id).where(*is_kept).with_for_update()) is None:
        return None
    end = _take_attempt(tx, run)
    if end is not None:
        running = {"status": TickerStatus.IN_PROGRESS, "executions": run.executions, "check_at": None}
        columns = {**columns, **running}
    _write(tx, run, TickerStatus.IDLE, {**columns, "updated_at": tx.sql_now()})
    return end


def _retried(tx: Transaction, execution: TaskExecution) -> Any:
    """Lock the run of a retried execution; return it, with the time, or None."""
    return tx.execute(
        select(*dict.fromkeys((*STARTED, *_REPLACED, tickers.c.lock_holder)), tx.sql_now().label("at"))
        .where(
            *_is(execution.id, execution.claim_no),
            tickers.c.namespace == tx.namespace,
            tickers.c.kind == TickerKind.CELERY_TASK.value,
            # A body may have handed its headers on: whose they are is the task of that id and name.
            tickers.c.function == execution.task,
            func.coalesce(tickers.c.task_id, str(execution.id)) == execution.task_id,
            tickers.c.retry_count == execution.retries,
            tickers.c.status.in_(CLAIMED),
        )
        .with_for_update()
    ).one_or_none()


def _is(ticker_id: Any, claim_no: int) -> tuple[ColumnElement[bool], ...]:
    return (tickers.c.id == ticker_id, tickers.c.claim_no == claim_no)


def _waiting(tx: Transaction, run: Started, call: DurableCall, request: Packed) -> dict[str, object]:
    return {
        "status": TickerStatus.IDLE,
        "due_at": call.due,
        "retry_count": call.retries,
        "request": request.data,
        "encoding": request.encoding,
        "queue": call.queue,
        "executions": run.executions,
        # As of each call that no worker has reported anything of: its attempts say what was before.
        "started_at": None,
        "elapsed": None,
        "running_on": None,
        "alone_for": None,
        "check_at": None,
        "updated_at": tx.sql_now(),
    }


def _write(tx: Transaction, run: Started, before: TickerStatus, values: Mapping[str, object]) -> None:
    statement = update(tickers).where(*_is(run.id, run.claim_no), tickers.c.status == before).values(**values)
    if rowcount(tx, statement) != 1:
        raise AssertionError("a locked run is not as it was")


def _take_attempt(tx: Transaction, run: Started) -> Outcome | None:
    """Delete the attempt of an execution; return the end that it reported, or None if it has not."""
    is_it = [attempts.c[name] == value for name, value in attempt_key(run).items()]
    row: Any = tx.execute(select(attempts).where(*is_it)).one_or_none()
    tx.execute(delete(attempts).where(*is_it))
    if row is None:
        return None
    failure = Failure(type=row.exception_type, message=row.exception_message, traceback=row.traceback)
    if failure == executions.RETRIED:
        return None
    standing = run.standing
    return Outcome(
        status=row.status,
        attempt_status=row.status,
        retry_count=standing.retry_count,
        rescue_count=standing.rescue_count,
        failure=failure if row.exception_type else None,
    )
