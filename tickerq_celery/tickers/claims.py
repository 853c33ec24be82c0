"""Values of a run as it goes on: due, claimed, started; and the slot it takes."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from tickerq_celery.enums import OnLost, TickerKind, TickerPriority, TickerType
from tickerq_celery.payload.codec import Packed
from tickerq_celery.tickers.lifecycle import Standing
from tickerq_celery.tickers.timeouts import UNLIMITED, Timeouts

# No name holds a control character.
_SEPARATOR = "\x1f"
_SHOWN = ":"


class CancelRequest(StrEnum):
    """What is asked of an active run: to end by itself, or to have its process killed."""

    END = "end"
    TERMINATE = "terminate"


@dataclass(frozen=True, slots=True)
class Slot:
    """One function's runs with one concurrency key: at most ``max_concurrency_per_key`` are active."""

    function: str
    key: str

    @property
    def hold_key(self) -> str:
        """The key under which runs are held while as many are active as may be."""
        return f"{self.function}{_SEPARATOR}{self.key}"


def slot_of(function: str, concurrency_key: str | None) -> Slot | None:
    """Return the slot that a run takes, or None where it names no concurrency key."""
    return None if concurrency_key is None else Slot(function, concurrency_key)


def slot_held_under(hold_key: str) -> Slot:
    """Return the slot whose ``hold_key`` this is."""
    function, key = hold_key.split(_SEPARATOR, 1)
    return Slot(function, key)


def shown_hold_key(hold_key: str | None) -> str | None:
    """Return a stored ``hold_key`` as views have it, which people can read and type: ``Send:eu``."""
    return hold_key and hold_key.replace(_SEPARATOR, _SHOWN)


def hold_keys_shown_as(shown: str) -> set[str]:
    """Return the stored ``hold_key``s that views have as ``shown``: any of its colons may part it."""
    colons = (index for index, character in enumerate(shown) if character == _SHOWN)
    return {shown, *(f"{shown[:index]}{_SEPARATOR}{shown[index + 1 :]}" for index in colons)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A due run that this transaction has locked; ``call`` is None unless it is a Celery task's."""

    id: UUID
    claim_no: int
    function: str
    queue: str | None
    concurrency_key: str | None = None
    priority: TickerPriority
    due_at: datetime
    cron_ticker_id: UUID | None = None
    instant: datetime | None = None
    timeouts: Timeouts = UNLIMITED
    has_children: bool = False
    call: Packed | None = None
    task_id: str | None = None

    @property
    def slot(self) -> Slot | None:
        """The slot that it takes, or None where it names no concurrency key."""
        return slot_of(self.function, self.concurrency_key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A run taken for publishing; ``number`` is the fence of every later write.

    One with a ``call`` is published as a plain message of a Celery task, and ended by its stamp.
    """

    id: UUID
    number: int
    function: str
    queue: str | None
    priority: TickerPriority = TickerPriority.NORMAL
    timeouts: Timeouts = UNLIMITED
    due_at: datetime | None = None
    publish_count: int = 0
    has_children: bool = False
    call: Packed | None = None
    task_id: str | None = None
    cron_ticker_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskExecution:
    """One execution of a Celery task's message, as a worker reports it: what the message says of its run.

    ``task`` and ``task_id`` are the message's own: it is the run's only if they are the run's, too, as a body
    may hand its headers on to whatever it calls. ``retries`` is Celery's count of the retries before it.
    """

    id: UUID
    claim_no: int
    task: str
    task_id: str
    retries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A run whose attempt this worker may execute."""

    id: UUID
    claim_no: int
    type: TickerType
    function: str
    queue: str | None
    concurrency_key: str | None
    request: Packed
    execution_time: datetime | None
    parent_id: UUID | None
    cron_ticker_id: UUID | None
    has_children: bool
    instant: datetime | None
    active_key: str | None
    started_at: datetime
    attempts_before: int
    standing: Standing
    timeouts: Timeouts
    kind: TickerKind = TickerKind.FUNCTION
    task_id: str | None = None
    on_lost: OnLost | None = None
    executions: int = 0
    parent_result: bytes | None = None
    cancel_request: CancelRequest | None = None

    @property
    def slot(self) -> Slot | None:
        """The slot that it takes, or None where it names no concurrency key."""
        return slot_of(self.function, self.concurrency_key)

    @property
    def is_call(self) -> bool:
        """Whether it is the call of a Celery task, whose executions workers report."""
        return self.kind is TickerKind.CELERY_TASK

    @property
    def attempt_number(self) -> int:
        """The number of the attempt, from 0."""
        if self.is_call:
            return self.executions - 1
        return self.attempts_before + self.standing.retry_count + self.standing.rescue_count
