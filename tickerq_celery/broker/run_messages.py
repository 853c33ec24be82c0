"""The messages of one batch of function runs: what they have in common is looked up once."""

from collections.abc import Mapping, Sequence
from typing import Any

from celery import Celery
from celery.utils.nodenames import anon_nodename
from kombu import Producer

# What ``app.send_task`` takes from a task, and does not show to a router.
_LIMITS = ("time_limit", "soft_time_limit", "expires")


class RoutingError(Exception):
    """The router of an app raised ``error`` for one message."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


class BatchRouter:
    """Asks an app's router once for all messages of a batch that have task, queue and priority in common.

    ``app.send_task`` takes one in place of the app's own. Where the app's raises, it is asked again for the
    next message. A batch ends at any other error, so that from the second message on the queue is declared.
    """

    def __init__(self, router: Any) -> None:
        self._router = router
        self._routes: dict[tuple[object, ...], Mapping[str, Any]] = {}

    def known(self, name: str, options: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Return all options of the first message that was alike, or None where this is the first."""
        return self._routes.get(_alike(name, options))

    def route(
        self,
        options: dict[str, Any],
        name: str,
        args: Sequence[Any] | None = (),
        kwargs: Mapping[str, Any] | None = None,
        task_type: Any = None,
    ) -> dict[str, Any]:
        """Return the options of a message with what its route adds.

        Raises:
            RoutingError: The router raised.
        """
        known = self.known(name, options)
        if known is not None:
            return {**known, "headers": options.get("headers"), "declare": []}
        try:
            route = self._router.route(options, name, args, kwargs, task_type)
        # The user's router may raise anything.
        except Exception as error:
            raise RoutingError(error) from error
        self._routes[_alike(name, options)] = dict(route)
        return dict(route)


class RunMessages:
    """Sends the first message of those that are alike by ``app.send_task``, and the others as it would.

    It spends more time on what all of them have in common than on a message.
    """

    def __init__(self, app: Celery) -> None:
        self._app: Any = app
        self._router = BatchRouter(self._app.amqp.router)
        # A message that is sent by a task says so, and may have its priority.
        self._is_by_a_task = self._app.current_worker_task is not None
        self._origin = anon_nodename()

    def send_task(
        self,
        name: str,
        *,
        producer: Producer,
        task_id: str,
        headers: Mapping[str, Any],
        ignore_result: bool,
        time_limit: float | None = None,
        **options: Any,
    ) -> None:
        """Send a message without arguments; these are keywords of ``app.send_task``, as are ``options``.

        Raises:
            RoutingError: The router raised for it.
        """
        route = None if self._is_by_a_task or self._has_limits(name) else self._router.known(name, options)
        if route is None:
            own = {} if time_limit is None else {"time_limit": time_limit}
            self._app.send_task(
                name,
                producer=producer,
                router=self._router,
                task_id=task_id,
                headers=headers,
                ignore_result=ignore_result,
                **own,
                **options,
            )
            return
        message = self._message(name, task_id, ignore_result=ignore_result, time_limit=time_limit)
        its_own: dict[str, Any] = {**route, "headers": headers, "declare": []}
        self._app.amqp.send_task_message(producer, name, message, **its_own)

    def _message(self, name: str, task_id: str, *, ignore_result: bool, time_limit: float | None) -> Any:
        return self._app.amqp.create_task_message(
            task_id,
            name,
            argsrepr="()",
            kwargsrepr="{}",
            reply_to=self._app.thread_oid,
            time_limit=time_limit,
            create_sent_event=self._app.conf.task_send_sent_event,
            ignore_result=ignore_result,
            origin=self._origin,
        )

    def _has_limits(self, name: str) -> bool:
        task = self._app.tasks.get(name)
        return any(getattr(task, limit, None) is not None for limit in _LIMITS)


def _alike(name: str, options: Mapping[str, Any]) -> tuple[object, ...]:
    return name, options.get("queue"), options.get("priority")
