"""The end of an attempt, in one transaction with what it frees and lets start."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from tickerq_celery.cron.pausing import after_a_failure
from tickerq_celery.enums import HoldReason, OnLost, TickerStatus
from tickerq_celery.failpoints import Place, failpoint
from tickerq_celery.runtime.core import Core
from tickerq_celery.store import ends, functions, holds, overlaps
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.ends import Written
from tickerq_celery.tickers.claims import Started
from tickerq_celery.tickers.lifecycle import Outcome, withdrawn
from tickerq_celery.tickers.progress import Pending


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """An attempt that ends: how, after how long, and with what it had last reported."""

    run: Started
    outcome: Outcome
    elapsed: timedelta | None = None
    report: Pending | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What became of an attempt's run, and the runs that its end lets start."""

    outcome: Outcome
    made_due: Sequence[UUID] = ()


class Ending:
    """Writes ends; each takes the connection of its caller's transaction."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def write(self, tx: Transaction, attempt: Attempt) -> Ended | None:
        """Write how an attempt ended, unless its claim is gone.

        A run that was to be cancelled does not go on, nor fails as lost: its outcome is Cancelled then.
        """
        for outcome in _ways(attempt):
            written = self._write(tx, attempt, outcome)
            if written is not None:
                return Ended(outcome=outcome, made_due=written.made_due)
        return None

    def write_again(self, tx: Transaction, attempt: Attempt) -> Ended | None:
        """Write an end that may have been written before: say then what was."""
        ended = self.write(tx, attempt)
        if ended is not None:
            return ended
        # The store may have written the end before, and only its answer was lost: what it made due then is
        # known no more, and beat finds it.
        for outcome in _ways(attempt):
            if self.has_written(tx, attempt.run, outcome):
                return Ended(outcome=outcome)
        return None

    def has_written(self, tx: Transaction, run: Started, outcome: Outcome) -> bool:
        """Whether this very end is in the store."""
        return ends.has_written(tx, run, outcome, node=self._core.node.name)

    def on_lost(self, tx: Transaction, name: str) -> OnLost:
        """Return what becomes of a function's lost attempts."""
        return self._facts(tx, name).on_lost

    def _write(self, tx: Transaction, attempt: Attempt, outcome: Outcome) -> Written | None:
        core, elapsed = self._core, attempt.elapsed
        written = ends.finish(
            tx,
            attempt.run,
            outcome,
            node=core.node.name,
            elapsed_ms=None if elapsed is None else round(elapsed / timedelta(milliseconds=1)),
            report=attempt.report,
        )
        if written is None:
            return None
        in_turn = tell_cron(tx, core, attempt.run, outcome)
        failpoint(Place.FINISH_UNCOMMITTED)
        given = self._give_place_away(tx, attempt.run)
        return Written(made_due=[*written.made_due, *in_turn, *given])

    def _give_place_away(self, tx: Transaction, run: Started) -> list[UUID]:
        """Make the next run due that waits for the function's freed place, and the next for the key's."""
        freed: list[tuple[HoldReason, str]] = []
        if self._facts(tx, run.function).is_limited:
            freed.append((HoldReason.LIMIT, run.function))
        if run.slot is not None:
            freed.append((HoldReason.KEY, run.slot.hold_key))
        lifted: list[UUID] = []
        for reason, key in freed:
            lifted += holds.lift(tx, reason=reason, keys=[key], limit=1)
        return lifted

    def _facts(self, tx: Transaction, name: str) -> "_Facts":
        function = self._core.registry.get(name)
        if function is not None:
            return _Facts(on_lost=function.on_lost, is_limited=function.max_concurrency > 0)
        record = functions.find(tx, [name]).get(name)
        if record is not None:
            return _Facts(on_lost=OnLost(record.on_lost), is_limited=record.max_concurrency > 0)
        return _Facts(on_lost=OnLost.RETRY, is_limited=False)


def _ways(attempt: Attempt) -> tuple[Outcome, ...]:
    """Return the outcome, and what it is where the store refuses that, as the run is to be cancelled."""
    outcome = attempt.outcome
    return (outcome, withdrawn(attempt.run.standing, outcome)) if outcome.gives_way else (outcome,)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facts:
    """What the end of a run must know of its function, also where its code is not at hand."""

    on_lost: OnLost
    is_limited: bool


def tell_cron(tx: Transaction, core: Core, run: Started, outcome: Outcome) -> list[UUID]:
    """Do what the policies of an occurrence's cron ticker want at its end; return whose turn it is now.

    Nothing is done for other runs, nor where the run goes on: a retry keeps its place.
    """
    if run.cron_ticker_id is None or outcome.goes_on:
        return []
    made_due: list[UUID] = []
    if run.active_key is not None:
        made_due = overlaps.pass_lock(tx, run.cron_ticker_id)
    if outcome.status is TickerStatus.FAILED and run.instant is not None:
        after_a_failure(tx, run.cron_ticker_id)
    return made_due
