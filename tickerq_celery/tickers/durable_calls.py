"""A call of a Celery task that is kept until it is due."""

from dataclasses import dataclass
from datetime import datetime

from tickerq_celery.payload.celery_call import CeleryCall


@dataclass(frozen=True, slots=True, kw_only=True)
class DurableCall:
    """What ``apply_async`` was asked for: the task, the id of its message, and when it is ``due``.

    ``retries`` counts the retries of the message, as Celery does.
    """

    task: str
    task_id: str
    due: datetime
    retries: int
    queue: str | None
    call: CeleryCall
