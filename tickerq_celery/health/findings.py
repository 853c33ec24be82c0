"""How findings are made: each severity by its name, and those that are too many to list summed up."""

from collections.abc import Sequence
from datetime import datetime
from typing import TypedDict, Unpack

from tickerq_celery.health.phrases import listed
from tickerq_celery.tickers.counts import Count
from tickerq_celery.tickers.health import Finding, FindingCode, Severity, Subject
from tickerq_celery.wording import moment

_MOST_ALIKE = 10


def is_or_are(count: int | Count) -> str:
    """Return the verb that goes with a number."""
    return "is" if int(count) == 1 else "are"


def waits_or_wait(count: int | Count) -> str:
    """Return the verb of what waits that goes with a number."""
    return "waits" if int(count) == 1 else "wait"


def first_since(at: datetime | None) -> str:
    """Return since when the first of several is so, or nothing where that is not known."""
    return "" if at is None else f", the first since {moment(at)}"


def capped(findings: Sequence[Finding], what: str) -> list[Finding]:
    """Return findings of one kind, the last of them a sum where they are more than a person reads."""
    if len(findings) <= _MOST_ALIKE:
        return list(findings)
    rest = findings[_MOST_ALIKE - 1 :]
    worst = Severity.FAILURE if any(each.severity is Severity.FAILURE for each in rest) else rest[0].severity
    text = f"and {len(rest)} more {what}: {listed(_names([each.subject for each in rest if each.subject]))}"
    return [*findings[: _MOST_ALIKE - 1], Finding(code=rest[0].code, severity=worst, text=text)]


def _names(subjects: Sequence[Subject]) -> list[str]:
    """Return what subjects are called, each with its kind where that is not the same for all."""
    are_alike = len({each.kind for each in subjects}) == 1
    return [each.name if are_alike else str(each) for each in subjects]


class Details(TypedDict, total=False):
    """What a finding may say besides its text, as ``Finding`` has it."""

    remedy: str | None
    subject: Subject | None
    since: datetime | None
    functions: tuple[str, ...]
    error_head: str | None
    measured: str | None


def failure(code: FindingCode, text: str, **details: Unpack[Details]) -> Finding:
    """Return a finding that a person must act on."""
    return Finding(code=code, severity=Severity.FAILURE, text=text, **details)


def warning(code: FindingCode, text: str, **details: Unpack[Details]) -> Finding:
    """Return a finding that an operator should know of."""
    return Finding(code=code, severity=Severity.WARNING, text=text, **details)


def fine(code: FindingCode, text: str, **details: Unpack[Details]) -> Finding:
    """Return a finding that all is well."""
    return Finding(code=code, severity=Severity.OK, text=text, **details)
