"""Publish a message that was captured when its task was called, exactly as it was."""

from collections.abc import Mapping
from typing import Any

from celery import Celery
from kombu import Producer

from tickerq_celery.broker.entities import entity_from_json
from tickerq_celery.broker.kept_json import body_as_encoded, revived
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
    captured_id = message.headers["id"]
    sent = _with_id(revived(message.headers), captured_id, task_id) | dict(headers)
    producer.publish(
        body_as_encoded(call.args, call.kwargs, message.embed, serializer=message.serializer),
        exchange=exchange,
        routing_key=message.routing_key,
        declare=[entity_from_json(each) for each in message.declare],
        serializer=message.serializer,
        compression=message.compression,
        delivery_mode=message.delivery_mode,
        expiration=message.expiration_at(app.now()),
        headers=sent,
        retry=False,
        **_with_id(revived(message.properties), captured_id, task_id),
    )
    if app.conf.task_send_sent_event:
        _publish_event(app, producer, message, sent, exchange)


def _with_id(values: dict[str, Any], captured_id: str, task_id: str) -> dict[str, Any]:
    named = {name: task_id for name in _IDS if values.get(name) == captured_id}
    return values | named


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
