"""Publish a message that was captured when its task was called, exactly as it was."""

from collections.abc import Mapping
from typing import Any

from celery import Celery
from kombu import Producer

from tickerq_celery.broker.entities import entity_from_json
from tickerq_celery.broker.plain_json import body_as_encoded, revived
from tickerq_celery.payload.captured_message import CapturedMessage
from tickerq_celery.payload.celery_call import CeleryCall

_EVENT = "task-sent"
# The root of a task that no other one has called is itself.
_IDS = ("id", "root_id", "correlation_id")


def publish_captured(
    app: Celery,
    producer: Producer,
    call: CeleryCall,
    message: CapturedMessage,
    *,
    task_id: str,
    headers: Mapping[str, Any],
) -> None:
    """Publish the message of a call with ``headers`` of ours, and the event that Celery sends with it.

    Its ``task_id`` is the one that it was captured with, unless its run was cancelled and retried.
    """
    exchange = entity_from_json(message.exchange)
    sent = with_task_id(message, message.headers, task_id) | dict(headers)
    embed = embed_of(message, task_id)
    producer.publish(
        body_as_encoded(call.args, call.kwargs, embed, serializer=message.serializer),
        exchange=exchange,
        routing_key=message.routing_key,
        declare=[entity_from_json(each) for each in message.declare],
        serializer=message.serializer,
        compression=message.compression,
        delivery_mode=message.delivery_mode,
        expiration=message.expiration_at(app.now()),
        headers=sent,
        retry=False,
        **with_task_id(message, message.properties, task_id),
    )
    if app.conf.task_send_sent_event:
        _publish_event(app, producer, message, sent, exchange)


def with_task_id(message: CapturedMessage, part: Mapping[str, Any], task_id: str) -> dict[str, Any]:
    """Return headers or properties of a message with this ``task_id`` for the captured one."""
    values: dict[str, Any] = revived(part)
    captured_id = message.headers["id"]
    return values | {name: task_id for name in _IDS if values.get(name) == captured_id}


def embed_of(message: CapturedMessage, task_id: str) -> dict[str, Any]:
    """Return callbacks, errbacks, chain and chord of a message under this ``task_id``.

    With another one than the captured it is no part of its chord any more, which was told that it is revoked:
    a chord counts its parts.
    """
    return message.embed if task_id == message.headers["id"] else {**message.embed, "chord": None}


def _publish_event(
    app: Celery, producer: Producer, message: CapturedMessage, headers: Mapping[str, Any], exchange: Any
) -> None:
    """Send the event of a message that is sent now; Celery's monitors wait for it."""
    amqp: Any = app.amqp
    fields = {
        "uuid": headers["id"],
        "name": headers["task"],
        "args": headers["argsrepr"],
        "kwargs": headers["kwargsrepr"],
        "queue": message.queue,
        "exchange": getattr(exchange, "name", exchange),
        "routing_key": message.routing_key,
        **{name: headers[name] for name in ("root_id", "parent_id", "retries", "eta", "expires")},
    }
    amqp._event_dispatcher.publish(_EVENT, fields, producer, retry=False)  # noqa: SLF001 - there is no other
