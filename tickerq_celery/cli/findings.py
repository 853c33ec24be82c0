"""What `check` prints: a finding a line."""

from dataclasses import dataclass
from enum import Enum


class Severity(Enum):
    """How severe a finding is: a failure ends `check` with exit code 1."""

    OK = "ok"
    WARNING = "warning"
    FAILURE = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of what `check` prints."""

    severity: Severity
    text: str

    def __str__(self) -> str:
        return f"{self.severity.value:<8} {self.text}"


def failed(text: str) -> Finding:
    """Return a finding that ends `check` with exit code 1."""
    return Finding(Severity.FAILURE, text)


def warned(text: str) -> Finding:
    """Return a finding that an operator should know of."""
    return Finding(Severity.WARNING, text)


def fine(text: str) -> Finding:
    """Return a finding that all is well."""
    return Finding(Severity.OK, text)
