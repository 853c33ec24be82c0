"""The maintenance of a beat: what may take long is done beside its loop, in bounded steps."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from queue import Empty, SimpleQueue
from typing import Protocol

from tickerq_celery.errors import ConfigError, StoreError
from tickerq_celery.runtime.backoff import Backoff
from tickerq_celery.runtime.core import Core

logger = logging.getLogger(__name__)
# In seconds.
_SHORTEST_PAUSE = 1.0
_LONGEST_PAUSE = 30.0


class Job(Protocol):
    """Work that any beat may do at any time: several of them share it by row locks, none is the leader."""

    @property
    def name(self) -> str:
        """What the log calls it, as in "maintenance paused: <name> …"."""

    def step(self) -> timedelta:
        """Do one bounded piece of the work; return how long there is nothing more to do."""


class Maintenance:
    """A daemon thread that does one step of a job after the other, on connections that no other part uses.

    A job that fails is logged once, waited out and tried again, and keeps no other job from its steps. Jobs
    are made with ``core``, whose connections are closed at the end.
    """

    def __init__(self, core: Core, jobs: Sequence[Job], begin: Callable[[], object]) -> None:
        self._core = core
        self._jobs = [_ScheduledJob(job) for job in jobs]
        self._begin = begin
        self._has_started = False
        # Only SimpleQueue is used to wait, as it is reentrant: a signal's handler may ask to end.
        self._end: SimpleQueue[None] = SimpleQueue()
        self._ended: SimpleQueue[None] = SimpleQueue()

    def start(self) -> None:
        """Begin, unless it has; call it once the store is known to be there."""
        if not self._has_started:
            self._has_started = True
            threading.Thread(target=self._serve, name="tickerq-maintenance", daemon=True).start()

    def ask_to_end(self) -> None:
        """Let it end after the step that is being done."""
        self._end.put(None)

    def wait_for_end(self, limit: float) -> None:
        """Wait until it has ended, ``limit`` seconds at most: a step that hangs is abandoned."""
        if self._has_started and not _has_come(self._ended, max(0.0, limit)):
            logger.warning("maintenance does not end: its step is abandoned")

    def _serve(self) -> None:
        self._begin()
        wait = 0.0
        while not _has_come(self._end, wait):
            for job in self._jobs:
                if _has_come(self._end, 0.0):
                    break
                job.run_if_due()
            wait = min((job.seconds_until_due() for job in self._jobs), default=_LONGEST_PAUSE)
        self._core.close()
        self._ended.put(None)


def _has_come(wish: SimpleQueue[None], wait: float) -> bool:
    """Wait for what comes once, and return True if it came; it stays for who asks next."""
    try:
        wish.get(timeout=wait)
    except Empty:
        return False
    wish.put(None)
    return True


class _ScheduledJob:
    """One job, when its next step is due, and whether it fails."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._due_at = 0.0
        self._is_failing = False
        self._backoff = Backoff(_SHORTEST_PAUSE, _LONGEST_PAUSE)

    def seconds_until_due(self) -> float:
        """Return the seconds until its next step, 0 where that is due."""
        return max(0.0, self._due_at - time.monotonic())

    def run_if_due(self) -> None:
        """Do a step of the job, if one is due."""
        if self.seconds_until_due() > 0:
            return
        try:
            wait = self._job.step().total_seconds()
        except (StoreError, ConfigError) as error:
            if self._is_new_failure():
                logger.warning("maintenance paused: %s: %s", self._job.name, error)
            wait = self._backoff.next()
        except Exception:
            # Whatever a job does, the others go on.
            if self._is_new_failure():
                logger.exception("maintenance paused: %s failed", self._job.name)
            wait = self._backoff.next()
        else:
            self._resume()
        self._due_at = time.monotonic() + wait

    def _is_new_failure(self) -> bool:
        is_new = not self._is_failing
        self._is_failing = True
        return is_new

    def _resume(self) -> None:
        if self._is_failing:
            logger.warning("maintenance resumed: %s", self._job.name)
        self._is_failing = False
        self._backoff.reset()
