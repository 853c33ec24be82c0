"""Cancel runs in a worker: the control command, and what it does to the children of the pool."""

import logging
import signal
from collections.abc import Callable, Collection
from typing import Any
from uuid import UUID

from celery.concurrency.prefork import TaskPool
from celery.worker import state
from celery.worker.control import control_command
from celery.worker.request import Request

from tickerq_celery.broker.messages import CANCEL_COMMAND, parsed_header, task_id
from tickerq_celery.tickers.claims import CancelRequest, Started
from tickerq_celery.worker.cancel_flag import CancelFlag
from tickerq_celery.worker.followed_requests import execution_of

logger = logging.getLogger(__name__)


class CancelCommand:
    """Sets the flag for those who execute runs, and kills a child of the pool where that is asked for.

    The child gets SIGTERM first, and SIGKILL if it is still there when it is asked for again.
    """

    def __init__(self, flag: CancelFlag, pool: Any, requests: Callable[[], Collection[Request]]) -> None:
        self._flag = flag
        self._pool = pool
        self._requests = requests
        self._terminated: set[str] = set()

    def cancel(self, ticker_id: UUID, claim_no: int, *, terminate: bool) -> bool:
        """Let a run end, and return True if this worker has it."""
        key = task_id(ticker_id, claim_no)
        held = [request for request in self._requests() if request.id == key]
        if not held:
            return False
        self._flag.set()
        if terminate:
            self._terminate(key, held)
        return True

    def cancel_as_stored(self, run: Started) -> None:
        """Do what a run's row asks for, also where this worker has missed the broadcast of it."""
        is_terminated = run.cancel_request is CancelRequest.TERMINATE
        if not run.is_call:
            self.cancel(run.id, run.claim_no, terminate=is_terminated)
        elif is_terminated:
            self._revoke(run)

    def register(self) -> None:
        """Make the control command known to this worker."""
        arguments = [("ticker_id", str), ("claim_no", int), ("terminate", bool)]
        control_command(name=CANCEL_COMMAND, args=arguments)(self._on_command)

    def _on_command(
        self, _state: object, ticker_id: object, claim_no: object, terminate: bool = False
    ) -> Any:
        """Cancel the run of this id and claim number, if this worker has it."""
        try:
            run_id, number = parsed_header([ticker_id, claim_no])
        except ValueError as error:
            return {"error": str(error)}
        return {"ok": self.cancel(run_id, number, terminate=bool(terminate))}

    def _revoke(self, run: Started) -> None:
        """Do what Celery's own command does with the message of a call: a task's body cannot be asked."""
        held = [each for each in self._requests() if _executes(each, run)]
        if held:
            state.revoked.update(request.id for request in held)
            self._terminate(held[0].id, held)

    def _terminate(self, key: str, held: Collection[Request]) -> None:
        if not isinstance(self._pool, TaskPool):
            logger.warning("run %s is asked to end: only a prefork pool can be made to", key)
            return
        self._terminated &= {request.id for request in self._requests()}
        for request in held:
            if request.worker_pid is not None:
                number = signal.SIGKILL if key in self._terminated else signal.SIGTERM
                # The pool looks whether the process is still its own.
                self._pool.terminate_job(request.worker_pid, number)
                self._terminated.add(key)


def _executes(request: Request, run: Started) -> bool:
    """Whether a request is the message of a call's claim, and not another one that was handed its headers."""
    call = execution_of(request)
    if call is None or (call.id, call.claim_no) != (run.id, run.claim_no):
        return False
    return (call.task, call.task_id) == (run.function, run.task_id or str(run.id))
