"""What is asked of Celery's requests in a worker's main process."""

from typing import Any

from celery import Task
from celery.app.task import Context

from tests.inner import CALL_HEADER, TaskExecution


class Request:
    """All that is asked of a request of Celery's."""

    def __init__(self, execution: TaskExecution, task_id: str) -> None:
        self.id = task_id
        self.time_start = 1.0
        self.task = Task
        # Celery's own signals hand on this object.
        self.kwargs: dict[str, Any] = {}
        headers: dict[str, Any] = {CALL_HEADER: [str(execution.id), execution.claim_no]}
        self.request_dict = {**headers, "id": task_id, "task": execution.task, "retries": execution.retries}
        self.context = Context(self.request_dict)
