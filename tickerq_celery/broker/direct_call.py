"""A call that is not kept after all: the message that Celery made goes to the broker, with its moment."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, NoReturn, Protocol

from celery import Celery
from celery.utils.quorum_queues import detect_quorum_queues
from celery.utils.time import maybe_make_aware

from tickerq_celery.errors import CallNotKeptError, TickerValidationError


class NotKeepableError(Exception):
    """A ``part`` of a message cannot be kept as JSON; the text says why."""

    def __init__(self, part: str, reason: str) -> None:
        super().__init__(f"its {part} {reason}")
        self.part = part


class NotStoredError(Exception):
    """The store did not take a call in time, or not at all; the text says why."""


NotKept = NotKeepableError | NotStoredError | TickerValidationError


class NotSentError(Exception):
    """A message cannot be sent as it is: Celery sends the call anew."""


class Direct(Protocol):
    """What becomes of a call that is not kept."""

    def leave(self, error: NotKept) -> None:
        """Give the call up, or raise."""

    def publish(self, body: Any, options: dict[str, Any]) -> None:
        """Publish what Celery has made of a call that was given up; ``options`` are kombu's."""


class RefusedCall:
    """Refuses a call of a ``task`` that an outbox cannot keep: what is sent would not wait for the commit."""

    def __init__(self, task: str) -> None:
        self._task = task

    def leave(self, error: NotKept) -> NoReturn:
        """Refuse the call.

        Raises:
            CallNotKeptError: It says why.
            TickerValidationError: The session cannot be used, whatever is called.
        """
        if not isinstance(error, TickerValidationError):
            raise CallNotKeptError(self._task, str(error)) from error
        if error.field == "session":
            raise error
        # Not its whole text, which shows the value: arguments are not logged.
        raise CallNotKeptError(self._task, f"{error.field}: {error.reason}") from None

    def publish(self, body: Any, options: dict[str, Any]) -> NoReturn:
        """Never called: what is refused has raised."""
        raise AssertionError("a refused call is not published")


class DirectCall:
    """Hands what Celery publishes for one call to the broker, by the caller's own producer if there is one.

    Celery has made it without its moment: ``eta`` is that. ``report`` is given why the call is not kept.
    """

    def __init__(self, app: Celery, producer: Any, report: Callable[[NotKept], None], eta: str) -> None:
        self._app: Any = app
        self._producer = producer
        self._report = report
        self._eta = eta

    def leave(self, error: NotKept) -> None:
        """Give the call up.

        Raises:
            NotSentError: Celery chooses its exchange by its moment, for quorum queues.
        """
        self._report(error)
        transport = self._app.producer_pool.connections.connection.transport
        if detect_quorum_queues(self._app, transport.driver_type)[0]:
            raise NotSentError

    def publish(self, body: Any, options: dict[str, Any]) -> None:
        """Publish the message, or the event that follows it; ``options`` are kombu's."""
        # The message's headers, or the body of an event and of Celery's first protocol.
        parts = body if isinstance(body, dict) else options["headers"]
        parts["eta"] = self._eta
        with self._app.producer_or_acquire(self._producer) as producer:
            producer.publish(body, **options)


def eta_text(app: Any, countdown: Any, eta: Any) -> str:
    """Return the moment of a call as Celery writes it into its message."""
    if countdown:
        return str(maybe_make_aware(app.now() + timedelta(seconds=countdown), tz=app.timezone).isoformat())
    return eta if isinstance(eta, str) else str(eta.isoformat())


def is_of_app(app: Any, producer: Any) -> bool:
    """Return True if a call's own producer reaches the app's broker, or if it has none."""
    if producer is None:
        return True
    own, given = app.connection_for_write(), producer.connection
    # After a failover a connection has another address, of the same list.
    return given is not None and (_address(given) == _address(own) or given.alt == own.alt != [])


def _address(connection: Any) -> str:
    return str(connection.as_uri(include_password=True))
