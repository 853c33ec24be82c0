"""What an executing attempt asks the store about its own run: whether to end, and whether it may run."""

from contextlib import suppress

from tickerq_celery.enums import TickerStatus
from tickerq_celery.errors import ClaimSupersededError, StoreError, TerminateExecution
from tickerq_celery.runtime.core import Core
from tickerq_celery.store.cron import occurrences
from tickerq_celery.store.runs import end_requests, starts
from tickerq_celery.tickers.claims import CancelRequest, Started
from tickerq_celery.worker.cancel_flag import CancelFlag

ALREADY_RUNNING = "Another CronOccurrence is already running!"


class RunControl:
    """The control of one attempt. It reads the store only when the worker's cancel flag was set since.

    ``seen`` is the flag's count before the attempt started.
    """

    def __init__(self, core: Core, run: Started, flag: CancelFlag, *, seen: int) -> None:
        self._core = core
        self._run = run
        self._flag = flag
        self._seen = seen
        self._is_requested = False

    @property
    def may_be_requested(self) -> bool:
        """Whether ``is_requested`` would read the store, or knows; a look at memory."""
        return self._is_requested or self._flag.count != self._seen

    def is_requested(self) -> bool:
        """Return True if the run is to be cancelled; False also while the store cannot be reached."""
        if self._is_requested or not self.may_be_requested:
            return self._is_requested
        count = self._flag.count
        # The flag is set again with each heartbeat, so a reading that failed is repeated.
        with suppress(StoreError):
            self._is_requested = self._core.read(end_requests.is_requested, self._run)
            self._seen = count
        return self._is_requested

    def request(self) -> None:
        """Ask for the run to be cancelled, so that it is not retried whatever its function raises.

        Raises:
            StoreError: The database cannot be reached.
        """
        self._core.write(end_requests.request, self._run, CancelRequest.END)
        self._is_requested = True

    def ensure_owned(self) -> None:
        """Go on only if this claim is the run's last and in progress.

        Raises:
            ClaimSupersededError: It is not.
            StoreError: The database cannot be reached.
        """
        run = self._run
        if self._core.read(starts.running, run.id, run.claim_no) is None:
            raise ClaimSupersededError(run.id, run.claim_no)

    def skip_if_already_running(self) -> None:
        """Go on only if no other occurrence of the same cron ticker runs, in any worker.

        Raises:
            TerminateExecution: Another one runs; this one ends as Skipped.
            StoreError: The database cannot be reached.
        """
        run = self._run
        if run.cron_ticker_id is not None and not self._core.write(occurrences.take_alone, run):
            raise TerminateExecution(ALREADY_RUNNING, TickerStatus.SKIPPED)
