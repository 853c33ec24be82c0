"""Publish runs that were just committed, from the process that added them."""

import logging
import threading
from collections.abc import Callable, Collection, Sequence
from typing import TypeVar
from uuid import UUID

from tickerq_celery.errors import PublishError, StoreError
from tickerq_celery.failpoints import CrashPoint, failpoint
from tickerq_celery.runs.dispatcher import Dispatcher
from tickerq_celery.runtime.core import Core
from tickerq_celery.tickers.claims import Due
from tickerq_celery.tickers.effect import Effect

T = TypeVar("T")
logger = logging.getLogger(__name__)
# How long an unreachable broker is left alone, so that not every call waits for it.
_QUIET_SECONDS = 5.0
# How long a call waits for another thread's, which may be waiting for the broker.
LOCK_WAIT_SECONDS = 1.0


def dispatch_after(effect: Effect[T], dispatch: Callable[[Collection[UUID]], None] | None) -> T:
    """Return the result of a write whose commit is done, after ``dispatch`` of the runs that it made due.

    Where there is no ``dispatch``, beat finds them within one poll.
    """
    if effect.due and dispatch is not None:
        dispatch(effect.due)
    return effect.result


class ImmediateDispatch:
    """Dispatches at once, never raises, and leaves to beat what it could not do."""

    def __init__(self, core: Core, dispatcher: Dispatcher) -> None:
        self._core = core
        self._dispatcher = dispatcher
        self._quiet_until = 0.0
        # A publisher's connection serves one thread at a time.
        self._mutex = threading.Lock()
        self._thread: int | None = None

    def dispatch(self, ids: Collection[UUID]) -> None:
        """Claim and publish a batch of those of ``ids`` that are due; beat does the rest within one poll."""
        self._claim_and_publish(ids=list(ids)[: self._core.config.batch_size])

    def dispatch_calls(self, calls: Collection[Due]) -> None:
        """Do the same with calls of Celery tasks that this process has just stored."""
        self._claim_and_publish(calls=list(calls)[: self._core.config.batch_size])

    def _claim_and_publish(self, *, ids: Collection[UUID] = (), calls: Sequence[Due] = ()) -> None:
        failpoint(CrashPoint.ADDED)
        me = threading.get_ident()
        # A receiver of Celery's publishing signals may add a ticker, and would wait for itself.
        if self._thread == me or not self._mutex.acquire(timeout=LOCK_WAIT_SECONDS):
            return
        self._thread = me
        try:
            self._dispatch(ids, calls)
        finally:
            self._thread = None
            self._mutex.release()

    def _dispatch(self, ids: Collection[UUID], calls: Sequence[Due]) -> None:
        if self._core.clock.monotonic() < self._quiet_until:
            return
        try:
            self._dispatcher.dispatch(holder=self._core.node.name, ids=ids, calls=calls)
        except (PublishError, StoreError) as error:
            self._leave_alone()
            logger.warning("beat will publish what is due, this process could not: %s", error)
        except Exception:
            # The caller's transaction has committed: nothing here may look like its failure.
            self._leave_alone()
            logger.exception("beat will publish what is due, this process could not")

    def _leave_alone(self) -> None:
        self._quiet_until = self._core.clock.monotonic() + _QUIET_SECONDS
