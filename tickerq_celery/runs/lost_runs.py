"""End the attempt of a dead node on an operator's request: the run starts again, or fails."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from tickerq_celery.enums import OnLost, TickerStatus, TickerType
from tickerq_celery.errors import TickerBusyError, TickerNotFoundError, TickerStateError
from tickerq_celery.failpoints import CrashPoint, failpoint
from tickerq_celery.runs.ending import AttemptEnd, EndWriter
from tickerq_celery.runs.lock_tries import first_locked
from tickerq_celery.runs.notifier import Notifier
from tickerq_celery.runs.rescue import log_lost
from tickerq_celery.runtime.core import Core
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.nodes.holders import Holder, holder_of
from tickerq_celery.store.runs import chains, end_requests, runs
from tickerq_celery.store.runs.starts import Locked
from tickerq_celery.tickers.claims import Started
from tickerq_celery.tickers.effect import Effect
from tickerq_celery.tickers.lifecycle import Outcome, lost, lost_call

logger = logging.getLogger(__name__)
_DONE = {OnLost.RETRY: "released", OnLost.FAIL: "marked as failed"}


@dataclass(frozen=True, slots=True, kw_only=True)
class LostOrder:
    """Which run's attempt is to end as lost, and whether it starts again ``then``, or fails.

    ``who_and_why`` is what is said after that. ``check`` may refuse, in the transaction that has the run
    locked.
    """

    ticker_id: UUID
    type: TickerType | None
    then: OnLost
    who_and_why: str
    check: Callable[[Transaction], None]

    @property
    def done(self) -> str:
        """What is done to the run."""
        return _DONE[self.then]


@dataclass(frozen=True, slots=True, kw_only=True)
class LostRun:
    """A run whose attempt was ended as lost: how, and what is said of it."""

    run: Started
    outcome: Outcome
    message: str


class LostRuns:
    """Ends the attempts of dead nodes, as a sweep does, but whatever their functions' ``on_lost`` says."""

    def __init__(self, core: Core, notifier: Notifier) -> None:
        self._core = core
        self._ends = EndWriter(core)
        self._notifier = notifier

    def end(self, tx: Transaction, order: LostOrder) -> Effect[LostRun]:
        """End the attempt of a run whose node is dead, by its claim: a late end of that node changes nothing.

        A run whose cancel was requested is Cancelled instead.

        Raises:
            TickerNotFoundError: There is no such run.
            TickerStateError: It is not InProgress, or its node is alive.
            TickerBusyError: Another process keeps its row, or one below it, locked.
        """
        locked = _locked(tx, order)
        run = locked.run
        order.check(tx)
        if locked.status is not TickerStatus.IN_PROGRESS:
            raise TickerStateError(run.id, f"{locked.status}, and no node runs it", order.done)
        holder = holder_of(tx, run.id)
        self._refuse_if_alive(tx, run, holder, order.done)
        said = f"{holder.last_seen(tx.now)}; {order.done}{order.who_and_why}"
        message = f"worker lost: {holder.name} {said}"
        decide = lost_call if run.is_call else lost
        # One more than it has had: an operator's request counts whatever the limit of rescues.
        most = run.standing.rescue_count + 1
        outcome = decide(run.standing, on_lost=order.then, max_rescues=most, message=message)
        written = self._ends.write(tx, AttemptEnd(run=run, outcome=outcome))
        if written.result is None:
            raise TickerBusyError(run.id, order.done)
        due = [*written.due, run.id] if written.result.goes_on else written.due
        return Effect(result=LostRun(run=run, outcome=written.result, message=message), due=due)

    def notify(self, ended: LostRun) -> None:
        """Log that an attempt was lost, and have a worker call the exception handler of its function."""
        failpoint(CrashPoint.RESCUED)
        log_lost(ended.run, ended.outcome, ended.message)
        if ended.run.is_call:
            return
        self._notifier.notify(
            ended.run.id,
            "lost",
            lambda publisher: publisher.publish_lost(ended.run, ended.message, status=ended.outcome.status),
        )

    def _refuse_if_alive(self, tx: Transaction, run: Started, holder: Holder, done: str) -> None:
        if not holder.is_dead(tx.now, self._core.config.lease):
            status = f"{TickerStatus.IN_PROGRESS} on {holder.name}, which {holder.last_seen(tx.now)}"
            raise TickerStateError(run.id, status, f"{done} while that node is alive")


def _locked(tx: Transaction, order: LostOrder) -> Locked:
    """Lock a run with all that waits below it, never waiting for a process that is stalled."""
    if not runs.exists(tx, order.ticker_id, type=order.type):
        raise TickerNotFoundError("run", order.ticker_id)
    locked = first_locked(lambda: _lock_chain(tx, order.ticker_id, order.type))
    if locked is None:
        raise TickerBusyError(order.ticker_id, order.done)
    return locked


def _lock_chain(tx: Transaction, ticker_id: UUID, type: TickerType | None) -> Locked | None:
    locked = end_requests.lock(tx, ticker_id, type=type)
    if locked is None or (locked.run.has_children and not chains.lock_waiting(tx, [ticker_id])):
        return None
    return locked
