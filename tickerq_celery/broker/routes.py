"""Which queue the messages of a function go to, by Celery's own router."""

from celery import Celery
from celery.exceptions import QueueNotFound

from tickerq_celery.broker.messages import task_name
from tickerq_celery.tickers.flows import FunctionQueue


def queue_of(app: Celery, function: str, queue: str | None) -> str | None:
    """Return the queue to which the messages of a function go, or None where a route names an exchange only.

    ``queue`` is the run's own, None where Celery's router decides.

    Raises:
        QueueNotFound: The queue is not in ``task_queues``, and Celery may not make it.
        Exception: What a router of the user's raises.
    """
    route = app.amqp.router.route({} if queue is None else {"queue": queue}, task_name(function))
    if "exchange" in route or "routing_key" in route:
        return None
    return str(route["queue"].name)


class KnownRoutes:
    """The queues of functions' messages, each asked for once: routers are the user's, and may be slow."""

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._known: dict[FunctionQueue, str | None] = {}

    def queue_of(self, flow: FunctionQueue) -> str | None:
        """Return the queue to which runs of a function go, given their own; None where it is not known."""
        if flow.queue is not None:
            return flow.queue
        if flow not in self._known:
            try:
                self._known[flow] = queue_of(self._app, flow.function, None)
            except Exception:  # noqa: BLE001 - the user's router: what it raises is logged at the publishing
                self._known[flow] = None
        return self._known[flow]


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
