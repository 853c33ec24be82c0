"""Cancel a run from any process: at once where it waits, by a request in its row where it runs."""

import logging
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from tickerq_celery.enums import TERMINAL, TickerKind, TickerStatus, TickerType
from tickerq_celery.errors import TickerBusyError, TickerNotFoundError, TickerStateError
from tickerq_celery.failpoints import CrashPoint, failpoint
from tickerq_celery.runs.immediate import dispatch_after
from tickerq_celery.runs.notifier import Notifier
from tickerq_celery.runs.publisher import Publisher
from tickerq_celery.runs.revocations import left_to_the_sweep
from tickerq_celery.runtime.core import Core
from tickerq_celery.store.calls import revocations
from tickerq_celery.store.database.transaction import Transaction, savepoint
from tickerq_celery.store.runs import chains, end_requests, ends, runs
from tickerq_celery.store.runs.locked_runs import LockedRun
from tickerq_celery.store.runs.starts import Locked
from tickerq_celery.tickers.claims import CancelRequest, Started
from tickerq_celery.tickers.effect import NO_CHANGE, Change, Effect
from tickerq_celery.tickers.known_outcomes import refused_status

CANCELLED_REASON = "cancelled before it ran"
# A function asks whether it is to end, or is interrupted; the body of a Celery task knows nothing of that.
_NOT_ASKED = "asked to end, as it is a Celery task: use terminate=True, which kills its process"
logger = logging.getLogger(__name__)
# A claim or a start keeps a row locked for milliseconds; a process that keeps it longer is stalled.
_PAUSES = (0.01, 0.05, 0.1, 0.2, 0.4)
# That only hastens what the store says anyway, and the caller of several cancels waits for it.
_NOTIFYING_SECONDS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelledRun:
    """A run that was cancelled: it has ended, or was requested to.

    ``owed`` is the id of what the result backend is to be told of it, once that is committed.
    """

    run: Started
    before: TickerStatus
    reason: str = CANCELLED_REASON
    owed: UUID | None = None

    @property
    def has_ended(self) -> bool:
        """Whether it waited, and so has ended."""
        return self.before is not TickerStatus.IN_PROGRESS


def cancel(
    tx: Transaction,
    ticker_id: UUID,
    type: TickerType | None,
    terminate: bool,
    *,
    who_and_why: str = "",
    check: Callable[[Transaction], None] | None = None,
) -> Effect[CancelledRun | None]:
    """End a waiting run as Cancelled, or request the end of an active one.

    The result is None where there is no such run, or another transaction has it locked, or what is below it.
    What ends says ``who_and_why``; ``check`` may refuse it once it is locked.

    Raises:
        TickerStateError: It has ended already, or it is a Celery task that runs and cannot be asked.
    """
    locked = end_requests.lock(tx, ticker_id, type=type)
    if locked is None:
        return Effect(result=None)
    if check is not None:
        check(tx)
    if locked.status in TERMINAL:
        status = refused_status(locked.run.kind, locked.status, locked.run.started_at)
        raise TickerStateError(ticker_id, status, "cancelled")
    if locked.status is not TickerStatus.IN_PROGRESS:
        return _end_waiting(tx, locked, f"{CANCELLED_REASON}{who_and_why}")
    if locked.run.kind is TickerKind.CELERY_TASK and not terminate:
        raise TickerStateError(ticker_id, str(locked.status), _NOT_ASKED)
    wanted = CancelRequest.TERMINATE if terminate else CancelRequest.END
    if not end_requests.request(tx, locked.run, wanted):
        return Effect(result=None)
    failpoint(CrashPoint.CANCEL_UNCOMMITTED)
    done = CancelledRun(run=locked.run, before=locked.status)
    return Effect(result=done, change=_asked(locked.run, wanted))


def ended_unstarted(tx: Transaction, runs: Sequence[LockedRun], reason: str) -> list[CancelledRun]:
    """Return locked runs that this transaction has cancelled before they started."""
    owed = revocations.owe(tx, [each.run for each in runs if each.status is TickerStatus.IDLE])
    return [
        CancelledRun(run=each.run, before=each.status, reason=reason, owed=owed.get(each.id)) for each in runs
    ]


def owed_of(cancelled: Sequence[CancelledRun]) -> list[UUID]:
    """Return the ids of what the result backend is to be told of some cancels."""
    return [each.owed for each in cancelled if each.owed is not None]


def publish_cancelled(publisher: Publisher, done: CancelledRun, *, terminate: bool) -> None:
    """Notify the workers of a cancel that is committed.

    Raises:
        PublishError: The broker did not take the message.
    """
    if done.run.kind is TickerKind.CELERY_TASK:
        # No message of one that is Idle is on its way, and workers remember a revoked id.
        if done.before is not TickerStatus.IDLE:
            publisher.publish_cancel(done.run, terminate=terminate)
    elif done.has_ended:
        publisher.publish_lost(done.run, done.reason, status=TickerStatus.CANCELLED)
    else:
        publisher.publish_cancel(done.run, terminate=terminate)


def _asked(run: Started, wanted: CancelRequest) -> Change:
    before = run.cancel_request
    if before in (CancelRequest.TERMINATE, wanted):
        return NO_CHANGE
    return Change(
        ids=[run.id],
        before={"cancel_request": before and before.value},
        after={"cancel_request": wanted.value},
    )


def _end_waiting(tx: Transaction, locked: Locked, reason: str) -> Effect[CancelledRun | None]:
    run = locked.run
    if run.has_children and not chains.lock_waiting(tx, [run.id]):
        return Effect(result=None)
    written = ends.end_waiting(
        tx,
        run.id,
        claim_no=run.claim_no,
        before=locked.status,
        status=TickerStatus.CANCELLED,
        reason=reason,
    )
    if not written.result:
        return Effect(result=None)
    failpoint(CrashPoint.CANCEL_UNCOMMITTED)
    change = Change(
        ids=[run.id],
        before={"status": str(locked.status)},
        after={"status": str(TickerStatus.CANCELLED)},
    )
    owed = revocations.owe(tx, [run] if locked.status is TickerStatus.IDLE else [])
    done = CancelledRun(run=run, before=locked.status, reason=reason, owed=owed.get(run.id))
    return Effect(result=done, due=written.due, change=change)


Cancelling = Callable[[Transaction], Effect[CancelledRun | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelOrder:
    """What is to be cancelled, and who wants it and why, as it is said after "cancelled before it ran".

    ``check`` may refuse, in the transaction that has the run locked. ``record`` runs what cancels in its
    transaction, and may find that it was done before: then its result is None.
    """

    ticker_id: UUID
    type: TickerType | None
    terminate: bool
    who_and_why: str
    check: Callable[[Transaction], None]
    record: Callable[[Transaction, Cancelling], Effect[CancelledRun | None]]


class _LockedElsewhere(Exception):  # noqa: N818 - rolls back, and is never seen outside
    """Another process has the run locked, or there is none."""


class Canceller:
    """Cancels runs of one kind, a time ticker's or a cron ticker's occurrences.

    ``dispatch`` is given the runs that an end made due, after its commit, and ``tell`` what the result
    backend is to be told.
    """

    def __init__(
        self,
        core: Core,
        publisher: Publisher,
        dispatch: Callable[[Collection[UUID]], None],
        tell: Callable[[Collection[UUID]], None] = left_to_the_sweep,
    ) -> None:
        self._core = core
        self.notifier = Notifier(publisher)
        self._dispatch = dispatch
        self._tell = tell

    def cancel(self, order: CancelOrder) -> bool:
        """End a waiting run as Cancelled, or request the end of an active one; return True if it exists.

        Raises:
            TickerStateError: It has ended already.
            TickerBusyError: Another process keeps its row locked.
            StoreError: The database is unreachable.
        """
        effect = self._lock_and_cancel(order)
        if effect is None:
            return False
        dispatch_after(effect, self._dispatch)
        self.announce(effect.result, terminate=order.terminate)
        return True

    def cancel_within(self, tx: Transaction, order: CancelOrder) -> Effect[CancelledRun | None]:
        """Do the same in a caller's transaction, whose end decides; ``announce`` it after its commit.

        The order's ``record`` is left to the caller.

        Raises:
            TickerNotFoundError: There is no such run.
            TickerStateError: It has ended already.
            TickerBusyError: Another process keeps its row locked.
        """
        for pause in (*_PAUSES, None):
            with suppress(_LockedElsewhere), savepoint(tx):
                return _cancel(tx, order=order)
            if not runs.exists(tx, order.ticker_id, type=order.type):
                raise TickerNotFoundError("run", order.ticker_id)
            if pause is not None:
                time.sleep(pause)
        raise TickerBusyError(order.ticker_id, "cancelled")

    def announce(self, done: CancelledRun | None, *, terminate: bool) -> None:
        """Notify workers and the result backend of a committed cancel; None is one that was done before."""
        if done is None:
            return
        failpoint(CrashPoint.CANCELLED)
        logger.info(
            "run %s of %s is %s", done.run.id, done.run.function,
            "cancelled" if done.has_ended else "asked to end", extra={"ticker_id": str(done.run.id)},
        )  # fmt: skip
        self._notify(done, terminate)
        self._tell(owed_of([done]))

    def _lock_and_cancel(self, order: CancelOrder) -> Effect[CancelledRun | None] | None:
        core = self._core
        for pause in (*_PAUSES, None):
            with suppress(_LockedElsewhere):
                return core.write(order.record, partial(_cancel, order=order))
            if not core.read(runs.exists, order.ticker_id, type=order.type):
                return None
            if pause is not None:
                time.sleep(pause)
        raise TickerBusyError(order.ticker_id, "cancelled")

    def notify_all(self, cancelled: Sequence[CancelledRun], *, terminate: bool) -> None:
        """Notify workers of committed cancels, until that takes too long or the broker is unreachable.

        And tell the result backend.
        """
        self._tell(owed_of(cancelled))
        until = self._core.clock.monotonic() + _NOTIFYING_SECONDS
        for number, done in enumerate(cancelled):
            if self._core.clock.monotonic() > until or not self._notify(done, terminate):
                left = len(cancelled) - number
                logger.warning("runs are cancelled, and no worker was notified of so many: %d", left)
                return

    def _notify(self, done: CancelledRun, terminate: bool) -> bool:
        return self.notifier.notify(
            done.run.id,
            "cancelled",
            lambda publisher: publish_cancelled(publisher, done, terminate=terminate),
        )


def _cancel(tx: Transaction, order: CancelOrder) -> Effect[CancelledRun | None]:
    effect = cancel(
        tx,
        order.ticker_id,
        order.type,
        order.terminate,
        who_and_why=order.who_and_why,
        check=order.check,
    )
    if effect.result is None:
        # What was written before it met the lock is undone.
        raise _LockedElsewhere
    return effect
