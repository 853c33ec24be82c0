"""Celery's values as JSON keeps them: kombu's own marks stand for what JSON lacks."""

import json
from typing import Any

from kombu import serialization
from kombu.utils import json as kombu_json

_JSON = "application/json"


def is_json(serializer: str) -> bool:
    """Return True if a serializer of kombu's registry makes JSON."""
    kombus: Any = serialization
    return bool(kombus.registry.name_to_type.get(serializer) == _JSON)


def revived(kept: Any) -> Any:
    """Return what kombu's marks stand for: datetimes, UUIDs, decimals."""
    return kombu_json.loads(json.dumps(kept))


def body_as_encoded(args: Any, kwargs: Any, embed: Any, *, serializer: str) -> tuple[Any, Any, Any]:
    """Return the body of a message as its serializer is to encode it."""
    if not is_json(serializer):
        # To JSON the marks are what the values would become.
        args, kwargs, embed = revived([args, kwargs, embed])
    return tuple(args), kwargs, embed
