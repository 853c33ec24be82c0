"""The end of an attempt, in one transaction with what it frees and lets start."""

from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from tickerq_celery.cron.pausing import after_a_failure
from tickerq_celery.enums import HoldReason, OnLost, TickerStatus
from tickerq_celery.failpoints import CrashPoint, failpoint
from tickerq_celery.runtime.core import Core
from tickerq_celery.store.calls import execution_ends
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.functions import functions
from tickerq_celery.store.runs import ends, holds, overlaps
from tickerq_celery.tickers.claims import Started
from tickerq_celery.tickers.effect import Effect
from tickerq_celery.tickers.lifecycle import Outcome, withdrawn
from tickerq_celery.tickers.progress import Pending


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptEnd:
    """An attempt that ends: how, after how long, and with what it had last reported."""

    run: Started
    outcome: Outcome
    elapsed: timedelta | None = None
    report: Pending | None = None

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """The outcome, and what it is where the store refuses that, as a cancel of the run was requested."""
        outcome = self.outcome
        return (outcome, withdrawn(self.run.standing, outcome)) if outcome.gives_way else (outcome,)

    def without_texts(self) -> "AttemptEnd":
        """Return the same end for a database that refused a text of it."""
        return replace(
            self, outcome=self.outcome.without_texts(), report=self.report and self.report.without_texts()
        )


class EndWriter:
    """Writes the ends of attempts, each in the transaction that it is given."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def write(self, tx: Transaction, end: AttemptEnd, *, is_alone: bool = False) -> Effect[Outcome | None]:
        """Write how an attempt ended, and return what was written: None where its claim was superseded.

        A run whose cancel was requested does not go on, nor fails as lost: its outcome is Cancelled then.
        Each statement of an end that ``is_alone`` may commit itself.
        """
        if end.run.is_call:
            return self._write_execution(tx, end)
        node, elapsed = self._core.node.name, end.elapsed
        for outcome in end.outcomes:
            written = ends.finish(tx, end.run, outcome, node=node, elapsed=elapsed, report=end.report)
            if written.result:
                released = [] if is_alone else self._release(tx, end.run, outcome)
                return Effect(result=outcome, due=[*written.due, *released])
        return Effect(result=None)

    def is_alone(self, end: AttemptEnd) -> bool:
        """Return True if an end is one statement: nothing follows from it, whichever its outcome will be."""
        run, function = end.run, self._core.registry.get(end.run.function)
        if not self._core.database.dialect.has_writing_ctes or function is None:
            return False
        leaves_lines = end.report is not None and bool(end.report.chunks)
        frees_a_slot = function.max_concurrency is not None or run.slot is not None
        failed = end.outcome.status is TickerStatus.FAILED
        moves_a_cron = run.cron_ticker_id is not None and (run.active_key is not None or failed)
        return not (run.is_call or run.has_children or leaves_lines or frees_a_slot or moves_a_cron)

    def written(self, tx: Transaction, end: AttemptEnd) -> Outcome | None:
        """Return which outcome of an attempt this process has written before, or None.

        What that made due is not known any more: beat finds it.
        """
        if end.run.is_call:
            # Its attempt is written also where its run goes on without it.
            return next((each for each in end.outcomes if execution_ends.stands(tx, end.run, each)), None)
        return next((each for each in end.outcomes if self.has_written(tx, end.run, each)), None)

    def has_written(self, tx: Transaction, run: Started, outcome: Outcome) -> bool:
        """Return True if this process has written exactly this end of the attempt."""
        return ends.has_written(tx, run, outcome, node=self._core.node.name)

    def on_lost(self, tx: Transaction, run: Started) -> OnLost:
        """Return what becomes of a lost attempt: a function says so, or the ticker of a Celery task."""
        if run.is_call:
            return run.on_lost or OnLost.FAIL
        return self._facts(tx, run.function).on_lost

    def _write_execution(self, tx: Transaction, end: AttemptEnd) -> Effect[Outcome | None]:
        """Write how an execution of a Celery task ended; None where its run goes on without it."""
        run, outcome, node = end.run, end.outcome, self._core.node.name
        check_after = self._core.config.republish_after
        for each in end.outcomes:
            written = execution_ends.finish(
                tx, run, each, node=node, elapsed=end.elapsed, check_after=check_after
            )
            if written.result:
                next_occurrence = _apply_cron_policies(tx, run, each)
                failpoint(CrashPoint.FINISH_UNCOMMITTED)
                return Effect(result=each, due=[*written.due, *next_occurrence])
        execution_ends.record(tx, run, outcome, node=node)
        if not outcome.is_lost and execution_ends.correct(
            tx, run, outcome, elapsed=end.elapsed, check_after=check_after
        ):
            return Effect(result=outcome)
        return Effect(result=None)

    def _release(self, tx: Transaction, run: Started, outcome: Outcome) -> list[UUID]:
        """Release what the end of an attempt lets run: the next occurrence, and a run for each freed slot."""
        next_occurrence = _apply_cron_policies(tx, run, outcome)
        failpoint(CrashPoint.FINISH_UNCOMMITTED)
        freed: list[tuple[HoldReason, str]] = []
        if self._facts(tx, run.function).is_limited:
            freed.append((HoldReason.LIMIT, run.function))
        if run.slot is not None:
            freed.append((HoldReason.KEY, run.slot.hold_key))
        released: list[UUID] = []
        for reason, key in freed:
            released += holds.release(tx, reason=reason, keys=[key], limit=1)
        return [*next_occurrence, *released]

    def _facts(self, tx: Transaction, name: str) -> "_Facts":
        function = self._core.registry.get(name)
        if function is not None:
            return _Facts(on_lost=function.on_lost, is_limited=function.max_concurrency is not None)
        record = functions.find(tx, [name]).get(name)
        if record is not None:
            return _Facts(on_lost=OnLost(record.on_lost), is_limited=record.max_concurrency is not None)
        return _Facts(on_lost=OnLost.RETRY, is_limited=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facts:
    """What the end of a run must know of its function, also where its code is not at hand."""

    on_lost: OnLost
    is_limited: bool


def _apply_cron_policies(tx: Transaction, run: Started, outcome: Outcome) -> list[UUID]:
    """Apply the policies of an occurrence's cron ticker at its end; return the occurrence that may run now.

    Nothing is done for other runs, nor where the run goes on: a retry keeps the overlap lock.
    """
    if run.cron_ticker_id is None or outcome.goes_on:
        return []
    made_due: list[UUID] = []
    if run.active_key is not None:
        made_due = overlaps.pass_lock(tx, run.cron_ticker_id)
    if outcome.status is TickerStatus.FAILED and run.instant is not None:
        after_a_failure(tx, run.cron_ticker_id)
    return made_due
