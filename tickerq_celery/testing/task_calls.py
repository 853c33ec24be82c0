"""Executes calls of Celery tasks in this process, and keeps the retries they ask for until those are due."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from celery import Celery, Task, signals
from celery.canvas import Signature
from celery.exceptions import Retry
from celery.result import EagerResult

from tickerq_celery.broker.messages import CALL_HEADER, call_id, execution_in, header_for
from tickerq_celery.broker.plain_json import revived_call
from tickerq_celery.payload.celery_call import CeleryCall
from tickerq_celery.runs.executions import ExecutionRecorder
from tickerq_celery.runtime.core import Core
from tickerq_celery.store.runs import publications
from tickerq_celery.tickers.claims import Claim, Started, TaskExecution
from tickerq_celery.tickers.lifecycle import Outcome, rejected
from tickerq_celery.worker.execution_outcome import outcome_of_execution
from tickerq_celery.worker.verdict import failure_of

if TYPE_CHECKING:
    _Result = EagerResult[Any]
else:
    _Result = EagerResult  # no generic class in Celery 5.6


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskMessage:
    """What a worker would get: the next execution of a task, and when that is due."""

    execution: TaskExecution
    due: datetime
    apply: Callable[[], _Result]


@dataclass(slots=True)
class _Asked:
    """The retry that a body has asked for, if it has."""

    retry: Signature[Any] | None = field(default=None)


class TaskCalls:
    """The tasks of an app, each executed once for each message, and followed like by a worker."""

    def __init__(self, app: Celery, core: Core, executions: Callable[[], ExecutionRecorder]) -> None:
        self._app = app
        self._core = core
        self._executions = executions
        self._later: list[TaskMessage] = []

    @property
    def next_due(self) -> datetime | None:
        """When the next retry is due, or None where none is asked for."""
        return min((each.due for each in self._later), default=None)

    def pop_due(self) -> TaskMessage | None:
        """Return the retry that is due first, once; None where none is due."""
        now = self._core.clock.now()
        due = min((each for each in self._later if each.due <= now), key=lambda each: each.due, default=None)
        if due is not None:
            self._later.remove(due)
        return due

    def message_of(self, claim: Claim) -> TaskMessage | None:
        """Return the message of a published call; None for a task that only other processes have.

        That one is published and no more, as where no worker follows it.
        """
        task: Task[..., Any] | None = self._app.tasks.get(claim.function)
        if task is None:
            if not claim.has_children:
                self._core.write(lambda tx: publications.end_as_published(tx, claim.id, claim.number))
            return None
        if claim.call is None:
            raise AssertionError("a function's run has no call")
        stored = CeleryCall.decoded(self._core.codec.unpack(claim.call) or b"")
        call = revived_call(stored)
        headers: Mapping[str, Any] = call.options.get("headers") or {}
        options: dict[str, Any] = {
            **call.options,
            "task_id": call_id(claim),
            "headers": {**headers, CALL_HEADER: header_for(claim.id, claim.number)},
        }
        retries = 0 if stored.message is None else int(stored.message.headers.get("retries") or 0)
        return TaskMessage(
            execution=TaskExecution(
                id=claim.id,
                claim_no=claim.number,
                task=claim.function,
                task_id=options["task_id"],
                retries=retries,
            ),
            due=self._core.clock.now(),
            apply=lambda: task.apply(call.args, call.kwargs, throw=False, retries=retries, **options),
        )

    def execute(self, message: TaskMessage) -> None:
        """Run a task's body once, and record its beginning and its end."""
        run = self._executions().start(message.execution)
        with _keeping_retry_of(message.execution) as asked:
            try:
                ended = message.apply()
            except BaseException as error:
                # What is to end the test ends the attempt, too.
                failure = failure_of(error)
                self._finish(run, lambda run: rejected(run.standing, failure))
                raise
        wait = self._finish(run, lambda run: self._outcome(run, ended))
        if asked.retry is not None:
            self._later.append(self._retry_of(message.execution, asked.retry, wait))

    def _outcome(self, run: Started, ended: _Result) -> Outcome:
        core = self._core
        limit = core.config.payload_limit
        return outcome_of_execution(run, ended.state, ended.result, now=core.clock.now(), payload_limit=limit)

    def _finish(self, run: Started | None, outcome_of: Callable[[Started], Outcome]) -> timedelta:
        """Record an end, unless its start was refused; return the wait before what follows it."""
        if run is None:
            return timedelta(0)
        outcome = outcome_of(run).redacted(self._core.redact)
        self._executions().finish(run, outcome, elapsed=None)
        return outcome.wait or timedelta(0)

    def _retry_of(self, execution: TaskExecution, retry: Signature[Any], wait: timedelta) -> TaskMessage:
        retries = execution.retries + 1
        return TaskMessage(
            execution=replace(execution, retries=retries),
            due=self._core.clock.now() + wait,
            apply=lambda: retry.apply(retries=retries, throw=False),
        )


@contextmanager
def _keeping_retry_of(execution: TaskExecution) -> Iterator[_Asked]:
    """Keep the retry that this execution asks for: Celery itself would run it at once."""
    asked = _Asked()

    def take(task: Any = None, retval: Any = None, **_: Any) -> None:
        request = task.request
        headers = {**(request.headers or {}), "task": task.name, "id": request.id}
        is_it = execution_in(headers, request.retries) == execution
        if is_it and isinstance(retval, Retry):
            asking: Any = retval
            asked.retry, asking.sig = asking.sig, None

    signals.task_postrun.connect(take, weak=False)
    try:
        yield asked
    finally:
        signals.task_postrun.disconnect(take)
