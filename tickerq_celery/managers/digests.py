"""Digests of what a verb is asked to do: the same for the same arguments, in every process."""

import hashlib
import json
from collections.abc import Collection, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from uuid import UUID

from tickerq_celery.errors import TickerValidationError
from tickerq_celery.payload.requests import encode

_ATOMS = (str, int, float, bool, type(None))
_LIMIT = 1 << 30


def digest_of(*parts: object) -> str:
    """Return a digest that tells equal arguments from others, and nothing of what they hold."""
    text = json.dumps(_canonical(parts), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()


def _canonical(value: object) -> object:
    if isinstance(value, Enum):
        return _canonical(value.value)
    if isinstance(value, _ATOMS):
        return value
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime | date | timedelta):
        return _moment(value)
    named = getattr(value, "name", None)
    if callable(value) and isinstance(named, str):
        return named  # a function, or a Celery task
    return _collected(value)


def _moment(value: datetime | date | timedelta) -> object:
    if isinstance(value, timedelta):
        return ["duration", value // timedelta(microseconds=1)]
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC).isoformat()
    return value.isoformat()


def _collected(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(key): _canonical(each) for key, each in value.items()}
    if isinstance(value, AbstractSet):
        return sorted((_canonical(each) for each in value), key=repr)
    if isinstance(value, bytes | bytearray):
        return value.hex()
    if isinstance(value, Collection):
        return [_canonical(each) for each in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: _canonical(getattr(value, each.name)) for each in fields(value)}
    return _written(value)


def _written(value: object) -> object:
    try:
        data = encode(value, request_type=None, limit=_LIMIT)
    except TickerValidationError:
        # No verb stores what cannot be written: it is refused.
        return type(value).__qualname__
    return None if data is None else data.decode()
