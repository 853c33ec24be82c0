"""Ends a run in its function's own transaction, so that effects and end commit together."""

import time
from collections.abc import Callable
from datetime import timedelta

from tickerq_celery.runs.recorder import Recorder
from tickerq_celery.store.database.sessions import Caller
from tickerq_celery.tickers.claims import Started
from tickerq_celery.tickers.lifecycle import Outcome, succeeded
from tickerq_celery.tickers.progress import Report
from tickerq_celery.tickers.sessions import SessionLike


class Completion:
    """The end that one attempt's function writes by itself, if it does."""

    def __init__(
        self,
        recorder: Recorder,
        run: Started,
        outcome_of: Callable[[object], Outcome],
        report: Report,
    ) -> None:
        self._report = report
        self._recorder = recorder
        self._run = run
        self._outcome_of = outcome_of
        self._begun = time.monotonic()
        self._callers: list[Caller] = []

    @property
    def elapsed(self) -> timedelta:
        """How long the attempt has taken so far."""
        return timedelta(seconds=time.monotonic() - self._begun)

    @property
    def was_asked_for(self) -> bool:
        """Whether the function has tried to end its run."""
        return bool(self._callers)

    def complete_in(self, session: SessionLike, *, result: object) -> None:
        """End the run as done, with a result, in a transaction that the function commits.

        Raises:
            ClaimSupersededError: Another attempt does this run's work.
            TickerStateError: The run has ended already.
        """
        caller = self._recorder.join(session, instead="session.run_sync(context.complete_in)")
        self._callers.append(caller)
        outcome = self._outcome_of(result)
        # Not marked as written: where the function rolls back, the ordinary end writes it.
        pending = self._report.pending()
        self._recorder.finish_in(caller, self._run, outcome, elapsed=self.elapsed, report=pending)

    async def settle(self) -> None:
        """Roll back what a coroutine left open, while its event loop still runs; see ``is_stored``."""
        for caller in self._callers:
            if caller.is_open():
                await caller.aabandon()

    def is_stored(self) -> bool:
        """Whether the function's own end of the run is committed; to be asked when the function has ended.

        A transaction that it left open is rolled back: nothing would commit it, and its locks block others.

        Raises:
            StoreError: The database could not be reached for a whole lease.
        """
        for caller in self._callers:
            if caller.is_open():
                caller.abandon()
        return self.was_asked_for and self._recorder.has_finished(self._run, succeeded(self._run.standing))
