"""What the pages say of a health report: in one sentence that all is well, else what is worst."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from tickerq_celery.views import Finding, FindingCode, Pause, Severity, SubjectKind
from tickerq_dashboard.health import FRESH, KnownReport
from tickerq_dashboard.show.places import Place, places_of


@dataclass(frozen=True, slots=True)
class Topic:
    """What a page is about, by its id or else its name; ``code``: only in so far as it is about that."""

    kind: SubjectKind
    key: UUID | str
    code: FindingCode | None = None

    def has(self, finding: Finding) -> bool:
        """Return True if a finding is about it, and nothing that is said however many others are."""
        subject = finding.subject
        if subject is None or subject.kind is not self.kind or _is_pinned(finding):
            return False
        return self.key in (subject.id, subject.name) and self.code in (None, finding.code)


def topics_of(pauses: Iterable[Pause]) -> tuple[Topic, ...]:
    """Return the topics of a page that shows these pauses."""
    return tuple(Topic(SubjectKind(each.kind), each.name, FindingCode.PAUSED) for each in pauses)


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

    ``age`` is how many seconds old that is, 0 where it is fresh. ``left_out`` is how many problems have no
    line, since the page itself is about them.
    """

    css: str
    word: str
    lines: tuple[Line, ...]
    age: int
    left_out: int = 0

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


def banner_of(known: KnownReport, topics: Sequence[Topic] = ()) -> Banner:
    """Return what a page that is about ``topics`` says of a report, or of its absence."""
    report = known.report
    if report is None:
        text = "Health unknown. No report came in time: the store or the broker may be slow."
        return Banner(css="unknown", word="", lines=(Line(css="unknown", sign="unknown", text=text),), age=0)
    age = round(known.age) if known.age > FRESH else 0
    if not report.problems:
        well = Line(css="ok", sign=_SIGNS[Severity.OK], text=report.headline.partition(": ")[2])
        return Banner(css="ok", word="All well:", lines=(well,), age=age)
    others = [each for each in report.problems if not any(topic.has(each) for topic in topics)]
    css = others[0].severity.value if others else ""
    left_out = len(report.problems) - len(others)
    return Banner(css=css, word="", lines=tuple(map(_line, others)), age=age, left_out=left_out)


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
        is_pinned=_is_pinned(finding),
    )


def _is_pinned(finding: Finding) -> bool:
    return finding.subject is not None and finding.subject.kind is SubjectKind.EVERYTHING


def said(finding: Finding) -> str:
    """Return what the pages say of a finding."""
    return _SENTENCES.get((finding.code, finding.severity), finding.text)


def well(findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings that something is well."""
    return [each for each in findings if each.severity is Severity.OK]
