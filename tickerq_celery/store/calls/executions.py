"""Executions of Celery tasks as workers report them: each write guarded by the claim and the execution.

What runs is Celery's decision: only records are fenced, never the body.
"""

from dataclasses import replace
from datetime import timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, bindparam, false, func, not_, select, update
from sqlalchemy.sql.dml import ReturningUpdate

from tickerq_celery.clock import Clock
from tickerq_celery.enums import SUCCEEDED, TickerKind, TickerStatus
from tickerq_celery.store.calls import execution_ends
from tickerq_celery.store.database.bound import bound, parameters
from tickerq_celery.store.database.transaction import Transaction, rowcount
from tickerq_celery.store.runs.ends import end_waiting, failure_columns
from tickerq_celery.store.runs.publications import end_as_published
from tickerq_celery.store.runs.starts import STARTED, started
from tickerq_celery.store.tables import attempts, tickers
from tickerq_celery.store.tables.column_types import sql_now
from tickerq_celery.tickers.claims import Started, TaskExecution
from tickerq_celery.tickers.effect import Effect
from tickerq_celery.tickers.lifecycle import (
    LOST,
    Failure,
    check_transition,
    published_again,
    takes_execution,
)
from tickerq_celery.tickers.terminal import terminal

# By how much the database's clock may differ from a duration that a worker measures.
_SLACK = timedelta(seconds=1)
DELIVERED_AGAIN = Failure(type=LOST, message="worker lost: its message was delivered again")
# Of an execution whose retry is kept, until it reports its own end, if it does.
RETRIED = Failure(type=LOST, message="worker lost: its retry was kept, and its end is not reported")


def start(
    tx: Transaction, execution: TaskExecution, *, node_id: UUID, node: str, ago: timedelta = timedelta(0)
) -> Started | None:
    """Record that an execution began, ``ago`` before now; return None where it is stale or another's.

    An earlier execution of the same message that has not ended is recorded as lost; one before Celery's retry
    records its own end.
    """
    row = _lock(tx, execution)
    if row is None or not takes_execution(row.status, retry_count=row.retry_count, retries=execution.retries):
        return None
    before = started(row)
    check_transition(row.status, TickerStatus.IN_PROGRESS, of_a_call=True)
    if row.status is TickerStatus.IN_PROGRESS and row.retry_count == execution.retries:
        outcome = published_again(before.standing, DELIVERED_AGAIN)
        execution_ends.record(tx, before, outcome, node=row.lock_holder)
    mine = _as_execution(before, execution, number=before.executions, started_at=row.at - ago)
    written = rowcount(
        tx,
        update(tickers)
        .where(*_of(execution), tickers.c.status == row.status, tickers.c.executions == before.executions)
        .values(
            _begun(at=row.at, started_at=mine.started_at, node_id=node_id, node=node)
            | {"executions": mine.executions, "retry_count": execution.retries}
        ),
    )
    return mine if written == 1 else None


def start_queued(tx: Transaction, execution: TaskExecution, *, node_id: UUID, node: str) -> Started | None:
    """Do the same for a call that is Queued and has no children, by one statement; else return None.

    For a database whose UPDATE returns rows.
    """
    values = {"id": execution.id, "claim_no": execution.claim_no, "function": execution.task}
    values |= {"namespace": tx.namespace, "retry_count": execution.retries, "task_id": execution.task_id}
    row = tx.execute(
        _start_queued(tx.clock),
        parameters({**values, "running_on": node_id, "lock_holder": node}) | {"own_id": str(execution.id)},
    ).one_or_none()
    return None if row is None else started(row)


def start_late(
    tx: Transaction, execution: TaskExecution, *, node_id: UUID, node: str, ago: timedelta
) -> Started | None:
    """Record the beginning of an execution that has ended already; return None where its claim is stale.

    One whose recorded start was not answered is that one. Where a later retry has begun or is kept, or the
    claim was given up, the run stays as it is: what is returned names the attempt only.
    """
    unanswered = _unanswered(tx, execution, node_id=node_id, ago=ago)
    if unanswered is not None:
        return unanswered
    run = start(tx, execution, node_id=node_id, node=node, ago=ago)
    if run is not None:
        return run
    row = _lock(tx, execution)
    if row is None:
        return None
    begun_at = row.at - ago
    if row.status is TickerStatus.IN_PROGRESS:
        # The number of the retry that runs, which has another key: the fence of its end stays.
        return _as_execution(started(row), execution, number=row.executions - 1, started_at=begun_at)
    number = _retried_number(tx, execution)
    if number is None:
        number = row.executions
        tx.execute(update(tickers).where(*_of(execution)).values(executions=row.executions + 1))
    return _as_execution(started(row), execution, number=number, started_at=begun_at)


def running(tx: Transaction, execution: TaskExecution) -> Started | None:
    """Return the run if it is InProgress by an execution of this message, or None."""
    is_it = (*_of(execution), tickers.c.retry_count == execution.retries)
    row = tx.execute(
        select(*STARTED).where(*is_it, tickers.c.status == TickerStatus.IN_PROGRESS)
    ).one_or_none()
    return None if row is None else started(row)


def is_of_another(tx: Transaction, execution: TaskExecution) -> bool:
    """Return True if a message has the headers of a claim that is not its own."""
    claimed = (tickers.c.id == execution.id, tickers.c.claim_no == execution.claim_no)
    return tx.scalar(select(tickers.c.id).where(*claimed, not_(and_(*_of(execution))))) is not None


def _retried_number(tx: Transaction, execution: TaskExecution) -> int | None:
    """Return the number of the attempt that the kept retry of an execution has noted, or None."""
    number: int | None = tx.scalar(
        select(func.max(attempts.c.number)).where(
            attempts.c.ticker_id == execution.id,
            attempts.c.claim_no == execution.claim_no,
            attempts.c.retries == execution.retries,
            attempts.c.exception_type == RETRIED.type,
            attempts.c.exception_message == RETRIED.message,
        )
    )
    return number


def _unanswered(
    tx: Transaction, execution: TaskExecution, *, node_id: UUID, ago: timedelta
) -> Started | None:
    row = _lock(tx, execution)
    if row is None or row.status is not TickerStatus.IN_PROGRESS or row.retry_count != execution.retries:
        return None
    is_ours = row.running_on == node_id and row.started_at >= row.at - ago - _SLACK
    return started(row) if is_ours else None


def end_unstarted(
    tx: Transaction,
    execution: TaskExecution,
    status: TickerStatus,
    *,
    reason: str | None = None,
    failure: Failure | None = None,
) -> Effect[bool]:
    """End a published call whose message a worker has discarded, also where it was Done by its publication.

    Return False, with nothing written, where the claim is stale, or an execution has begun.
    """
    row = _lock(tx, execution)
    if row is None or row.retry_count > execution.retries:
        return Effect(result=False)
    if row.status is TickerStatus.QUEUED:
        return end_waiting(
            tx, execution.id, claim_no=execution.claim_no, status=status, reason=reason, failure=failure
        )
    if row.status not in SUCCEEDED or row.started_at is not None:
        return Effect(result=False)
    check_transition(row.status, status, of_a_call=True)
    end = terminal(status, row.at, reason).columns() | failure_columns(failure)
    statement = update(tickers).where(*_of(execution), tickers.c.status == row.status).values(end)
    return Effect(result=rowcount(tx, statement) == 1)


def end_unreported(tx: Transaction, execution: TaskExecution, failure: Failure) -> Effect[bool]:
    """End a published call of which no worker can report anything: as Done by its publication.

    With children, which wait for a report, it fails. Return False where the claim is stale or has ended.
    """
    row = _lock(tx, execution)
    if row is None or row.status is not TickerStatus.QUEUED:
        return Effect(result=False)
    if row.has_children:
        status = TickerStatus.FAILED
        return end_waiting(
            tx, execution.id, claim_no=execution.claim_no, status=status, reason=None, failure=failure
        )
    # Its message may be here before beat has stamped it.
    stamp = {"published_at": func.coalesce(tickers.c.published_at, tx.sql_now())}
    return Effect(result=end_as_published(tx, execution.id, execution.claim_no, **stamp))


# Of a run that an execution begins anew, maybe after its end.
_REOPENED: dict[str, object] = dict.fromkeys(
    (
        "check_at",
        "ended_at",
        "ended_status",
        "ended_on",
        "skipped_reason",
        "result",
        "elapsed",
        "progress",
        "progress_message",
    )
)


# A process has one clock.
@lru_cache(maxsize=8)
def _start_queued(clock: Clock) -> ReturningUpdate[Any]:
    now = sql_now(clock)
    node = {"node_id": bound(tickers.c.running_on), "node": bound(tickers.c.lock_holder)}
    return (
        update(tickers)
        .where(
            *_has(
                run_id=bound(tickers.c.id),
                claim_no=bound(tickers.c.claim_no),
                task=bound(tickers.c.function),
                own_id=bindparam("own_id"),
                task_id=bound(tickers.c.task_id),
            ),
            tickers.c.namespace == bound(tickers.c.namespace),
            tickers.c.kind == TickerKind.CELERY_TASK.value,
            tickers.c.status == TickerStatus.QUEUED,
            tickers.c.retry_count == bound(tickers.c.retry_count),
            tickers.c.has_children.is_(false()),
        )
        .values(_begun(at=now, started_at=now, **node) | {"executions": tickers.c.executions + 1})
        .returning(*STARTED)
    )


def _of(execution: TaskExecution) -> tuple[ColumnElement[bool], ...]:
    return _has(
        run_id=execution.id,
        claim_no=execution.claim_no,
        task=execution.task,
        own_id=str(execution.id),
        task_id=execution.task_id,
    )


def _has(
    *, run_id: Any, claim_no: Any, task: Any, own_id: Any, task_id: Any
) -> tuple[ColumnElement[bool], ...]:
    # Whose headers a message has, it need not be: a body may hand its own on to whatever it calls.
    return (
        tickers.c.id == run_id,
        tickers.c.claim_no == claim_no,
        tickers.c.function == task,
        func.coalesce(tickers.c.task_id, own_id) == task_id,
    )


def _begun(*, at: Any, started_at: Any, node_id: Any, node: Any) -> dict[str, Any]:
    """Return what a start writes beside the number of the execution."""
    return {
        **_REOPENED,
        "status": TickerStatus.IN_PROGRESS,
        "running_on": node_id,
        "lock_holder": node,
        "locked_at": at,
        "started_at": started_at,
        "published_at": func.coalesce(tickers.c.published_at, at),
        "updated_at": at,
    }


def _lock(tx: Transaction, execution: TaskExecution) -> Any:
    """Lock the run of an execution; return it, with the time, or None if it has another claim."""
    # Not past a lock: a worker is often faster than the note that its message was published.
    return tx.execute(
        select(
            *STARTED, tickers.c.status, tickers.c.running_on, tickers.c.lock_holder, tx.sql_now().label("at")
        )
        .where(
            *_of(execution),
            tickers.c.namespace == tx.namespace,
            tickers.c.kind == TickerKind.CELERY_TASK.value,
        )
        .with_for_update()
    ).one_or_none()


def _as_execution(run: Started, execution: TaskExecution, *, number: int, started_at: Any) -> Started:
    standing = replace(run.standing, retry_count=execution.retries)
    return replace(run, executions=number + 1, started_at=started_at, standing=standing)
