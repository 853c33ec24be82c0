"""Cancellation in a worker: the flag that forks share, the control command, what an attempt asks."""

import logging
import mmap
import signal
import threading
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Any
from uuid import UUID

from celery.concurrency.prefork import TaskPool
from celery.worker.control import control_command
from celery.worker.request import Request

from tickerq_celery.broker.messages import CANCEL_COMMAND, parsed_header
from tickerq_celery.enums import CancelRequest, TickerStatus
from tickerq_celery.errors import ClaimSupersededError, StoreError, TerminateExecution
from tickerq_celery.runtime.core import Core
from tickerq_celery.store import cancels
from tickerq_celery.store.attempts import running
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.tickers.claims import Started

logger = logging.getLogger(__name__)
_BYTES = 8
ALREADY_RUNNING = "Another CronOccurrence is already running!"


class Bell:
    """A counter in memory that forks share: one process rings, and those forked from it see that it rang."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, _BYTES)
        self._mutex = threading.Lock()

    @property
    def rings(self) -> int:
        """How often it has rung."""
        return int.from_bytes(self._memory[:_BYTES], "little")

    def ring(self) -> None:
        """Let everybody see that there is news; for the main process only."""
        with self._mutex:
            self._memory[:_BYTES] = (self.rings + 1).to_bytes(_BYTES, "little")


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


class RunControl:
    """The control of one attempt. It looks into the store only when the worker's bell has rung since.

    ``heard`` is how often that had rung before the attempt started.
    """

    def __init__(self, core: Core, run: Started, bell: Bell, *, heard: int) -> None:
        self._core = core
        self._run = run
        self._bell = bell
        self._heard = heard
        self._is_requested = False

    @property
    def has_news(self) -> bool:
        """Whether it is worth asking whether to end: a look at memory."""
        return self._is_requested or self._bell.rings != self._heard

    def is_requested(self) -> bool:
        """Whether somebody wants the run cancelled; while the store is away the answer is no."""
        if self._is_requested or not self.has_news:
            return self._is_requested
        rings = self._bell.rings
        # The bell rings again with each heartbeat: who could not read will.
        with suppress(StoreError):
            self._is_requested = self._core.read(self._read)
            self._heard = rings
        return self._is_requested

    def request(self) -> None:
        """Ask for the run to be cancelled, so that it is not retried whatever its function raises.

        Raises:
            StoreError: The database is away.
        """
        core, run = self._core, self._run
        core.write(cancels.request, run, CancelRequest.END)
        self._is_requested = True

    def ensure_owned(self) -> None:
        """Go on only if this claim is the run's last and under way.

        Raises:
            ClaimSupersededError: It is not.
            StoreError: The database is away.
        """
        run = self._run
        if self._core.read(running, run.id, run.claim_no) is None:
            raise ClaimSupersededError(run.id, run.claim_no)

    def skip_if_already_running(self) -> None:
        """Go on only if no other occurrence of the same cron ticker runs, in any worker.

        Raises:
            TerminateExecution: Another one runs; this one ends as Skipped.
            StoreError: The database is away.
        """
        run = self._run
        if run.cron_ticker_id is None:
            return
        if not self._core.write(cancels.take_alone, run):
            raise TerminateExecution(ALREADY_RUNNING, TickerStatus.SKIPPED)

    def _read(self, tx: Transaction) -> bool:
        return cancels.is_requested(tx, self._run)
