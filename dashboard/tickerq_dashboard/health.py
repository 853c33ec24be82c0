"""What the banner and the probes show: the process's last health report, read again when it is old."""

import logging
import math
import os
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from tickerq_celery import TickerQ
from tickerq_celery.views import Finding, FindingCode, HealthReport, Severity, SubjectKind
from tickerq_dashboard.show.places import Place, places_of

logger = logging.getLogger(__name__)
# In seconds. However many pages are open, a process reads one report in the first; a page waits for one no
# longer than the second, and shows an older one up to the third.
FRESH, TIMEOUT, KEPT = 5.0, 0.6, 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownReport:
    """A report and its age in seconds; None where none came in time."""

    report: HealthReport | None
    age: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One sentence of the banner; ``css`` is ok, warning, failed or unknown, and ``sign`` its icon.

    ``place`` is where one can look into it. One that ``is_pinned`` is said however many others are.
    """

    css: str
    sign: str
    text: str
    place: Place | None = None
    is_pinned: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Banner:
    """What every page says of how the system is: one sentence where all is well, else each problem's.

    ``age`` is how many seconds old that is, 0 where it is fresh.
    """

    css: str
    word: str
    lines: tuple[Line, ...]
    age: int

    def shown(self, most: int) -> tuple[Line, ...]:
        """Return the first lines, ``most`` of them, and what is pinned."""
        return (*self.lines[:most], *(each for each in self.lines[most:] if each.is_pinned))


# Texts that hold addresses or a driver's words: those are for the log and the command line.
_SENTENCES = {
    (FindingCode.STORE, Severity.OK): "the store answers",
    (FindingCode.STORE, Severity.FAILURE): "the store does not answer",
    (FindingCode.SCHEMA, Severity.FAILURE): "the store's tables are missing, or of another version",
    (FindingCode.BROKER, Severity.OK): "the broker answers",
    (FindingCode.BROKER, Severity.FAILURE): "the broker does not answer",
}
_SIGNS = {Severity.OK: "done", Severity.WARNING: "warning", Severity.FAILURE: "failed"}


class HealthWatch:
    """Reads reports in a thread of its own, so that a slow one delays no page beyond its timeout."""

    def __init__(self, tickerq: TickerQ, *, fresh: float = FRESH) -> None:
        self._tickerq = tickerq
        self._fresh = fresh
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._last: HealthReport | None = None
        self._read_at: float | None = None
        self._done: threading.Event | None = None

    def look(self, timeout: float = TIMEOUT) -> KnownReport:
        """Return the latest report, waiting ``timeout`` seconds for one where the last is old."""
        if self._pid != os.getpid():
            self._begin_anew()
        with self._lock:
            if self._age() <= self._fresh:
                return self._known()
            done = self._done or self._begin()
        done.wait(timeout)
        with self._lock:
            return self._known()

    def renew(self) -> None:
        """Read a new report the next time that somebody looks: what it is about has been changed."""
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

    def _known(self) -> KnownReport:
        age = self._age()
        return KnownReport(report=self._last if age <= KEPT else None, age=age)

    def _age(self) -> float:
        return math.inf if self._read_at is None else time.monotonic() - self._read_at


def banner_of(known: KnownReport) -> Banner:
    """Return what the pages say of a report, or of its absence."""
    report = known.report
    if report is None:
        text = "Health unknown. No report came in time: the store or the broker may be slow."
        return Banner(css="unknown", word="", lines=(Line(css="unknown", sign="unknown", text=text),), age=0)
    age = round(known.age) if known.age > FRESH else 0
    if not report.problems:
        well = Line(css="ok", sign=_SIGNS[Severity.OK], text=report.headline.partition(": ")[2])
        return Banner(css="ok", word="All well:", lines=(well,), age=age)
    return Banner(css=report.severity.value, word="", lines=tuple(map(_line, report.problems)), age=age)


def _line(finding: Finding) -> Line:
    text = said(finding).rstrip(".")
    # That of a run begins with the name of its function.
    if finding.code is not FindingCode.ORPHANED_RUNS:
        text = f"{text[:1].upper()}{text[1:]}"
    return Line(
        css=finding.severity.value,
        sign=_SIGNS[finding.severity],
        text=f"{text}.",
        place=places_of(finding)[0],
        is_pinned=finding.subject is not None and finding.subject.kind is SubjectKind.EVERYTHING,
    )


def said(finding: Finding) -> str:
    """Return what the pages say of a finding."""
    return _SENTENCES.get((finding.code, finding.severity), finding.text)


def well(findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings that something is well."""
    return [each for each in findings if each.severity is Severity.OK]
