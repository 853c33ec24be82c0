"""Executions of Celery tasks: what a worker has of one, and how a body ends."""

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Row

from tests.inner import (
    Failure,
    Outcome,
    Started,
    TaskExecution,
    published_again,
    rejected,
    retried_by_celery,
    skipped,
    succeeded,
)
from tests.manual_clock import ManualClock
from tests.stateful.bodies import TASK
from tests.stateful.broker import Message
from tickerq_celery.enums import TickerStatus

RETRY_OF_CELERY = timedelta(seconds=4)
# After so many a task fails instead of asking for another retry.
MOST_RETRIES = 2


class AttemptKey(NamedTuple):
    """What names an attempt at a call: one claim may be delivered and retried."""

    claim_no: int
    retries: int
    number: int


@dataclass(eq=False, slots=True)
class CallRequest:
    """The message of a call in a worker's hands; ``recorded`` is its run once the store knows of its body."""

    message: Message
    recorded: Started | None = None
    _began: tuple[ManualClock, float] | None = None

    @property
    def is_begun(self) -> bool:
        """Whether its body runs."""
        return self._began is not None

    def begin(self, clock: ManualClock) -> None:
        """Let its body run from now on."""
        self._began = clock, clock.monotonic()

    def elapsed(self) -> timedelta:
        """Return how long its body has run."""
        assert self._began is not None
        clock, began_at = self._began
        return timedelta(seconds=clock.monotonic() - began_at)

    @property
    def execution(self) -> TaskExecution:
        """What the message says of its run."""
        key = self.message.key
        return TaskExecution(
            id=key.run_id,
            claim_no=key.number,
            task=TASK,
            task_id=str(key.run_id),
            retries=self.message.retries,
        )


class CallEnd(Enum):
    """How the body of a Celery task ends by itself."""

    SUCCEEDS = "succeeds"
    FAILS = "fails"
    RETRIES = "asks for a retry"
    IGNORES = "raises Ignore"
    COMES_AGAIN = "raises Reject, and its message is requeued"

    def __repr__(self) -> str:
        return f"CallEnd.{self.name}"

    @property
    def status(self) -> TickerStatus:
        """The status that a run on time must have then."""
        return {
            CallEnd.SUCCEEDS: TickerStatus.DONE,
            CallEnd.FAILS: TickerStatus.FAILED,
            CallEnd.IGNORES: TickerStatus.SKIPPED,
        }.get(self, TickerStatus.QUEUED)

    def outcome(self, run: Started) -> Outcome:
        """Return what a worker writes for it."""
        failure = Failure(type="ValueError", message="said so")
        return {
            CallEnd.SUCCEEDS: lambda: succeeded(run.standing),
            CallEnd.FAILS: lambda: rejected(run.standing, failure),
            CallEnd.RETRIES: lambda: retried_by_celery(run.standing, failure, RETRY_OF_CELERY),
            CallEnd.IGNORES: lambda: skipped(run.standing, "nothing to do"),
            CallEnd.COMES_AGAIN: lambda: published_again(run.standing, failure),
        }[self]()


def is_call(run: Row[Any]) -> bool:
    """Whether a run is the call of a Celery task."""
    return bool(run.function == TASK)


class CallLife:
    """What must be true of one call, as far as its row alone does not say it."""

    def __init__(self, run_id: UUID) -> None:
        self.run_id = run_id
        # Where each execution was recorded to have begun, by the row's count after it.
        self.began: dict[int, AttemptKey] = {}
        self.ended: set[AttemptKey] = set()
        # It has begun after its end, or that turned out to be another: what that end decided stays.
        self.is_revised = False

    def note_start(self, key: AttemptKey, *, was_over: bool) -> None:
        """Know that an execution is recorded."""
        self.began[key.number + 1] = key
        self.is_revised = self.is_revised or was_over
