"""What a worker's main process does when a run in its hands is to be cancelled."""

import logging
import signal
from collections.abc import Callable, Collection
from typing import Any
from uuid import UUID

from celery.concurrency.prefork import TaskPool
from celery.worker.control import control_command
from celery.worker.request import Request

from tickerq_celery.bell import Bell
from tickerq_celery.enums import CancelRequest
from tickerq_celery.publisher import CANCEL_COMMAND, parsed_header
from tickerq_celery.store.claims import Started

logger = logging.getLogger(__name__)


class Heeding:
    """Lets those who execute runs know, and kills a child of the pool where that is asked for.

    The child is told by SIGTERM first, and killed if it is still there when it is asked for again.
    """

    def __init__(self, bell: Bell, pool: Any, requests: Callable[[], Collection[Request]]) -> None:
        self._bell = bell
        self._pool = pool
        self._requests = requests
        self._told: set[str] = set()

    def heed(self, ticker_id: UUID, claim_no: int, *, terminate: bool) -> bool:
        """Let a run end, if it is in this worker's hands; say whether it is."""
        key = f"{ticker_id}:{claim_no}"
        held = [request for request in self._requests() if request.id == key]
        if not held:
            return False
        self._bell.ring()
        if terminate:
            self._terminate(key, held)
        return True

    def heed_row(self, run: Started) -> None:
        """Do what a run's row asks for."""
        self.heed(run.id, run.claim_no, terminate=run.cancel_request is CancelRequest.TERMINATE)

    def listen(self) -> None:
        """Take the control command of this name in this process."""
        arguments = [("ticker_id", str), ("claim_no", int), ("terminate", bool)]
        control_command(name=CANCEL_COMMAND, args=arguments)(self._on_command)

    def _on_command(self, state: object, ticker_id: object, claim_no: object, terminate: bool = False) -> Any:
        """Cancel the run of this id and claim number, if this worker has it."""
        try:
            run_id, number = parsed_header([ticker_id, claim_no])
        except ValueError as error:
            return {"error": str(error)}
        return {"ok": self.heed(run_id, number, terminate=bool(terminate))}

    def _terminate(self, key: str, held: Collection[Request]) -> None:
        if not isinstance(self._pool, TaskPool):
            logger.warning("run %s is asked to end: only a prefork pool can be made to", key)
            return
        self._told &= {request.id for request in self._requests()}
        for request in held:
            if request.worker_pid is not None:
                # The pool looks whether the process is still its own.
                self._pool.terminate_job(
                    request.worker_pid, signal.SIGKILL if key in self._told else signal.SIGTERM
                )
                self._told.add(key)
