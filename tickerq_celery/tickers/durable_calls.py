"""A call of a Celery task that is kept until it is due."""

from dataclasses import dataclass
from datetime import datetime

from tickerq_celery.payload.celery_call import CeleryCall
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
