"""The requests of a worker's main process whose executions are followed."""

import threading
from typing import Any
from weakref import WeakSet

from celery.worker.request import Request

from tickerq_celery.broker.messages import execution_in
from tickerq_celery.tickers.claims import TaskExecution


class FollowedRequests:
    """The requests with our header that live: some of Celery's signals name no more than a task's id."""

    def __init__(self) -> None:
        self._requests: WeakSet[Request] = WeakSet()
        # A pool's own threads send signals, too.
        self._mutex = threading.Lock()

    def add(self, request: Request) -> None:
        """Keep a request in mind while Celery holds it, if it has our header."""
        if execution_of(request) is not None:
            with self._mutex:
                self._requests.add(request)

    def executions_of(self, task_id: object) -> list[TaskExecution]:
        """Return what the requests of a task's id that a pool has accepted execute."""
        with self._mutex:
            found = [each for each in self._requests if each.id == task_id and each.time_start]
        return [execution for each in found if (execution := execution_of(each)) is not None]


def execution_of(request: Any) -> TaskExecution | None:
    """Return the execution that a request asks for, or None where it is not followed."""
    headers = request.request_dict
    return execution_in(headers, headers.get("retries"))
