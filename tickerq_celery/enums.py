"""The words of the domain, as the database and the wire hold them; those of TickerQ have its integers.

What takes a member takes its word, too: ``…Like`` is the type of both, so that editors complete the words.
What is not in ``__all__`` is of the inside: no call takes it, and none returns it.
"""

from enum import IntEnum, StrEnum
from typing import Literal, TypeAlias

__all__ = [
    "CLAIMED",
    "RETRIABLE",
    "SUCCEEDED",
    "TERMINAL",
    "UNENDED",
    "UNSTARTED",
    "AuditOutcome",
    "AuditOutcomeLike",
    "BulkAction",
    "BulkActionLike",
    "BulkState",
    "BulkStateLike",
    "HoldReason",
    "HoldReasonLike",
    "MisfirePolicy",
    "MisfirePolicyLike",
    "NodeKind",
    "NodeKindLike",
    "OnConflict",
    "OnConflictLike",
    "OnLost",
    "OnLostLike",
    "Origin",
    "OriginLike",
    "OverlapPolicy",
    "OverlapPolicyLike",
    "PauseKind",
    "RunCondition",
    "RunConditionLike",
    "SettingSource",
    "TickerKind",
    "TickerKindLike",
    "TickerPriority",
    "TickerPriorityLike",
    "TickerStatus",
    "TickerStatusLike",
    "TickerType",
    "TickerTypeLike",
]


def word_of(member: IntEnum) -> str:
    """Return a member's name as TickerQ writes it, such as ``DueDone``."""
    return member.name.title().replace("_", "")


class TickerStatus(IntEnum):
    """Where a run stands in its life; it prints as TickerQ's word."""

    IDLE = 0
    QUEUED = 1
    IN_PROGRESS = 2
    DONE = 3
    DUE_DONE = 4
    FAILED = 5
    CANCELLED = 6
    SKIPPED = 7

    # The other words go into statements as they are, and PyMySQL would send what they print as.
    def __str__(self) -> str:
        return word_of(self)

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)


TickerStatusLike: TypeAlias = (
    TickerStatus
    | Literal["idle", "queued", "in_progress", "done", "due_done", "failed", "cancelled", "skipped"]
)

UNSTARTED = frozenset({TickerStatus.IDLE, TickerStatus.QUEUED})
CLAIMED = frozenset({TickerStatus.QUEUED, TickerStatus.IN_PROGRESS})
UNENDED = UNSTARTED | CLAIMED
SUCCEEDED = frozenset({TickerStatus.DONE, TickerStatus.DUE_DONE})
# Ends that say how an attempt went.
DECIDED = SUCCEEDED | {TickerStatus.FAILED}
TERMINAL = frozenset(TickerStatus) - UNENDED
# Ends after which a person may let the run start again.
RETRIABLE = TERMINAL - SUCCEEDED


class TickerType(IntEnum):
    """Which kind of run: one firing of a cron ticker, or a time ticker."""

    CRON_TICKER_OCCURRENCE = 0
    TIME_TICKER = 1


TickerTypeLike: TypeAlias = TickerType | Literal["cron_ticker_occurrence", "time_ticker"]


class TickerKind(StrEnum):
    """What a run's message asks for: a registered function, or one of the app's own Celery tasks."""

    FUNCTION = "function"
    CELERY_TASK = "celery_task"


TickerKindLike: TypeAlias = TickerKind | Literal["function", "celery_task"]


class RunCondition(IntEnum):
    """Which end of its parent lets a child start."""

    ON_SUCCESS = 0
    ON_FAILURE = 1
    ON_CANCELLED = 2
    ON_FAILURE_OR_CANCELLED = 3
    ON_ANY_COMPLETED_STATUS = 4
    IN_PROGRESS = 5


RunConditionLike: TypeAlias = (
    RunCondition
    | Literal[
        "on_success",
        "on_failure",
        "on_cancelled",
        "on_failure_or_cancelled",
        "on_any_completed_status",
        "in_progress",
    ]
)


class TickerPriority(IntEnum):
    """In which order due runs get slots and are published: smaller goes first."""

    LONG_RUNNING = 0
    HIGH = 1
    NORMAL = 2
    LOW = 3


TickerPriorityLike: TypeAlias = TickerPriority | Literal["long_running", "high", "normal", "low"]


class MisfirePolicy(StrEnum):
    """What happens to cron instants that passed while nothing could create their occurrences."""

    RUN_ONCE = "run_once"
    SKIP = "skip"
    RUN_ALL = "run_all"


MisfirePolicyLike: TypeAlias = MisfirePolicy | Literal["run_once", "skip", "run_all"]


class OverlapPolicy(StrEnum):
    """What happens to an occurrence whose cron ticker has an earlier one that is not terminal."""

    ALLOW = "allow"
    SKIP = "skip"
    BUFFER_ONE = "buffer_one"
    BUFFER_ALL = "buffer_all"
    CANCEL_OTHER = "cancel_other"


OverlapPolicyLike: TypeAlias = (
    OverlapPolicy | Literal["allow", "skip", "buffer_one", "buffer_all", "cancel_other"]
)


class OnLost(StrEnum):
    """What happens to a run whose worker died: start again, or end as Failed."""

    RETRY = "retry"
    FAIL = "fail"


OnLostLike: TypeAlias = OnLost | Literal["retry", "fail"]


class OnConflict(StrEnum):
    """What happens to a ticker whose unique key another one holds that is not terminal."""

    RAISE = "raise"
    RETURN_EXISTING = "return_existing"
    REPLACE = "replace"


OnConflictLike: TypeAlias = OnConflict | Literal["raise", "return_existing", "replace"]


class Origin(StrEnum):
    """What made a run."""

    ADDED = "added"
    CLONE = "clone"
    CALL = "call"
    OUTBOX = "outbox"
    CRON = "cron"
    MANUAL = "manual"
    BACKFILL = "backfill"
    SKIP = "skip"
    MISFIRE = "misfire"
    CHAIN = "chain"


OriginLike: TypeAlias = (
    Origin
    | Literal["added", "clone", "call", "outbox", "cron", "manual", "backfill", "skip", "misfire", "chain"]
)


class BulkAction(StrEnum):
    """What a bulk job does to each of its runs."""

    RETRY = "retry"
    CANCEL = "cancel"
    TERMINATE = "terminate"
    DELETE = "delete"


BulkActionLike: TypeAlias = BulkAction | Literal["retry", "cancel", "terminate", "delete"]


class BulkState(StrEnum):
    """Where a bulk job stands; it ends as done, stopped or failed."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"


BulkStateLike: TypeAlias = BulkState | Literal["waiting", "running", "done", "stopped", "failed"]


class HoldReason(StrEnum):
    """Why a due run may not run yet."""

    FUNCTION = "function"
    LIMIT = "limit"
    KEY = "key"
    RATE = "rate"
    PAUSED = "paused"
    PARENT = "parent"
    OVERLAP = "overlap"


HoldReasonLike: TypeAlias = (
    HoldReason | Literal["function", "limit", "key", "rate", "paused", "parent", "overlap"]
)


class PauseKind(StrEnum):
    """Whose runs a pause holds: those of a function, those with a tag, or all of the namespace."""

    FUNCTION = "function"
    TAG = "tag"
    EVERYTHING = "everything"


class AuditOutcome(StrEnum):
    """What came of an action: it was done, there was nothing to change, or it was refused."""

    DONE = "done"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


AuditOutcomeLike: TypeAlias = AuditOutcome | Literal["done", "unchanged", "refused"]


class NodeKind(StrEnum):
    """What a node does: publish due runs, or execute them."""

    BEAT = "beat"
    WORKER = "worker"


NodeKindLike: TypeAlias = NodeKind | Literal["beat", "worker"]


class SettingSource(StrEnum):
    """Where a setting's value comes from: the first of these that gives it one."""

    KEYWORD = "keyword"
    CONFIGURATION = "configuration"
    ENVIRONMENT = "environment"
    APP = "app"
    DEFAULT = "default"
