"""What a function returned, as its run's children are offered it: JSON, or the reason why there is none."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from tickerq_celery.errors import ParentResultError, TickerValidationError
from tickerq_celery.payload import requests
from tickerq_celery.payload.codec import RequestCodec

_VALUE, _REFUSED = "value", "refused"


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a run returned, as its children are offered it; ``problem`` says why it could not be stored."""

    stored: bytes = field(repr=False)
    codec: RequestCodec = field(repr=False, compare=False)

    @property
    def problem(self) -> str | None:
        """Why the children can be given none of it; None where they can."""
        return refusal(self.stored)

    @property
    def size(self) -> int:
        """How many bytes it takes as JSON."""
        return len(self.stored) - len(_wrapped(b""))

    @property
    def value(self) -> object:
        """It as plain JSON values.

        Raises:
            ParentResultError: It could not be stored.
        """
        return read(self.stored)

    @property
    def shown(self) -> object:
        """The same as people may see it: what the setting ``redact`` names is masked."""
        return self.codec.shown(self.value)


def written(value: object, *, limit: int) -> bytes | None:
    """Return a function's result as it is stored; None for None.

    What cannot be written as JSON, or takes more than ``limit`` bytes, is stored as its reason: the body's
    work is done, so this is no failure of its run, but a child that asks for the result must learn of it.
    """
    try:
        data = requests.encode(value, request_type=None, limit=limit)
    except TickerValidationError as error:
        reason = f"result{error.field.removeprefix('request')}: {error.reason}"
        return json.dumps({_REFUSED: reason}).encode()
    return None if data is None else _wrapped(data)


def refusal(data: bytes | None) -> str | None:
    """Return why a stored result holds no value, or None where it does, or where there is none."""
    # A value may be large, and is not parsed to learn that it is one.
    if data is None or not data.startswith(b'{"' + _REFUSED.encode()):
        return None
    return str(json.loads(data)[_REFUSED])


def read(data: bytes | None) -> object:
    """Return the value of a stored result as plain JSON values; None where there is none.

    Raises:
        ParentResultError: The parent returned what could not be stored.
    """
    reason = refusal(data)
    if reason is not None:
        raise ParentResultError(reason)
    stored: Mapping[str, object] = {} if data is None else json.loads(data)
    return stored.get(_VALUE)


def _wrapped(data: bytes) -> bytes:
    return b'{"' + _VALUE.encode() + b'":' + data + b"}"
