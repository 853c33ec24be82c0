"""Record the executions of Celery tasks, as the workers that follow them report."""

from collections.abc import Callable, Collection
from datetime import timedelta
from uuid import UUID

from tickerq_celery.enums import TickerStatus
from tickerq_celery.errors import StoreError
from tickerq_celery.failpoints import CrashPoint, failpoint
from tickerq_celery.runs.immediate import dispatch_after
from tickerq_celery.runs.lease_retry import LeaseRetry
from tickerq_celery.runs.recorder import Recorder
from tickerq_celery.runtime.core import Core
from tickerq_celery.store.calls import executions
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.runs import chains, drops
from tickerq_celery.tickers.claims import Started, TaskExecution
from tickerq_celery.tickers.drop_reasons import DropReason
from tickerq_celery.tickers.effect import Effect
from tickerq_celery.tickers.lifecycle import Failure, Outcome


class ExecutionRecorder:
    """Writes what workers report of Celery tasks: what runs is Celery's decision, only records are fenced.

    ``dispatch`` is given the runs that a start made due, after its commit; the ends are ``recorder``'s.
    """

    def __init__(
        self, core: Core, recorder: Recorder, *, dispatch: Callable[[Collection[UUID]], None] | None = None
    ) -> None:
        self._core = core
        self._recorder = recorder
        self._dispatch = dispatch

    def start(self, execution: TaskExecution) -> Started | None:
        """Record that an execution began; return None where its claim is stale, which counts as a drop.

        A message that only carries the headers of another one is not the run's, and no drop.

        Raises:
            StoreError: The database is unreachable.
        """
        failpoint(CrashPoint.RECEIVED)
        effect = self._try_start(execution)
        if effect.result is not None:
            failpoint(CrashPoint.STARTED)
        return dispatch_after(effect, self._dispatch)

    def start_late(self, execution: TaskExecution, *, began: Callable[[], timedelta]) -> Started | None:
        """Record the beginning of an execution that has ended, trying for one lease; None where it is stale.

        ``began`` returns how long ago that was.

        Raises:
            StoreError: The database was unreachable for a whole lease.
        """
        retry = LeaseRetry(self._core, execution.id)
        while True:
            try:
                effect = self._core.write(self._start_late, execution, began())
                return dispatch_after(effect, self._dispatch)
            except StoreError as error:
                retry.wait_or_raise(error)

    def finish(self, run: Started, outcome: Outcome, *, elapsed: timedelta | None) -> Outcome | None:
        """Write how an execution ended, trying for one lease; None where its run goes on without it.

        Raises:
            StoreError: The database was unreachable for a whole lease.
        """
        return self._recorder.finish(run, outcome, elapsed=elapsed)

    def end_unstarted(
        self,
        execution: TaskExecution,
        status: TickerStatus,
        *,
        reason: str | None = None,
        failure: Failure | None = None,
    ) -> bool:
        """End a call whose message a worker has discarded; return True unless an execution has begun.

        Raises:
            StoreError: The database is unreachable.
        """
        effect = self._core.write(executions.end_unstarted, execution, status, reason=reason, failure=failure)
        return dispatch_after(effect, self._dispatch)

    def end_unreported(self, execution: TaskExecution, failure: Failure) -> bool:
        """End a call whose worker has its message, and can report nothing more; return True if it waited.

        Raises:
            StoreError: The database is unreachable.
        """
        effect = self._core.write(executions.end_unreported, execution, failure)
        return dispatch_after(effect, self._dispatch)

    def _try_start(self, execution: TaskExecution) -> Effect[Started | None]:
        core, node = self._core, self._core.node
        if core.database.returns_alone:
            run = core.write_alone(executions.start_queued, execution, node_id=node.id, node=node.name)
            if run is not None:
                return Effect(result=run)
        return core.write(self._start, execution)

    def _start(self, tx: Transaction, execution: TaskExecution) -> Effect[Started | None]:
        node = self._core.node
        run = executions.start(tx, execution, node_id=node.id, node=node.name)
        if run is None:
            self._count_drop(tx, execution)
        return _started(tx, run)

    def _start_late(
        self, tx: Transaction, execution: TaskExecution, ago: timedelta
    ) -> Effect[Started | None]:
        node = self._core.node
        run = executions.start_late(tx, execution, node_id=node.id, node=node.name, ago=ago)
        if run is None or executions.running(tx, execution) is None:
            # Of a claim that was given up meanwhile, only the attempt is known: the run is to begin anew.
            return Effect(result=run)
        return _started(tx, run)

    def _count_drop(self, tx: Transaction, execution: TaskExecution) -> None:
        if executions.is_of_another(tx, execution):
            return
        reason: DropReason = drops.reason_against(tx, execution.id, execution.claim_no)
        drops.count(tx, self._core.node.id, {reason: 1})


def _started(tx: Transaction, run: Started | None) -> Effect[Started | None]:
    if run is None or not run.has_children:
        return Effect(result=run)
    return Effect(result=run, due=chains.start_beside(tx, run.id))
