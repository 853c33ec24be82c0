"""Calls that are handed back to Celery: as options of ``send_task``, and as lines of a file."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from celery import Celery
from celery.utils.quorum_queues import detect_quorum_queues
from kombu import Producer

from tickerq_celery.broker.entities import entity_from_json
from tickerq_celery.broker.message_replay import embed_of, with_task_id
from tickerq_celery.broker.messages import CALL_HEADER, call_id, options_of_row
from tickerq_celery.broker.plain_json import plain, revived, revived_call
from tickerq_celery.payload.captured_message import CapturedMessage
from tickerq_celery.payload.celery_call import CeleryCall
from tickerq_celery.tickers.claims import Claim

# Of the message's headers, which ``send_task`` takes under the same names.
_OPTIONS = ("group_index", "expires", "retries", "root_id", "parent_id", "shadow", "ignore_result")
# What Celery makes of them again, or of the task.
_MADE_BY_CELERY = {
    *_OPTIONS,
    *("argsrepr", "eta", "group", "id", "kwargsrepr", "lang", "origin", "replaced_task_nesting", "task"),
    *("timelimit", CALL_HEADER),
}


def with_moments(app: Celery, claim: Claim, call: CeleryCall, due: datetime) -> CeleryCall:
    """Return a call that no message was captured of, with its values revived and options for ``due``.

    Seconds of ``expires`` count from the publication by our contract: from ``due``, not from now.
    """
    call = revived_call(call)
    expires = call.options.get("expires", getattr(app.tasks.get(claim.function), "expires", None))
    if isinstance(expires, int | float):
        moments = {"expires": due + timedelta(seconds=expires), "eta": due}
        return replace(call, options={**call.options, **moments})
    return replace(call, options={**call.options, "eta": due})


def by_delayed_delivery(app: Celery) -> bool:
    """Return True if Celery chooses the exchange of a message by its moment, for quorum queues."""
    any_app: Any = app
    transport = any_app.connection_for_write().transport
    return bool(detect_quorum_queues(any_app, transport.driver_type)[0])


def send_anew(app: Celery, producer: Producer, claim: Claim, call: CeleryCall, due: datetime) -> None:
    """Let Celery make the message of a captured call again, with an exchange for its moment."""
    if call.message is None:
        raise AssertionError("only a captured call is sent anew")
    task_id = call_id(claim)
    options = revived(options_to_send(call.message, task_id))
    call = revived_call(call)
    app.send_task(
        claim.function,
        call.args,
        call.kwargs,
        producer=producer,
        task_id=task_id,
        eta=due,
        retry=False,
        **options,
    )


def options_to_send(message: CapturedMessage, task_id: str) -> dict[str, Any]:
    """Return the options of ``app.send_task`` that make a captured message again; of JSON's types."""
    headers, embed = with_task_id(message, message.headers, task_id), embed_of(message, task_id)
    hard, soft = headers.get("timelimit") or (None, None)
    options = {
        "queue": message.queue,
        "serializer": message.serializer,
        "compression": message.compression,
        "priority": message.properties.get("priority"),
        "time_limit": hard,
        "soft_time_limit": soft,
        "group_id": headers.get("group"),
        "link": embed.get("callbacks"),
        "link_error": embed.get("errbacks"),
        **{name: headers.get(name) for name in _OPTIONS},
        **{name: embed.get(name) for name in ("chain", "chord")},
    }
    if message.queue is None:
        exchange = entity_from_json(message.exchange)
        options |= {
            "exchange": getattr(exchange, "name", exchange),
            "routing_key": message.routing_key,
        }
    beside = {name: value for name, value in headers.items() if name not in _MADE_BY_CELERY}
    options["headers"] = {name: value for name, value in beside.items() if value}
    # The first part of a group has the index 0.
    return {name: value for name, value in options.items() if value not in (None, [], {})}


def as_line(app: Celery, claim: Claim, call: CeleryCall, due: datetime) -> str:
    """Return a call as a line from which ``app.send_task`` makes it; see docs/how-to/taking-it-out.md."""
    task_id = call_id(claim)
    if call.message is None:
        transport = str(app.connection_for_write().transport_cls)
        options = with_moments(app, claim, call, due).options | options_of_row(claim, call, transport)
        options.pop("eta")
    else:
        options = options_to_send(call.message, task_id)
    parts = {
        "task": claim.function,
        "args": list(call.args),
        "kwargs": call.kwargs,
        "task_id": task_id,
        "eta": due.isoformat(),
        "options": plain(options),
    }
    return json.dumps(parts)
