"""Which queue the messages of a function go to, by Celery's own router."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from celery import Celery
from celery.app.routes import MapRoute
from celery.exceptions import QueueNotFound

from tickerq_celery.broker.messages import task_name
from tickerq_celery.tickers.flows import FunctionQueue
from tickerq_celery.tickers.losses import MessageFlow

_PLACES = ("queue", "exchange", "routing_key")


def queue_of(app: Celery, function: str, queue: str | None) -> str | None:
    """Return the queue to which the messages of a function go, or None where a route names an exchange only.

    ``queue`` is the run's own, None where Celery's router decides.

    Raises:
        QueueNotFound: The queue is not in ``task_queues``, and Celery may not make it.
        Exception: What a router of the user's raises.
    """
    return _routed(app, task_name(function), queue)


def _routed(
    app: Celery, task: str, queue: str | None, options: Mapping[str, Any] = MappingProxyType({})
) -> str | None:
    route = app.amqp.router.route({**options, **({} if queue is None else {"queue": queue})}, task)
    if "exchange" in route or "routing_key" in route:
        return None
    return str(route["queue"].name)


def _options_of(app: Any, task: str) -> Mapping[str, Any]:
    """Return what a task's own decorator says of where its messages go."""
    options = {name: getattr(app.tasks.get(task), name, None) for name in _PLACES}
    return {name: value for name, value in options.items() if value is not None}


class KnownRoutes:
    """The queues of functions' messages, each asked for once: routers are the user's, and may be slow."""

    def __init__(self, app: Celery) -> None:
        self._app = app
        # By the name of the task.
        self._known: dict[str, str | None] = {}

    def queue_of(self, flow: FunctionQueue) -> str | None:
        """Return the queue to which runs of a function go, given their own; None where it is not known."""
        return self._queue_of(task_name(flow.function), flow.queue)

    def queue_of_messages(self, flow: MessageFlow) -> str | None:
        """Return the same for messages of a function or of a Celery task.

        That of a task is not known where a router of the user's may look at its arguments.
        """
        if not flow.is_call:
            return self._queue_of(task_name(flow.name), flow.queue)
        app: Any = self._app
        if flow.queue is None and not all(isinstance(each, MapRoute) for each in app.amqp.routes):
            return None
        return self._queue_of(flow.name, flow.queue)

    def _queue_of(self, task: str, queue: str | None) -> str | None:
        if queue is not None:
            return queue
        if task not in self._known:
            try:
                self._known[task] = _routed(self._app, task, None, _options_of(self._app, task))
            except Exception:  # noqa: BLE001 - the user's router: what it raises is logged at the publishing
                self._known[task] = None
        return self._known[task]


def missing_queue(app: Celery, function: str, queue: str | None) -> str | None:
    """Return why Celery publishes nothing to a function's queue, as ``task_queues`` lacks it, or None."""
    if app.conf.task_create_missing_queues:
        # Asking would make the queue, and a worker would consume it.
        return None
    try:
        queue_of(app, function, queue)
    except QueueNotFound as error:
        return str(error.args[0])
    except Exception:  # noqa: BLE001 - the user's router: what it raises is logged when something is published
        return None
    return None
