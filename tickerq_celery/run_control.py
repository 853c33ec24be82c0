"""What an executing attempt can ask of its own run: whether to end, and whether it may run at all."""

from contextlib import suppress

from sqlalchemy import Connection

from tickerq_celery.bell import Bell
from tickerq_celery.core import Core
from tickerq_celery.enums import CancelRequest, TickerStatus
from tickerq_celery.errors import ClaimSupersededError, StoreError, TerminateExecution
from tickerq_celery.store import cancels
from tickerq_celery.store.claims import Started, running

ALREADY_RUNNING = "Another CronOccurrence is already running!"


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
            self._is_requested = self._core.database.read(self._read)
            self._heard = rings
        return self._is_requested

    def request(self) -> None:
        """Ask for the run to be cancelled, so that it is not retried whatever its function raises.

        Raises:
            StoreError: The database is away.
        """
        core, run = self._core, self._run
        core.database.write(
            lambda connection: cancels.request(connection, core.clock, run, CancelRequest.END)
        )
        self._is_requested = True

    def ensure_owned(self) -> None:
        """Go on only if this claim is the run's last and under way.

        Raises:
            ClaimSupersededError: It is not.
            StoreError: The database is away.
        """
        run = self._run
        if self._core.database.read(lambda connection: running(connection, run.id, run.claim_no)) is None:
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
        if not self._core.database.write(lambda connection: cancels.take_alone(connection, run)):
            raise TerminateExecution(ALREADY_RUNNING, TickerStatus.SKIPPED)

    def _read(self, connection: Connection) -> bool:
        return cancels.is_requested(connection, self._run)
