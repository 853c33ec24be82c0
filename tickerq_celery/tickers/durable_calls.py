"""A call of a Celery task that is kept until it is due, and the revocation of one that was cancelled."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tickerq_celery.payload.celery_call import CeleryCall
from tickerq_celery.payload.codec import Packed
from tickerq_celery.tickers.claims import TaskExecution


@dataclass(frozen=True, slots=True, kw_only=True)
class DurableCall:
    """What ``apply_async`` was asked for: the task, the id of its message, and when it is ``due``.

    ``retries`` counts the retries of the message, as Celery does. ``retry_of`` is the execution that its
    header names as the one it retries, or None.
    """

    task: str
    task_id: str
    due: datetime
    retries: int
    queue: str | None
    call: CeleryCall
    retry_of: TaskExecution | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """A call that was cancelled before it was published, which Celery's result backend is still to be told.

    ``takeovers`` is the fence of its end: how often a sweep has taken it from the process that had it.
    """

    id: UUID
    takeovers: int
    task: str
    task_id: str
    call: Packed
