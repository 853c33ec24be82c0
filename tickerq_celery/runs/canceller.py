"""Cancel a run from any process: at once where it waits, by a request in its row where it runs."""

import logging
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from uuid import UUID

from tickerq_celery.enums import TERMINAL, CancelRequest, TickerKind, TickerStatus, TickerType
from tickerq_celery.errors import PublishError, TickerBusyError, TickerStateError
from tickerq_celery.failpoints import CrashPoint, failpoint
from tickerq_celery.runs.immediate import LOCK_WAIT_SECONDS, dispatch_after
from tickerq_celery.runs.publisher import Publisher
from tickerq_celery.runtime.core import Core
from tickerq_celery.store import cancels, chains, ends, runs
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.starts import Locked
from tickerq_celery.tickers.claims import Started
from tickerq_celery.tickers.effect import Effect

logger = logging.getLogger(__name__)
CANCELLED_REASON = "cancelled before it ran"
# A function asks whether it is to end, or is interrupted; the body of a Celery task knows nothing of that.
_NOT_ASKED = "asked to end, as it is a Celery task: use terminate=True, which kills its process"
# A claim or a start keeps a row locked for milliseconds; a process that keeps it longer is stalled.
_PAUSES = (0.01, 0.05, 0.1, 0.2, 0.4)


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelledRun:
    """A run that was cancelled: it has ended, or was requested to."""

    run: Started
    before: TickerStatus

    @property
    def has_ended(self) -> bool:
        """Whether it waited, and so has ended."""
        return self.before is not TickerStatus.IN_PROGRESS


class Canceller:
    """Cancels runs of one kind, a time ticker's or a cron ticker's occurrences.

    ``dispatch`` is given the runs that an end made due, after its commit.
    """

    def __init__(
        self, core: Core, publisher: Publisher, dispatch: Callable[[Collection[UUID]], None]
    ) -> None:
        self._core = core
        self._publisher = publisher
        self._dispatch = dispatch
        # A publisher's connection serves one thread at a time.
        self._mutex = threading.Lock()

    def cancel(self, ticker_id: UUID, *, type: TickerType | None, terminate: bool) -> bool:
        """End a waiting run as Cancelled, or request the end of an active one; return True if it exists.

        Raises:
            TickerStateError: It has ended already.
            TickerBusyError: Another process keeps its row locked.
            StoreError: The database is unreachable.
        """
        effect = self._lock_and_cancel(ticker_id, type, terminate)
        done = effect.result
        if done is None:
            return False
        failpoint(CrashPoint.CANCELLED)
        logger.info(
            "run %s of %s is %s", ticker_id, done.run.function,
            "cancelled" if done.has_ended else "asked to end", extra={"ticker_id": str(ticker_id)},
        )  # fmt: skip
        dispatch_after(effect, self._dispatch)
        self._notify(done, terminate)
        return True

    def _lock_and_cancel(
        self, ticker_id: UUID, type: TickerType | None, terminate: bool
    ) -> Effect[CancelledRun | None]:
        core = self._core
        for pause in (*_PAUSES, None):
            effect = core.write(self._cancel, ticker_id, type, terminate)
            if effect.result is not None or not core.read(runs.exists, ticker_id, type=type):
                return effect
            if pause is not None:
                time.sleep(pause)
        raise TickerBusyError(ticker_id, "cancelled")

    def _cancel(
        self, tx: Transaction, ticker_id: UUID, type: TickerType | None, terminate: bool
    ) -> Effect[CancelledRun | None]:
        locked = cancels.lock(tx, ticker_id, type=type)
        if locked is None:
            return Effect(result=None)
        if locked.status in TERMINAL:
            raise TickerStateError(ticker_id, locked.status.name, "cancelled")
        if locked.status is not TickerStatus.IN_PROGRESS:
            return self._end_waiting(tx, locked)
        if locked.run.kind is TickerKind.CELERY_TASK and not terminate:
            raise TickerStateError(ticker_id, locked.status.name, _NOT_ASKED)
        wanted = CancelRequest.TERMINATE if terminate else CancelRequest.END
        if not cancels.request(tx, locked.run, wanted):
            return Effect(result=None)
        failpoint(CrashPoint.CANCEL_UNCOMMITTED)
        return Effect(result=CancelledRun(run=locked.run, before=locked.status))

    def _end_waiting(self, tx: Transaction, locked: Locked) -> Effect[CancelledRun | None]:
        run = locked.run
        if run.has_children and not chains.lock_waiting(tx, [run.id]):
            return Effect(result=None)
        written = ends.end_waiting(
            tx,
            run.id,
            claim_no=run.claim_no,
            before=locked.status,
            status=TickerStatus.CANCELLED,
            reason=CANCELLED_REASON,
        )
        if not written.result:
            return Effect(result=None)
        failpoint(CrashPoint.CANCEL_UNCOMMITTED)
        return Effect(result=CancelledRun(run=run, before=locked.status), due=written.due)

    def _publish(self, done: CancelledRun, terminate: bool) -> None:
        if done.run.kind is TickerKind.CELERY_TASK:
            # No message of one that is Idle is on its way, and workers remember a revoked id.
            if done.before is not TickerStatus.IDLE:
                self._publisher.publish_cancel(done.run, terminate=terminate)
        elif done.has_ended:
            self._publisher.publish_lost(done.run, CANCELLED_REASON, status=TickerStatus.CANCELLED)
        else:
            self._publisher.publish_cancel(done.run, terminate=terminate)

    def _notify(self, done: CancelledRun, terminate: bool) -> None:
        if not self._mutex.acquire(timeout=LOCK_WAIT_SECONDS):
            logger.warning("run %s is cancelled, and no worker was notified in time", done.run.id)
            return
        try:
            self._publish(done, terminate)
        except PublishError as error:
            logger.warning("run %s is cancelled, and no worker was notified: %s", done.run.id, error)
        except Exception:
            # The cancel is committed: whatever the user's router raises may not look like its failure.
            logger.exception("run %s is cancelled, and no worker was notified", done.run.id)
        finally:
            self._mutex.release()
