"""Check messages before a worker's consumer does: a malformed one is dropped, counted, and ends no worker.

Celery's consumer ends its process over many a malformed message, which the broker then hands to the next one.
A ticker's message is a hint and comes again, so it may be dropped; the user's own tasks are left to Celery.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from celery import signals
from kombu.message import Message

from tickerq_celery.broker.message_schema import (
    LARGEST_BODY,
    flaw_in_call,
    flaw_in_headers,
    flaw_in_lost_call,
)
from tickerq_celery.broker.messages import LOST_TASK
from tickerq_celery.tickers.celery_task import OUR_TASKS
from tickerq_celery.tickers.drop_reasons import DropReason
from tickerq_celery.wording import cause_of, shortened

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Original:
    """What Celery's consumer does by itself."""

    create_task_handler: Callable[..., Callable[[Message], object]]
    on_unknown_task: Callable[[object, Message, Exception], None]


class MessageGuard:
    """Checks a consumer's messages first; ``note`` is called with the reason for each that was dropped."""

    def __init__(self, consumer: Any, note: Callable[[DropReason], None]) -> None:
        self._consumer = consumer
        self._note = note
        self._original = _Original(
            create_task_handler=consumer.create_task_handler,
            on_unknown_task=consumer.on_unknown_task,
        )

    def attach(self) -> None:
        """Replace the consumer's own handlers, before it connects for the first time."""
        self._consumer.create_task_handler = self._create_task_handler
        self._consumer.on_unknown_task = self._on_unknown_task

    def _create_task_handler(self, **options: Any) -> Callable[[Message], None]:
        handle = self._original.create_task_handler(**options)
        # Of this consumer only: Celery hands its own to that of the control commands, too.
        self._consumer.task_consumer.on_decode_error = self._on_decode_error

        def receive(message: Message) -> None:
            try:
                flaw = _flaw_in(message)
            except Exception as error:  # noqa: BLE001 - whatever a decoder raises: the next message must come
                self._on_decode_error(message, error)
                return
            if flaw is None:
                # Not guarded: where the pool is this very process, the function's body runs in here.
                handle(message)
            else:
                self._drop_invalid(message, flaw)

        return receive

    def _on_decode_error(self, message: Message, exc: Exception) -> None:
        if _is_theirs(message.headers.get("task")):
            self._consumer.on_decode_error(message, exc)
            return
        logger.warning("dropped a message that cannot be decoded: %s", cause_of(exc))
        self._reject(message)
        self._note(DropReason.UNDECODABLE)

    def _on_unknown_task(self, body: object, message: Message, exc: Exception) -> None:
        fields = _fields_of(message)
        name, task_id = fields["task"], fields.get("id")
        if not _is_theirs(name):
            logger.warning("dropped a message of %s, which this worker does not have", name)
            self._reject(message)
            self._note(DropReason.UNKNOWN_TASK)
            signals.task_unknown.send(sender=self._consumer, message=message, exc=exc, name=name, id=task_id)
        elif isinstance(task_id, str):
            self._original.on_unknown_task(body, message, exc)
        else:
            # Not ours to count, but Celery's worker would end.
            logger.warning("dropped a malformed message: its header 'id' is %s", shortened(task_id))
            self._reject(message)

    def _drop_invalid(self, message: Message, flaw: str) -> None:
        logger.warning("dropped a malformed message: %s", flaw)
        self._reject(message)
        self._note(DropReason.INVALID)
        signals.task_rejected.send(sender=self._consumer, message=message, exc=None)

    def _reject(self, message: Message) -> None:
        message.reject_log_error(logger, self._consumer.connection_errors)


def _is_theirs(name: object) -> bool:
    """Whether a task's name is not of ours: what is wrong with its message is between the user and Celery."""
    return isinstance(name, str) and not name.startswith(OUR_TASKS)


def _fields_of(message: Message) -> Mapping[str, Any]:
    """Return what a message says of its task: its headers, or in Celery's first protocol its body."""
    if "task" in message.headers:
        return message.headers
    body = message.decode()
    return body if isinstance(body, dict) else {}


def _flaw_in(message: Message) -> str | None:
    """Return what keeps a message from being one of ours, or None; raise what the decoder raises."""
    fields = _fields_of(message)
    if _is_theirs(fields.get("task")):
        return None
    size = len(message.body or b"")
    if size > LARGEST_BODY:
        return f"its body has {size} bytes"
    flaw = flaw_in_headers(fields)
    if flaw is not None:
        return flaw
    call = message.decode() if fields is message.headers else _call_in(fields)
    return flaw_in_call(call) or (flaw_in_lost_call(call[0]) if fields["task"] == LOST_TASK else None)


def _call_in(fields: Mapping[str, Any]) -> list[object]:
    more = {name: fields.get(name) for name in ("callbacks", "errbacks", "chord")}
    return [fields.get("args", []), fields.get("kwargs", {}), more]
