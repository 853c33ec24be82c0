"""Calls of tasks that the app's ``send_task`` keeps: later ones by ``durable_eta``, and all of an outbox."""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from celery import Celery, current_task
from celery.utils.time import maybe_iso8601, maybe_make_aware
from kombu.exceptions import OperationalError
from kombu.utils.uuid import uuid

from tickerq_celery.broker.direct_call import (
    Direct,
    DirectCall,
    NotKeepableError,
    NotKept,
    NotSentError,
    NotStoredError,
    RefusedCall,
    eta_text,
    is_of_app,
)
from tickerq_celery.broker.message_capture import CapturingProducer
from tickerq_celery.broker.messages import execution_in, is_own_task
from tickerq_celery.errors import SchemaError, StoreError
from tickerq_celery.payload.celery_call import CeleryCall
from tickerq_celery.tickers.celery_task import OUR_TASKS
from tickerq_celery.tickers.claims import TaskExecution
from tickerq_celery.tickers.durable_calls import DurableCall

logger = logging.getLogger(__name__)
_Keep = Callable[[DurableCall], None]
_CHORD_UNLOCK = "celery.chord_unlock"
_left: ContextVar[bool] = ContextVar("tickerq_left_to_celery", default=False)


@contextmanager
def left_to_celery() -> Iterator[None]:
    """Let Celery itself send the calls that are made within: those that the store hands back."""
    token = _left.set(True)
    try:
        yield
    finally:
        _left.reset(token)


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """What keeps calls: from which distance on, None for none, by which clock, and how.

    ``keep`` raises TickerValidationError for a call that cannot be kept, StoreError where none can be: where
    it ``falls_back``, Celery sends such a call. ``outbox`` returns what keeps the calls of the block that
    this thread or task is in, None outside of any.
    """

    after: Callable[[], timedelta | None]
    now: Callable[[], datetime]
    keep: Callable[[DurableCall], None]
    falls_back: Callable[[], bool]
    outbox: Callable[[], _Keep | None]


class DurableSend:
    """The ``send_task`` of an app: Celery's own, but calls that are due later are kept until then.

    All of ``apply_async``, ``delay``, ``retry`` and canvas pass it. It takes, returns and raises what
    Celery's does; OperationalError also where the store does not answer and nothing falls back on Celery.
    """

    def __init__(self, app: Celery, keeping: Keeping) -> None:
        self._app = app
        self._keeping = keeping
        # One that was put on the app before is called; else whatever its class has when it is called.
        self._own: Callable[..., Any] | None = vars(app).get("send_task")
        self._warned: set[tuple[str, str]] = set()

    def __call__(
        self,
        name: str,
        args: Any = None,
        kwargs: Any = None,
        countdown: Any = None,
        eta: Any = None,
        task_id: str | None = None,
        producer: Any = None,
        connection: Any = None,
        *others: Any,
        **options: Any,
    ) -> Any:
        """Send a task by name; see ``Celery.send_task``."""
        keep = None if _left.get() else self._keeping.outbox()
        if keep is not None and not name.startswith(OUR_TASKS) and not _goes_on(name, args, task_id, options):
            given = self._given_producer(producer or options.get("publisher"), connection)
            refused = RefusedCall(name)
            at = self._due_in_outbox(countdown, eta, given, refused)
            return self._send_later(at, refused, keep, name, args, kwargs, task_id, *others, **options)
        # The plain call costs this comparison.
        if (eta or countdown) and (due := self._due(name, countdown, eta)) is not None:
            given = self._given_producer(producer or options.get("publisher"), connection)
            if is_of_app(self._app, given):
                # Of both sends, if the second one is Celery's.
                task_id = task_id or uuid()
                direct = DirectCall(
                    self._app, given, self._reporter(name, task_id), eta_text(self._app, countdown, eta)
                )
                with suppress(NotSentError):
                    return self._send_later(
                        due, direct, self._keep_alone, name, args, kwargs, task_id, *others, **options
                    )
        return self._send(
            name, args, kwargs, countdown, eta, task_id, producer, connection, *others, **options
        )

    def _send_later(
        self,
        due: datetime,
        direct: Direct,
        keep: _Keep,
        name: str,
        args: Any,
        kwargs: Any,
        task_id: str | None,
        *others: Any,
        **options: Any,
    ) -> Any:
        options.pop("publisher", None)
        producer = CapturingProducer(
            self._app, lambda call: keep(_durable(call, due)), direct, self._keeping.now()
        )
        try:
            # Celery's own way to the broker, without the moment: so all else is as Celery makes it.
            return self._send(name, args, kwargs, None, None, task_id, producer, None, *others, **options)
        finally:
            producer.close()

    def _keep_alone(self, call: DurableCall) -> None:
        try:
            self._keeping.keep(call)
        except (StoreError, SchemaError) as error:
            if self._keeping.falls_back():
                raise NotStoredError(str(error)) from error
            # As a broker that cannot be reached: neither a row nor a message is left.
            raise OperationalError(str(error)) from error

    def _due_in_outbox(self, countdown: Any, eta: Any, given: Any, refused: RefusedCall) -> datetime:
        if not is_of_app(self._app, given):
            refused.leave(NotKeepableError("producer", "leads to another broker than the app's"))
        now = self._keeping.now()
        if not (countdown or eta):
            return now
        due = _moment(countdown, eta, now)
        if due is None:
            refused.leave(NotKeepableError("moment", "is none: pass seconds, or a datetime as eta"))
        return max(due, now)

    def _due(self, name: str, countdown: Any, eta: Any) -> datetime | None:
        """Return when a call is due that is to be kept, or None for one that is left to Celery."""
        after = None if _left.get() else self._keeping.after()
        if after is None or not is_own_task(str(name)):
            return None
        now = self._keeping.now()
        due = _moment(countdown, eta, now)
        if due is None or due - now <= after:
            return None
        if self._app.conf.task_always_eager:
            self._warn(name, "eager", "task_always_eager is on")
            return None
        return due

    def _given_producer(self, producer: Any, connection: Any) -> Any:
        # As Celery: of both the connection counts.
        return self._app.amqp.Producer(connection, auto_declare=False) if connection else producer

    def _reporter(self, name: str, task_id: str) -> Callable[[NotKept], None]:
        def report(error: NotKept) -> None:
            if isinstance(error, NotStoredError):
                # Each time: every such call may be run twice.
                logger.warning(
                    "durable_eta sends a call of %s by Celery, as the store did not take it (task id %s): %s",
                    name,
                    task_id,
                    error,
                )
            elif isinstance(error, NotKeepableError):
                self._warn(name, error.part, str(error))
            else:
                # Not its whole text, which shows the value: arguments are not logged.
                self._warn(name, error.field, f"{error.field}: {error.reason}")

        return report

    def _warn(self, name: str, part: str, reason: str) -> None:
        if (name, part) not in self._warned:
            self._warned.add((name, part))
            logger.warning("durable_eta leaves a call of %s to Celery and its broker: %s", name, reason)

    def _send(self, *args: Any, **options: Any) -> Any:
        if self._own is not None:
            return self._own(*args, **options)
        return type(self._app).send_task(self._app, *args, **options)


def _durable(call: CeleryCall, due: datetime) -> DurableCall:
    message = call.message
    if message is None:
        raise AssertionError("a captured call has its message")
    headers = message.headers
    return DurableCall(
        task=headers["task"],
        task_id=headers["id"],
        due=due,
        retries=headers["retries"],
        queue=message.queue,
        call=call,
        # Celery hands a message's headers on to its retry, whichever process sends that.
        retry_of=_retried(headers),
    )


def _goes_on(name: str, args: Any, task_id: str | None, options: Mapping[str, Any]) -> bool:
    """Return True for what goes on with the running task: its retry, its replacement, or a part of its chord.

    They end the task's body by an exception, which rolls its transaction back, or are counted already.
    """
    running: Any = current_task
    if not running:
        return False
    request = running.request
    if options.get("replaced_task_nesting") or (request.group and options.get("group_id") == request.group):
        return True
    body = args[1] if name == _CHORD_UNLOCK and len(args or ()) > 1 else options.get("chord")
    body_id = body["options"].get("task_id") if body else None
    return request.id is not None and request.id in (task_id, body_id)


def _moment(countdown: Any, eta: Any, now: datetime) -> datetime | None:
    """Return the moment that Celery would find, or None where it will say what is wrong."""
    try:
        if countdown:
            return now + timedelta(seconds=countdown)
        found = maybe_iso8601(eta)
        # As a worker reads it: a naive one is UTC.
        return None if found is None else maybe_make_aware(found).astimezone(UTC)
    except (TypeError, ValueError, OverflowError, AttributeError):
        return None


def _retried(headers: Mapping[str, Any]) -> TaskExecution | None:
    """Return the execution that a message retries, or None."""
    retries = headers["retries"]
    return execution_in(headers, retries - 1) if type(retries) is int else None
