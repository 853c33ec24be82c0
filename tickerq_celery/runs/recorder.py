"""Record what a worker does with its claims: start, finish, rescue."""

import logging
import os
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TypeVar
from uuid import UUID

from tickerq_celery.enums import TickerStatus
from tickerq_celery.errors import ClaimSupersededError, RefusedValueError, StoreError, TickerStateError
from tickerq_celery.failpoints import CrashPoint, failpoint
from tickerq_celery.ids import new_id
from tickerq_celery.runs.ending import AttemptEnd, EndWriter
from tickerq_celery.runs.immediate import dispatch_after
from tickerq_celery.runs.lease_retry import LeaseRetry
from tickerq_celery.runtime.core import Core
from tickerq_celery.store.database.errors import LostAnswerError
from tickerq_celery.store.database.refusals import translated_refusals
from tickerq_celery.store.database.sessions import Caller, Callers, when_committed
from tickerq_celery.store.database.transaction import Transaction, savepoint
from tickerq_celery.store.runs import chains, drops, ends, publications, starts
from tickerq_celery.tickers.claims import Started
from tickerq_celery.tickers.drop_reasons import DropReason
from tickerq_celery.tickers.effect import Effect
from tickerq_celery.tickers.lifecycle import REFUSED_TEXTS, Outcome, lost, lost_call
from tickerq_celery.tickers.progress import Pending
from tickerq_celery.tickers.sessions import SessionLike

logger = logging.getLogger(__name__)
T = TypeVar("T")


class Recorder:
    """Writes the life of claimed runs, each write fenced by its claim number.

    ``dispatch`` is given the runs that a start or an end made due, after its commit; where there is none,
    beat finds them within one poll.
    """

    def __init__(self, core: Core, *, dispatch: Callable[[Collection[UUID]], None] | None = None) -> None:
        self._core = core
        self._dispatch = dispatch
        self._callers = Callers(core.database)
        self._ends = EndWriter(core)

    @property
    def is_in_main_process(self) -> bool:
        """Whether this process is the node itself, and no child of its pool."""
        return os.getpid() == self._core.node.pid

    def start(self, ticker_id: UUID, claim_no: int) -> Started | None:
        """Let this worker execute a claim, or return None where it may not.

        Where the database may have taken the start it is tried for one lease.

        Raises:
            StoreError: The database is unreachable; the run stays Queued, and its message comes again. Where
                an answer was lost the run may be InProgress, until it is rescued.
        """
        failpoint(CrashPoint.RECEIVED)
        start_id = new_id()
        retry: LeaseRetry | None = None
        effect: Effect[Started | None] | None = None
        while effect is None:
            try:
                effect = self._try_start(ticker_id, claim_no, start_id)
            except StoreError as error:
                if retry is None and not isinstance(error, LostAnswerError):
                    raise
                retry = retry or LeaseRetry(self._core, ticker_id, what="may have been started")
                retry.wait_or_raise(error)
        if effect.result is not None:
            failpoint(CrashPoint.STARTED)
        return dispatch_after(effect, self._dispatch)

    def reason_against(self, ticker_id: UUID, claim_no: int) -> DropReason:
        """Return why ``start`` refused a claim.

        Raises:
            StoreError: The database is unreachable.
        """
        return self._core.read(drops.reason_against, ticker_id, claim_no)

    def return_misrouted(self, ticker_id: UUID, claim_no: int) -> str | None:
        """Return a claim of another namespace to it, due again soon; return that namespace.

        That is None where it is none of another's.

        Raises:
            StoreError: The database is unreachable; the claim stays Queued until the sweep's next check.
        """
        return self._core.write(publications.return_misrouted, ticker_id, claim_no)

    def finish(
        self, run: Started, outcome: Outcome, *, elapsed: timedelta | None, report: Pending | None = None
    ) -> Outcome | None:
        """Write an attempt's end and its last report, trying for one lease; return what was written.

        That is None where its claim was superseded. A run whose cancel was requested does not go on: its
        outcome is Cancelled then. An end that the database refuses for its texts is written without them.

        Raises:
            StoreError: The database was unreachable for a whole lease.
        """
        failpoint(CrashPoint.BODY_ENDED)
        end = AttemptEnd(run=run, outcome=outcome, elapsed=elapsed, report=report)
        is_alone = self._core.database.autocommits and self._ends.is_alone(end)
        write = self._core.write_alone if is_alone else self._core.write
        retry = LeaseRetry(self._core, run.id)
        effect: Effect[Outcome | None] | None = None
        while effect is None:
            try:
                written = write(self._ends.write, end, is_alone=is_alone)
                # Any of these tries, also one that was interrupted, may follow one that the store has taken.
                effect = (
                    written if written.result else Effect(result=self._core.read(self._ends.written, end))
                )
            except RefusedValueError as error:
                end = _without_texts(end, error)
            except StoreError as error:
                retry.wait_or_raise(error)
        failpoint(CrashPoint.FINISHED)
        return dispatch_after(effect, self._dispatch)

    def end_waiting(self, ticker_id: UUID, claim_no: int, *, status: TickerStatus, reason: str) -> bool:
        """End a published run that has not started; return True if this claim was still waiting.

        Raises:
            StoreError: The database is unreachable.
        """

        def end(text: str) -> Effect[bool]:
            return self._core.write(
                ends.end_waiting, ticker_id, claim_no=claim_no, status=status, reason=text
            )

        return dispatch_after(_written(end, reason), self._dispatch)

    def join(self, session: SessionLike, *, instead: str) -> Caller:
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
        end = AttemptEnd(run=run, outcome=outcome, elapsed=elapsed, report=report)
        tx = self._core.writing(caller.connection)
        effect = self._write_in(tx, end)
        if effect.result is not None:
            when_committed(caller, lambda: dispatch_after(effect, self._dispatch))
            return
        if self._ends.has_written(tx, run, outcome):
            raise TickerStateError(run.id, str(outcome.status), "completed again")
        raise ClaimSupersededError(run.id, run.claim_no)

    def has_finished(self, run: Started, outcome: Outcome) -> bool:
        """Return True if exactly this end of an attempt is committed, trying to read it for one lease.

        Raises:
            StoreError: The database was unreachable for a whole lease.
        """
        retry = LeaseRetry(self._core, run.id)
        while True:
            try:
                return self._core.read(self._ends.has_written, run, outcome)
            except StoreError as error:
                retry.wait_or_raise(error)

    def rescue(self, run: Started, message: str) -> Outcome | None:
        """End the attempt of a worker that died, by its ``on_lost``; None if it had ended.

        None also while another process has the run locked, as one that is stalled in its finish does.

        Raises:
            StoreError: The database is unreachable; the next sweep rescues the run.
        """
        effect = _written(lambda text: self._core.write(self._rescue, run, text), message)
        return dispatch_after(effect, self._dispatch)

    def _try_start(self, ticker_id: UUID, claim_no: int, start_id: UUID) -> Effect[Started | None]:
        core, node = self._core, self._core.node
        start = partial(
            starts.start,
            ticker_id=ticker_id,
            claim_no=claim_no,
            start_id=start_id,
            node_id=node.id,
            node=node.name,
        )
        if core.database.autocommits:
            run = core.write_alone(start, only_plain=True)
            if run is not None:
                return Effect(result=run)
        return core.write(self._start, start, lambda tx: starts.own(tx, ticker_id, claim_no, start_id))

    def _start(
        self,
        tx: Transaction,
        start: Callable[[Transaction], Started | None],
        own: Callable[[Transaction], Started | None],
    ) -> Effect[Started | None]:
        started = start(tx)
        # A try before this one, whose answer was lost, may have let its children start, too.
        run = started or own(tx)
        if run is None:
            return Effect(result=None)
        beside = chains.start_beside(tx, run.id) if started is not None and run.has_children else ()
        if run.parent_id is not None:
            run = replace(run, parent_result=chains.result_for(tx, run.id))
        failpoint(CrashPoint.START_UNCOMMITTED)
        return Effect(result=run, due=beside)

    def _write_in(self, tx: Transaction, end: AttemptEnd) -> Effect[Outcome | None]:
        plain = end.without_texts()
        if end == plain:
            return self._ends.write(tx, end)
        try:
            # On PostgreSQL a refusal would otherwise end the function's transaction.
            with translated_refusals(), savepoint(tx):
                return self._ends.write(tx, end)
        except RefusedValueError as error:
            return self._ends.write(tx, _without_texts(end, error))

    def _rescue(self, tx: Transaction, run: Started, message: str) -> Effect[Outcome | None]:
        if not starts.lock_free(tx, [run.id]):
            return Effect(result=None)
        if run.has_children and not chains.lock_waiting(tx, [run.id]):
            return Effect(result=None)
        decide = lost_call if run.is_call else lost
        outcome = decide(
            run.standing,
            on_lost=self._ends.on_lost(tx, run),
            max_rescues=self._core.config.max_rescues,
            message=message,
        )
        return self._ends.write(tx, AttemptEnd(run=run, outcome=outcome))


def _written(write: Callable[[str], T], text: str) -> T:
    """Write what has one text, and where the database refuses that, a note in its place."""
    try:
        return write(text)
    except RefusedValueError:
        return write(REFUSED_TEXTS)


def _without_texts(end: AttemptEnd, error: RefusedValueError) -> AttemptEnd:
    """Return the end to write where ``error`` refused one, which it raises where no text can be the cause."""
    plain = end.without_texts()
    if plain == end:
        raise error
    logger.error(
        "run %s is recorded without its texts: %s", end.run.id, error,
        extra={"ticker_id": str(end.run.id)},
    )  # fmt: skip
    return plain
