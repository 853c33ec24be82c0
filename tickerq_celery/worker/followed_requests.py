"""The requests of a worker's main process whose executions are followed."""

import threading
from typing import Any
from weakref import WeakSet

from celery.worker.request import Request

from tickerq_celery.broker.messages import execution_in
from tickerq_celery.tickers.claims import TaskExecution


class FollowedRequests:
    """The requests with our header that live: some of Celery's signals do not name theirs."""

    def __init__(self) -> None:
        self._requests: WeakSet[Request] = WeakSet()
        # A pool's own threads send signals, too.
        self._mutex = threading.Lock()

    def add(self, request: Request) -> None:
        """Keep a request in mind while Celery holds it, if it has our header."""
        if execution_of(request) is not None:
            with self._mutex:
                self._requests.add(request)

    def accepted_with(self, kwargs: object) -> TaskExecution | None:
        """Return what the request executes whose very keywords these are, if a pool has accepted it.

        A signal has the object that its request has. The id of the task is that of each claim of its run, and
        the request of a lost child may fail while another child executes the next claim.
        """
        with self._mutex:
            found = [each for each in self._requests if each.kwargs is kwargs and each.time_start]
        return execution_of(found[0]) if found else None


def execution_of(request: Any) -> TaskExecution | None:
    """Return the execution that a request asks for, or None where it is not followed."""
    headers = request.request_dict
    return execution_in(headers, headers.get("retries"))
