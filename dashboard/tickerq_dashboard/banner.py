"""What the pages say of a health report: in one sentence that all is well, else what is worst."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from tickerq_celery.views import Finding, FindingCode, Pause, Severity, SubjectKind
from tickerq_dashboard.health import TIMEOUT, KnownReport, said
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

    ``age`` is how old that is, empty where it is fresh. ``left_out`` is how many problems have no
    line, since the page itself is about them. With ``is_aged`` a later one is there in a moment.
    """

    css: str
    word: str
    lines: tuple[Line, ...]
    age: str
    left_out: int = 0
    is_aged: bool = False

    def shown(self, most: int) -> tuple[Line, ...]:
        """Return the first lines, ``most`` of them, and what is pinned."""
        return (*self.lines[:most], *(each for each in self.lines[most:] if each.is_pinned))


_SIGNS = {Severity.OK: "done", Severity.WARNING: "warning", Severity.FAILURE: "failed"}


def banner_of(known: KnownReport, topics: Sequence[Topic] = ()) -> Banner:
    """Return what a page that is about ``topics`` says of a report, or of its absence."""
    report = known.report
    if report is None or known.is_late:
        unknown = Line(css="unknown", sign="unknown", text=_unknown(known))
        older = () if report is None else map(_line, report.problems)
        return Banner(css="unknown", word="", lines=(unknown, *older), age="", is_aged=known.is_aged)
    # Of one that is unread the first line says it.
    age = "" if known.is_unread else known.old
    if not report.problems:
        well = Line(css="ok", sign=_SIGNS[Severity.OK], text=report.headline.partition(": ")[2])
        return Banner(css="ok", word="All well:", lines=(well,), age=age, is_aged=known.is_aged)
    others = [each for each in report.problems if not any(topic.has(each) for topic in topics)]
    css = others[0].severity.value if others else ""
    left_out = len(report.problems) - len(others)
    lines = tuple(map(_line, others))
    return Banner(css=css, word="", lines=lines, age=age, left_out=left_out, is_aged=known.is_aged)


def _unknown(known: KnownReport) -> str:
    if known.awaited is not None and known.awaited >= TIMEOUT:
        why = f"No report came within {known.awaited:.1f} s: the store or the broker is slow"
    elif known.has_failed:
        why = "The last report failed: the server's log says why"
    else:
        why = "A report is being made"
    return f"Health unknown. {why}{'' if not known.old else f'. The last report is {known.old} old'}."


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


def well(findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings that something is well."""
    return [each for each in findings if each.severity is Severity.OK]
