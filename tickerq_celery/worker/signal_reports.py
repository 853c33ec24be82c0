"""What the signals of a worker's main process report of messages whose bodies did not end by themselves."""

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from uuid import UUID

from tickerq_celery.tickers.claims import TaskExecution


class SignalKind(Enum):
    """How a claim ended before its body did."""

    LOST = "lost"
    TIMED_OUT = "timed out"
    REVOKED = "revoked"
    UNKNOWN = "unknown function"
    # Of Celery tasks only: the process of the body was ended, or Celery retries the task of a lost one, or
    # nothing will be reported.
    TERMINATED = "terminated"
    RETRIED = "retried"
    UNREPORTED = "unreported"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalReport:
    """What a signal reported about one claim; ``queue`` is known of messages for an unknown task.

    ``call`` is the execution where it is one of a Celery task, ``wait`` what its retry waits.
    """

    ticker_id: UUID
    claim_no: int
    kind: SignalKind
    message: str
    queue: str = ""
    call: TaskExecution | None = None
    wait: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeReport:
    """The messages that a control command revoked, by their ids."""

    task_ids: tuple[str, ...]


Report = SignalReport | RevokeReport
