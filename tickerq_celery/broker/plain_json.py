"""Celery's values as JSON keeps them: kombu's own marks stand for what JSON lacks."""

import json
from dataclasses import replace
from typing import Any

from kombu import serialization
from kombu.utils import json as kombu_json

from tickerq_celery.payload.celery_call import CeleryCall

_JSON = "application/json"


def is_json(serializer: str) -> bool:
    """Return True if a serializer of kombu's registry makes JSON."""
    kombus: Any = serialization
    return bool(kombus.registry.name_to_type.get(serializer) == _JSON)


def plain(value: object) -> Any:
    """Return a value of JSON's types, as a message with Celery's JSON serializer has it.

    Raises:
        Exception: What it does not keep, with kombu's error or that of a value's own ``__json__``.
    """
    text = kombu_json.dumps(value, allow_nan=False, ensure_ascii=False)
    text.encode()
    # What looks like one of kombu's marks must be one, or no worker could read the message.
    kombu_json.loads(text)
    return json.loads(text)


def revived(kept: Any) -> Any:
    """Return what kombu's marks stand for: datetimes, UUIDs, decimals."""
    return kombu_json.loads(json.dumps(kept))


def body_as_encoded(args: Any, kwargs: Any, embed: Any, *, serializer: str) -> tuple[Any, Any, Any]:
    """Return the body of a message as its serializer is to encode it."""
    if not is_json(serializer):
        # To JSON the marks are what the values would become.
        args, kwargs, embed = revived([args, kwargs, embed])
    return tuple(args), kwargs, embed


def plain_call(call: CeleryCall) -> CeleryCall:
    """Return a call of JSON's types.

    Raises:
        ValueError: A part of it is not kept; the text names the part, and no value.
    """
    parts: dict[str, Any] = {"args": list(call.args), "kwargs": call.kwargs, "options": call.options}
    for name, part in parts.items():
        try:
            parts[name] = plain(part)
        # A value's own __json__ may raise anything.
        except Exception as error:
            raise ValueError(f"its {name} cannot be kept as JSON ({type(error).__name__})") from error
    return replace(call, args=tuple(parts["args"]), kwargs=parts["kwargs"], options=parts["options"])


def revived_call(call: CeleryCall) -> CeleryCall:
    """Return a call as its caller gave it."""
    args, kwargs, options = revived([call.args, call.kwargs, call.options])
    return replace(call, args=tuple(args), kwargs=kwargs, options=options)
