"""Cancel a run in the transaction that it is given, and notify the workers of it afterwards."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from tickerq_celery.enums import TERMINAL, TickerKind, TickerStatus, TickerType
from tickerq_celery.errors import TickerStateError
from tickerq_celery.failpoints import CrashPoint, failpoint
from tickerq_celery.runs.publisher import Publisher
from tickerq_celery.store.calls import revocations
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.runs import cancels, chains, ends
from tickerq_celery.store.runs.locked_runs import LockedRun
from tickerq_celery.store.runs.starts import Locked
from tickerq_celery.tickers.cancel_requests import CancelRequest
from tickerq_celery.tickers.claims import Started
from tickerq_celery.tickers.effect import NO_CHANGE, Change, Effect
from tickerq_celery.tickers.known_outcomes import refused_status

CANCELLED_REASON = "cancelled before it ran"
# A function asks whether it is to end, or is interrupted; the body of a Celery task knows nothing of that.
_NOT_ASKED = "asked to end, as it is a Celery task: use terminate=True, which kills its process"


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
    locked = cancels.lock(tx, ticker_id, type=type)
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
        raise TickerStateError(ticker_id, locked.status.name, _NOT_ASKED)
    wanted = CancelRequest.TERMINATE if terminate else CancelRequest.END
    if not cancels.request(tx, locked.run, wanted):
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
