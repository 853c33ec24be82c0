"""Tell Celery's result backend of calls that were cancelled before they were published, after the commit."""

import logging
from collections.abc import Callable, Collection, Sequence
from datetime import timedelta
from uuid import UUID

from tickerq_celery.runtime.core import Core
from tickerq_celery.runtime.idle_threads import IdleThreads
from tickerq_celery.store.calls import revocations
from tickerq_celery.tickers.durable_calls import Revocation

logger = logging.getLogger(__name__)
# How long a caller waits for the result backend: far less than revocations.TAKEN_FOR, so that nobody else
# tells it meanwhile. And how long one that fails is left alone, so that not every cancel waits for it.
_SECONDS, _QUIET_SECONDS = 2.0, 5.0
# After which no further one of many is begun: the sweep has them, and nothing has failed.
_BEGUN_SECONDS = 1.0
_AT_ONCE = 100
_IDLE = timedelta(seconds=5)


def left_to_the_sweep(ids: Collection[UUID]) -> None:
    """Tell nothing now: what is owed is told by a beat, a minute later."""


class Revocations:
    """Writes what is owed to the result backend by ``announce``, which raises where it could not.

    A revocation is one process's own for a minute: the one that committed the cancel, then any that takes it
    over. So it is told once, and once more only where a process dies, or the store does not answer, between
    the backend's answer and the end of what was owed. Backends retry for long what they cannot reach, and
    have no limit in common: this is done in a thread, for which callers wait two seconds.
    """

    name = "revocations"

    def __init__(self, core: Core, announce: Callable[[Revocation], object]) -> None:
        self._core = core
        self._announce = announce
        self._idle = IdleThreads("tickerq-revocations")
        self._quiet_until = 0.0
        self._is_failing = False

    def tell(self, ids: Collection[UUID]) -> None:
        """Tell what this process has just committed; what it cannot is left to the sweep. Never raises."""
        if not ids:
            return
        if self._core.clock.monotonic() >= self._quiet_until:
            self._tell_in_time(lambda: self._core.read(revocations.owed, list(ids)))

    def step(self) -> timedelta:
        """Tell a part of what other processes have left; return how long there is nothing more to do.

        Raises:
            StoreError: The database is unreachable.
        """
        left = self._core.write(revocations.take_over, limit=_AT_ONCE)
        if not left:
            self.close()
            return _IDLE
        is_told = self._tell_in_time(lambda: left)
        return timedelta(0) if is_told and len(left) == _AT_ONCE else _IDLE

    def close(self) -> None:
        """Let the threads end; the next use makes another one."""
        self._idle.end()

    def _tell_in_time(self, read: Callable[[], Sequence[Revocation]]) -> bool:
        until = self._core.clock.monotonic() + _BEGUN_SECONDS
        thread, is_told = self._idle.take(), False
        try:
            thread.call(lambda: self._tell_each(read(), until), limit=_SECONDS)
            is_told = True
        except Exception as error:  # noqa: BLE001 - logged: a committed cancel may not look as if it had failed
            self._note_failure(error)
        finally:
            if is_told:
                self._is_failing = False
                self._idle.give_back(thread)
            else:
                thread.end()
        return is_told

    def _tell_each(self, owed: Sequence[Revocation], until: float) -> None:
        failure: Exception | None = None
        for each in owed:
            if self._core.clock.monotonic() > until:
                break
            try:
                self._announce(each)
                self._core.write(revocations.settle, each)
            except Exception as error:  # noqa: BLE001 - raised below: one that fails must not keep the others
                failure = failure or error
        if failure is not None:
            raise failure

    def _note_failure(self, error: Exception) -> None:
        self._quiet_until = self._core.clock.monotonic() + _QUIET_SECONDS
        if not self._is_failing:
            self._is_failing = True
            reason = self._core.redact(f"{type(error).__name__}: {error}")
            logger.warning(
                "the result backend was not told of revoked calls, beat tells it again: %s", reason
            )
