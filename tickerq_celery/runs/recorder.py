"""Record what a worker does with its claims: start, finish, rescue."""

import logging
import os
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import TypeVar
from uuid import UUID

from tickerq_celery.enums import DropReason, TickerStatus
from tickerq_celery.errors import ClaimSupersededError, StoreError, TickerStateError
from tickerq_celery.failpoints import Place, failpoint
from tickerq_celery.runs.ending import Attempt, Ended, Ending
from tickerq_celery.runtime.backoff import Backoff
from tickerq_celery.runtime.core import Core
from tickerq_celery.store import attempts, chains, drops, ends
from tickerq_celery.store.database.sessions import Caller, Callers, when_committed
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.tickers.claims import Started
from tickerq_celery.tickers.lifecycle import Outcome, lost
from tickerq_celery.tickers.progress import Pending

logger = logging.getLogger(__name__)
T = TypeVar("T")
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0


def patiently(core: Core, run: Started, ask: Callable[[], T]) -> T:
    """Return what ``ask`` returns about a run whose body has ended, trying for one lease.

    Raises:
        StoreError: The database stayed away for a whole lease.
    """
    deadline = core.clock.monotonic() + core.config.lease.total_seconds()
    backoff = Backoff(_SHORTEST_PAUSE, _LONGEST_PAUSE)
    while True:
        try:
            return ask()
        except StoreError as error:
            if core.clock.monotonic() >= deadline:
                raise
            logger.warning(
                "run %s has ended, the store is away, trying again: %s", run.id, error,
                extra={"ticker_id": str(run.id)},
            )  # fmt: skip
            time.sleep(backoff.next())


class Recorder:
    """Writes the life of claimed runs, each write fenced by its claim number.

    ``dispatch`` is given the runs that a start or an end made due, after its commit; where there is none,
    beat finds them within one poll.
    """

    def __init__(self, core: Core, *, dispatch: Callable[[Collection[UUID]], None] | None = None) -> None:
        self._core = core
        self._dispatch_now = dispatch
        self._callers = Callers(core.database)
        self._ending = Ending(core)

    @property
    def is_in_main_process(self) -> bool:
        """Whether this process is the node itself, and no child of its pool."""
        return os.getpid() == self._core.node.pid

    def start(self, ticker_id: UUID, claim_no: int) -> Started | None:
        """Let this worker execute a claim, or return None where it may not.

        Raises:
            StoreError: The database is away; the run stays Queued, and its message comes again.
        """
        failpoint(Place.RECEIVED)
        begun = self._core.write(self._start, ticker_id, claim_no)
        if begun is None:
            return None
        failpoint(Place.STARTED)
        self._dispatch(begun.made_due)
        return begun.run

    def reason_against(self, ticker_id: UUID, claim_no: int) -> DropReason:
        """Return why ``start`` refused a claim.

        Raises:
            StoreError: The database is away.
        """
        return self._core.read(drops.reason_against, ticker_id, claim_no)

    def finish(
        self, run: Started, outcome: Outcome, *, elapsed: timedelta | None, report: Pending | None = None
    ) -> Outcome | None:
        """Write an attempt's end and its last report, trying for one lease; return what was written.

        That is None where its claim was superseded. A run that was to be cancelled does not go on: its
        outcome is Cancelled then.

        Raises:
            StoreError: The database stayed away for a whole lease.
        """
        failpoint(Place.BODY_ENDED)
        ended = self._finish_patiently(Attempt(run=run, outcome=outcome, elapsed=elapsed, report=report))
        failpoint(Place.FINISHED)
        if ended is None:
            return None
        self._dispatch(ended.made_due)
        return ended.outcome

    def end_waiting(self, ticker_id: UUID, claim_no: int, *, status: TickerStatus, reason: str) -> bool:
        """End a published run that has not started; say whether this claim was still waiting.

        Raises:
            StoreError: The database is away.
        """
        core = self._core
        written = core.write(ends.end_waiting, ticker_id, claim_no=claim_no, status=status, reason=reason)
        if written is None:
            return False
        self._dispatch(written.made_due)
        return True

    def _dispatch(self, ids: Collection[UUID]) -> None:
        if ids and self._dispatch_now is not None:
            self._dispatch_now(ids)

    def join(self, session: object, *, instead: str) -> Caller:
        """Return a function's own transaction; raises what ``Callers.join`` does."""
        return self._callers.join(session, instead=instead)

    def finish_in(
        self, caller: Caller, run: Started, outcome: Outcome, *, elapsed: timedelta, report: Pending
    ) -> None:
        """Write how an attempt ended, and what it last reported, in the transaction of its own function.

        Raises:
            TickerStateError: The function has written this before.
            ClaimSupersededError: The run was taken from this worker.
        """
        attempt = Attempt(run=run, outcome=outcome, elapsed=elapsed, report=report)
        tx = self._core.transaction(caller.connection)
        written = self._ending.write(tx, attempt)
        if written is not None:
            when_committed(caller, lambda: self._dispatch(written.made_due))
            return
        if self._ending.has_written(tx, run, outcome):
            raise TickerStateError(run.id, outcome.status.name, "completed again")
        raise ClaimSupersededError(run.id, run.claim_no)

    def has_finished(self, run: Started, outcome: Outcome) -> bool:
        """Whether this very end of an attempt is committed, trying to read it for one lease.

        Raises:
            StoreError: The database stayed away for a whole lease.
        """
        work = partial(self._ending.has_written, run=run, outcome=outcome)
        return patiently(self._core, run, lambda: self._core.read(work))

    def _finish_patiently(self, attempt: Attempt) -> Ended | None:
        # Any of these tries, also one that was interrupted, may follow one that the store has taken.
        work = partial(self._ending.write_again, attempt=attempt)
        return patiently(self._core, attempt.run, lambda: self._core.write(work))

    def rescue(self, run: Started, message: str) -> Outcome | None:
        """End the attempt of a worker that died, by the function's ``on_lost``; None if it had ended.

        None also while another process has the run in hand, as does one that stands still in its finish.

        Raises:
            StoreError: The database is away; whoever looks next will rescue the run.
        """
        rescued = self._core.write(self._rescue, run, message)
        if rescued is None:
            return None
        self._dispatch(rescued.made_due)
        return rescued.outcome

    def _start(self, tx: Transaction, ticker_id: UUID, claim_no: int) -> "_Begun | None":
        core = self._core
        run = attempts.start(
            tx,
            ticker_id=ticker_id,
            claim_no=claim_no,
            node_id=core.node.id,
            node=core.node.name,
        )
        if run is None:
            return None
        made_due = chains.start_beside(tx, run.id) if run.has_children else ()
        if run.parent_id is not None:
            run = replace(run, parent_result=chains.result_for(tx, run.id))
        failpoint(Place.START_UNCOMMITTED)
        return _Begun(run=run, made_due=made_due)

    def _rescue(self, tx: Transaction, run: Started, message: str) -> Ended | None:
        if not attempts.lock_free(tx, [run.id]):
            return None
        if run.has_children and not chains.lock_waiting(tx, [run.id]):
            return None
        outcome = lost(
            run.standing,
            on_lost=self._ending.on_lost(tx, run.function),
            max_rescues=self._core.config.max_rescues,
            message=message,
        )
        return self._ending.write(tx, Attempt(run=run, outcome=outcome))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Begun:
    """A run that was started, and the children that start beside it."""

    run: Started
    made_due: Sequence[UUID]
