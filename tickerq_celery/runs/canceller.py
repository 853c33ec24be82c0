"""Cancel a run from any process: at once where it waits, by a request in its row where it runs."""

import logging
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from tickerq_celery.enums import TickerType
from tickerq_celery.errors import TickerBusyError
from tickerq_celery.failpoints import CrashPoint, failpoint
from tickerq_celery.runs.cancelling import CancelledRun, cancel, owed_of, publish_cancelled
from tickerq_celery.runs.immediate import dispatch_after
from tickerq_celery.runs.notifier import Notifier
from tickerq_celery.runs.publisher import Publisher
from tickerq_celery.runs.revocations import left_to_the_sweep
from tickerq_celery.runtime.core import Core
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.runs import runs
from tickerq_celery.tickers.effect import Effect

logger = logging.getLogger(__name__)
Cancelling = Callable[[Transaction], Effect[CancelledRun | None]]
# A claim or a start keeps a row locked for milliseconds; a process that keeps it longer is stalled.
_PAUSES = (0.01, 0.05, 0.1, 0.2, 0.4)
# That only hastens what the store says anyway, and the caller of several cancels waits for it.
_NOTIFYING_SECONDS = 2.0


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
        done = effect.result
        if done is None:
            return True
        failpoint(CrashPoint.CANCELLED)
        logger.info(
            "run %s of %s is %s", done.run.id, done.run.function,
            "cancelled" if done.has_ended else "asked to end", extra={"ticker_id": str(done.run.id)},
        )  # fmt: skip
        dispatch_after(effect, self._dispatch)
        self._notify(done, order.terminate)
        self._tell(owed_of([done]))
        return True

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
