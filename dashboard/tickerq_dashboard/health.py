"""The process's last health report, which the banner and the probes show, read again when it is old."""

import logging
import math
import os
import threading
import time
from dataclasses import dataclass

from tickerq_celery import TickerQ
from tickerq_celery.views import HealthReport

logger = logging.getLogger(__name__)
# In seconds. However many pages are open, a process reads one report in the first; a page waits for one no
# longer than the second, and shows an older one up to the third.
FRESH, TIMEOUT, KEPT = 5.0, 0.6, 60.0
# The first report of a process also loads code and connects: a page waits for it until it has taken so long.
FIRST_TIMEOUT = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownReport:
    """A report and its age in seconds; None where none came in time."""

    report: HealthReport | None
    age: float


class HealthWatch:
    """Reads reports in a thread of its own, so that a slow one delays no page beyond its timeout."""

    def __init__(self, tickerq: TickerQ, *, fresh: float = FRESH) -> None:
        self._tickerq = tickerq
        self._fresh = fresh
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._last: HealthReport | None = None
        self._read_at: float | None = None
        self._begun_at = -math.inf
        self._done: threading.Event | None = None

    def begin_first(self) -> None:
        """Begin to read the first report of this process, while the page that will show it reads its own."""
        if self._pid != os.getpid():
            self._begin_anew()
        with self._lock:
            if self._read_at is None and self._done is None:
                self._begin()

    def look(self, timeout: float | None = None) -> KnownReport:
        """Return the latest report, waiting ``timeout`` seconds for one where the last is old.

        Without ``timeout`` that is the usual one; for the first report of the process, until that has taken
        its longer one.
        """
        if self._pid != os.getpid():
            self._begin_anew()
        with self._lock:
            if self._age() <= self._fresh:
                return self._known()
            done = self._done or self._begin()
            usual = TIMEOUT if self._read_at is not None else self._left_for_first()
        done.wait(usual if timeout is None else timeout)
        with self._lock:
            return self._known()

    def renew(self) -> None:
        """Read a new report on the next request: what it is about has been changed."""
        with self._lock:
            if self._read_at is not None:
                self._read_at = min(self._read_at, time.monotonic() - self._fresh - 0.001)

    def _begin_anew(self) -> None:
        # A fork has no threads of its parent's: what one of them was reading never comes.
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._last, self._read_at, self._done = None, None, None

    def _begin(self) -> threading.Event:
        done = self._done = threading.Event()
        self._begun_at = time.monotonic()
        threading.Thread(target=self._run, args=(done,), name="tickerq-health", daemon=True).start()
        return done

    def _run(self, done: threading.Event) -> None:
        report = None
        try:
            report = self._tickerq.health.report()
        except Exception:
            # A page that lists runs must not fail for its banner.
            logger.exception("the health report failed")
        with self._lock:
            self._last, self._read_at, self._done = report, time.monotonic(), None
        done.set()

    def _left_for_first(self) -> float:
        # Not from now on: a page whose own readings took all of their time would end too late.
        return max(TIMEOUT, FIRST_TIMEOUT - (time.monotonic() - self._begun_at))

    def _known(self) -> KnownReport:
        age = self._age()
        return KnownReport(report=self._last if age <= KEPT else None, age=age)

    def _age(self) -> float:
        return math.inf if self._read_at is None else time.monotonic() - self._read_at
