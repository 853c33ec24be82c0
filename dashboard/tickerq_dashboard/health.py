"""The process's last health report, which pages and probes show while a later one is made in a thread."""

import logging
import math
import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from tickerq_celery import TickerQ
from tickerq_celery.errors import StoreError
from tickerq_celery.views import Finding, FindingCode, HealthReport, Severity
from tickerq_dashboard.reading.side import SideCount
from tickerq_dashboard.show.durations import THIN, age

logger = logging.getLogger(__name__)
# In seconds. However many pages are open, a process reads one report in the first, and a page tells its age
# from the second on: pages that refresh themselves each have that of the visit before.
FRESH, AGED = 4.0, 10.0
# Who waits for one does so no longer than the first. From the second on one that does not come is missed, and
# from the third on one that nobody has looked for says nothing any more.
TIMEOUT, LATE, OLD = 0.6, 20.0, 120.0
# The first report of a process also loads code and connects: it is waited for until it has taken so long.
FIRST_TIMEOUT = 2.0


# Texts that hold addresses or a driver's words: those are for the log and the command line.
_SENTENCES = {
    (FindingCode.STORE, Severity.OK): "the store answers",
    (FindingCode.STORE, Severity.FAILURE): "the store does not answer",
    (FindingCode.SCHEMA, Severity.FAILURE): "the store's tables are missing, or of another version",
    (FindingCode.BROKER, Severity.OK): "the broker answers",
    (FindingCode.BROKER, Severity.FAILURE): "the broker does not answer",
}
# What a report finds that could not read the store.
_OF_SERVERS = {FindingCode.STORE, FindingCode.SCHEMA, FindingCode.BROKER}


def said(finding: Finding) -> str:
    """Return what the pages say of a finding."""
    return finding.measured or _SENTENCES.get((finding.code, finding.severity), finding.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownReport:
    """The last report that could read the store, None where none has come, and its ``age`` in seconds.

    Where a later one ``is_unread``, as it could not read the store, what that found of store and broker
    stands before the older findings. The next report is ``awaited`` for so many seconds, None while none is
    made; ``has_failed`` is whether none could be made when that was tried last.
    """

    report: HealthReport | None
    age: float
    is_unread: bool = False
    awaited: float | None = None
    has_failed: bool = False

    @property
    def is_late(self) -> bool:
        """Whether the last one says little: none comes, or nobody has looked for so long."""
        if self.is_unread or self.age <= LATE:
            return False
        return self.has_failed or self.age > OLD or (self.awaited is not None and self.awaited >= TIMEOUT)

    @property
    def is_aged(self) -> bool:
        """Whether it is of long ago as nobody has looked: a later one is there in a moment."""
        is_old = self.report is None or self.age > LATE
        is_coming = self.awaited is None or self.awaited < TIMEOUT
        return is_old and is_coming and not self.has_failed and not self.is_unread

    @property
    def seconds(self) -> float | None:
        """How long ago the store was read for it, in seconds; None where it never could be."""
        return round(self.age, 1) if self.age < math.inf else None

    @property
    def old(self) -> str:
        """How old the last report is, empty where it is of just now, or where none has read the store."""
        return age_words(self.age) if AGED < self.age < math.inf else ""


def age_words(seconds: float) -> str:
    """Return how old something is, in words."""
    return age(timedelta(seconds=seconds)).replace(THIN, " ")


def merged(good: HealthReport | None, unread: HealthReport, since: float) -> HealthReport:
    """Return the last report that could read the store, ``since`` seconds ago, with what is wrong now."""
    if good is None:
        return unread
    found = (_with_last_good(each, since) for each in unread.findings)
    older = (each for each in good.findings if each.code not in _OF_SERVERS)
    return HealthReport(at=good.at, findings=(*found, *older))


def _with_last_good(finding: Finding, since: float) -> Finding:
    if finding.code is FindingCode.BROKER:
        return finding
    return replace(finding, measured=f"{said(finding)}; the last good reading was {age_words(since)} ago")


@dataclass(slots=True)
class _Making:
    """A report that is being made, since when, and for whom: the thread whose page waits for it."""

    done: threading.Event
    begun_at: float
    waits: int | None


class HealthWatch:
    """Has reports made by a thread of its own, for which no page waits but the first, and one after an act.

    A page shows the last one, and has a later one made for those after it.
    """

    _read_at: float | None

    def __init__(
        self,
        tickerq: TickerQ,
        *,
        count: Callable[[], Mapping[str, SideCount]] = dict,
        fresh: float = FRESH,
    ) -> None:
        self._tickerq = tickerq
        self._count = count
        self._fresh = fresh
        self._begin_anew()

    @property
    def counts(self) -> Mapping[str, SideCount]:
        """What the side bar counted last, after a report; nothing before that, or where it cannot be read."""
        return self._counts

    def begin(self) -> None:
        """Have the first report of this process made, while the page that will show it reads its own."""
        self._check_process()
        with self._lock:
            if self._making is not None and self._making.waits == threading.get_ident():
                # That was an earlier page.
                self._making.waits = None
            if self._read_at is None and self._making is None:
                self._make(threading.get_ident())

    def renew(self) -> None:
        """Have a report made of what has been changed just now, which the page of that will show."""
        self._check_process()
        with self._lock:
            if self._read_at is not None:
                self._read_at = min(self._read_at, time.monotonic() - self._fresh - 0.001)
            # What is being made may have been read before.
            self._make(threading.get_ident())

    def refresh(self) -> None:
        """Have a later report made where the last one is old, for those who come after."""
        self._check_process()
        with self._lock:
            if self._making is None and self._age() > self._fresh:
                self._make(None)

    def look(self) -> KnownReport:
        """Return the last report, as pages show it: without waiting, but where one is made for this page."""
        self._check_process()
        with self._lock:
            making = self._making
            if making is None or making.waits != threading.get_ident():
                return self._known()
            making.waits = None
            timeout = self._usual(making)
        return self._after(making, timeout)

    def ask(self, timeout: float | None = None) -> KnownReport:
        """Return a report as probes and programs want it: for a fresh one they wait ``timeout`` seconds.

        Without ``timeout`` that is the usual one; for the first report of the process, until that has taken
        its longer one.
        """
        self._check_process()
        with self._lock:
            if self._age() <= self._fresh:
                return self._known()
            making = self._making or self._make(None)
            timeout = self._usual(making) if timeout is None else timeout
        return self._after(making, timeout)

    def _after(self, making: _Making, timeout: float) -> KnownReport:
        making.done.wait(timeout)
        with self._lock:
            return self._known()

    def _check_process(self) -> None:
        # A fork has no threads of its parent's: what one of them was reading never comes.
        if self._pid != os.getpid():
            self._begin_anew()

    def _begin_anew(self) -> None:
        self._lock = threading.Lock()
        self._good: HealthReport | None = None
        self._good_at = -math.inf
        self._unread: HealthReport | None = None
        self._has_failed = False
        self._read_at = None
        self._making: _Making | None = None
        self._counts: Mapping[str, SideCount] = {}
        self._pid = os.getpid()

    def _make(self, waits: int | None) -> _Making:
        making = self._making = _Making(done=threading.Event(), begun_at=time.monotonic(), waits=waits)
        # A daemon: where the process ends, nobody reads what it reads.
        threading.Thread(target=self._run, args=(making,), name="tickerq-health", daemon=True).start()
        return making

    def _run(self, making: _Making) -> None:
        report = None
        try:
            report = self._tickerq.health.report()
        except Exception:
            # A page that lists runs must not fail for its banner.
            logger.exception("the health report failed")
        with self._lock:
            # Of one that a later one has overtaken nothing is kept.
            if making is self._making:
                self._read_at, self._making = time.monotonic(), None
                self._note(report, self._read_at)
        making.done.set()
        # Nobody waits for that.
        self._counts = self._counted() if report is not None and report.at is not None else {}

    def _counted(self) -> Mapping[str, SideCount]:
        try:
            return self._count()
        except StoreError:
            return {}
        except Exception:
            # As for the report: it ends this thread without a page.
            logger.exception("the numbers of the side bar failed")
            return {}

    def _note(self, report: HealthReport | None, now: float) -> None:
        """Keep a report: the last that could read the store, and a later one that could not."""
        self._has_failed = report is None
        if report is not None and report.at is not None:
            self._good, self._good_at, self._unread = report, now, None
        elif report is not None:
            self._unread = report

    def _usual(self, making: _Making) -> float:
        if self._read_at is not None:
            return TIMEOUT
        # Not from now on: a page whose own readings took all of their time would end too late.
        return max(TIMEOUT, FIRST_TIMEOUT - (time.monotonic() - making.begun_at))

    def _known(self) -> KnownReport:
        now = time.monotonic()
        old = math.inf if self._good is None else now - self._good_at
        return KnownReport(
            report=self._good if self._unread is None else merged(self._good, self._unread, old),
            age=old,
            is_unread=self._unread is not None,
            awaited=None if self._making is None else now - self._making.begun_at,
            has_failed=self._has_failed,
        )

    def _age(self) -> float:
        return math.inf if self._read_at is None else time.monotonic() - self._read_at
