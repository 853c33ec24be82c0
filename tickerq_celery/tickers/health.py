"""The findings of a health report: each in words, with its severity and what to do."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class Severity(StrEnum):
    """How severe a finding is: all is well, an operator should know, or a person must act."""

    OK = "ok"
    WARNING = "warning"
    FAILURE = "failed"


class FindingCode(StrEnum):
    """What a finding is about; programs distinguish findings by it, since texts may change.

    ``docs/operations/health.md`` says of each what it means and what to do.
    """

    MODULES = "modules"
    SETTINGS = "settings"
    STORE = "store"
    SCHEMA = "schema"
    BROKER = "broker"
    BROKER_REFUSES = "broker_refuses"
    BEATS = "beats"
    NO_BEAT = "no_beat"
    BEAT_SILENT = "beat_silent"
    BEAT_DEAD = "beat_dead"
    BEAT_LATE = "beat_late"
    WORKERS = "workers"
    NO_WORKER = "no_worker"
    WORKER_SILENT = "worker_silent"
    WORKER_DEAD = "worker_dead"
    STOPPING = "stopping"
    OTHER_BROKER = "other_broker"
    SHARED_QUEUE = "shared_queue"
    CLOCK_OFF = "clock_off"
    VERSION_SKEW = "version_skew"
    FUNCTION_SKEW = "function_skew"
    BACKLOG = "backlog"
    OVERDUE_RUNS = "overdue_runs"
    OVERDUE_CRONS = "overdue_crons"
    UNSTARTED_RUNS = "unstarted_runs"
    UNREPORTED_CALLS = "unreported_calls"
    NO_CONSUMER = "no_consumer"
    NO_ROUTE = "no_route"
    NO_FUNCTION = "no_function"
    ORPHANED_RUNS = "orphaned_runs"
    CANCEL_UNHEEDED = "cancel_unheeded"
    LOST_RUNS = "lost_runs"
    MISSED_INSTANTS = "missed_instants"
    FAILING = "failing"
    LIMIT_FULL = "limit_full"
    PAUSED = "paused"
    RETENTION_LATE = "retention_late"
    RETENTION_NAME = "retention_name"
    ARCHIVE = "archive"
    ROLL_UP_LATE = "roll_up_late"
    DROPPED = "dropped"


class SubjectKind(StrEnum):
    """What kind of thing a finding is about."""

    NODE = "node"
    QUEUE = "queue"
    FUNCTION = "function"
    TAG = "tag"
    EVERYTHING = "everything"
    CRON_TICKER = "cron_ticker"
    RUN = "run"
    STORE = "store"
    BROKER = "broker"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Subject:
    """The one thing that a finding is about.

    ``name`` is what people call it, empty for everything; ``id`` is that of a node, a cron ticker or a run.
    """

    kind: SubjectKind
    name: str = ""
    id: UUID | None = None

    def __str__(self) -> str:
        return f"{self.kind.replace('_', ' ')} {self.name}".rstrip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was found; ``subject`` is what it is about, None where that is not one thing.

    ``since`` is when it began, where that is known, and ``remedy`` what a person can do about it. Of a queue
    in which runs wait, ``functions`` are those whose runs have no queue of their own: Celery's router sends
    them there. ``error_head`` is how the message of the last exception begins, where that is the cause:
    ``text`` has only its type, since messages may hold what is not for all who read reports. ``measured`` is
    of a store that cannot be read: what is known of it, without the addresses and drivers' words in ``text``.
    """

    code: FindingCode
    severity: Severity
    text: str
    subject: Subject | None = None
    since: datetime | None = None
    remedy: str | None = None
    functions: tuple[str, ...] = ()
    error_head: str | None = None
    measured: str | None = None

    def __str__(self) -> str:
        error = "" if self.error_head is None else f" (the last error: {self.error_head})"
        remedy = "" if self.remedy is None else f": {self.remedy}"
        return f"{self.severity.value:<8} {self.text}{error}{remedy}"


_MOST_SEVERE_FIRST = (Severity.FAILURE, Severity.WARNING, Severity.OK)
# What an operator asks first, where nothing is wrong.
_HEADLINES = {FindingCode.BEATS, FindingCode.WORKERS, FindingCode.BACKLOG}


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthReport:
    """All findings of one look; ``at`` is the database's time, None where the store did not answer."""

    at: datetime | None
    findings: tuple[Finding, ...]

    @property
    def severity(self) -> Severity:
        """The severity of the worst finding."""
        return self.problems[0].severity if self.problems else Severity.OK

    @property
    def problems(self) -> tuple[Finding, ...]:
        """The findings that are failures, then those that are warnings, the worst first."""
        ordered = sorted(self.findings, key=lambda each: _MOST_SEVERE_FIRST.index(each.severity))
        return tuple(each for each in ordered if each.severity is not Severity.OK)

    @property
    def headline(self) -> str:
        """One sentence: that all is well, or the worst problem."""
        if self.problems:
            return self.problems[0].text
        return f"All well: {_listed([each.text for each in self.findings if each.code in _HEADLINES])}"

    @property
    def is_well(self) -> bool:
        """Whether no finding is a failure, for probes; warnings may be there."""
        return self.severity is not Severity.FAILURE


def _listed(texts: Sequence[str]) -> str:
    return "; ".join(texts) or "nothing was found that is wrong"
