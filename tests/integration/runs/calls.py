"""Calls of Celery tasks in a store, and what the workers that follow them report."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import update

from tests.inner import (
    Claim,
    Claimer,
    Core,
    Dispatcher,
    Outcome,
    Recorder,
    Started,
    TaskExecution,
    rejected,
    retried_by_celery,
    succeeded,
)
from tests.integration.making import ListPublisher, claim, failure, make_run
from tests.statements import publications
from tests.tables import tickers
from tickerq_celery.enums import TickerKind
from tickerq_celery.payload.celery_call import CeleryCall
from tickerq_celery.runs.executions import ExecutionRecorder


def make_call(core: Core, *, columns: dict[str, Any] | None = None, **fields: Any) -> UUID:
    """Store the call of a Celery task that is due now, unless ``fields`` say otherwise; return its id."""
    run_id = make_run(core, "shop.add", **fields)
    packed = core.codec.pack(CeleryCall(args=(2, 3)).encoded())
    call = {"kind": TickerKind.CELERY_TASK.value, "request": packed.data, "encoding": packed.encoding}
    alter_run(core, run_id, **call, **(columns or {}))
    return run_id


def alter_run(core: Core, run_id: UUID, **values: Any) -> None:
    """Change a run's row directly."""
    statement = update(tickers).where(tickers.c.id == run_id).values(**values)
    core.database.write(lambda connection: connection.execute(statement))


def dispatch(core: Core) -> ListPublisher:
    """Claim and publish what is due, as a beat does."""
    publisher = ListPublisher()
    Dispatcher(core, Claimer(core), publisher).dispatch(holder=core.node.name)
    return publisher


def published(core: Core, run_id: UUID) -> TaskExecution:
    """Claim, publish and stamp one due call; return the first execution of its message."""
    (claimed,) = claim(core, [run_id])
    stamp(core, claimed)
    return execution_of(claimed)


def execution_of(claimed: Claim, *, retries: int = 0) -> TaskExecution:
    """Return the execution of a claim's message, or of a retry of it."""
    return TaskExecution(
        id=claimed.id,
        claim_no=claimed.number,
        task=claimed.function,
        task_id=claimed.task_id or str(claimed.id),
        retries=retries,
    )


def message_of(run_id: UUID, *, claim_no: int = 1, task: str = "shop.add", retries: int = 0) -> TaskExecution:
    """Return what the message of a call's claim says, whose id is the run's."""
    return TaskExecution(id=run_id, claim_no=claim_no, task=task, task_id=str(run_id), retries=retries)


def stamp(core: Core, claimed: Claim) -> None:
    core.write(publications.stamp, [claimed], check_after=core.config.republish_after)


def retry_of(execution: TaskExecution) -> TaskExecution:
    """Return the execution of the message that Celery's retry sends."""
    return replace(execution, retries=execution.retries + 1)


def recorder(core: Core) -> ExecutionRecorder:
    return ExecutionRecorder(core, Recorder(core))


def begin(core: Core, execution: TaskExecution) -> Started | None:
    """Report that an execution began."""
    return recorder(core).start(execution)


def begun(core: Core, execution: TaskExecution) -> Started:
    """Report that an execution began, which the store takes."""
    run = begin(core, execution)
    assert run is not None
    return run


def end(core: Core, run: Started, outcome: Outcome | None = None) -> Outcome | None:
    """Report that an execution ended after 1.5 s: with success, unless ``outcome`` says otherwise."""
    wanted = succeeded(run.standing) if outcome is None else outcome
    return recorder(core).finish(run, wanted, elapsed=timedelta(seconds=1.5))


def fail(core: Core, run: Started) -> Outcome | None:
    """Report that an execution raised."""
    return end(core, run, rejected(run.standing, failure()))


def retry(core: Core, run: Started, **wait: float) -> Outcome | None:
    """Report that a task asked for its retry."""
    return end(core, run, retried_by_celery(run.standing, failure(), timedelta(**wait)))
