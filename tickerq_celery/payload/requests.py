"""Requests as JSON bytes: checked against the function's type when scheduled, and again when run.

Both checks are pydantic's lax ones: ``"12"`` becomes 12 where an int is wanted, and a dict becomes a model.
Models are written by field name, and read by field name or alias; sets become arrays. What would not come
back is refused: NaN, infinities, lone surrogates, bytes that are not UTF-8, changed keys, masked secrets.
In a union, members that look alike in JSON (``str | datetime``) come back as the one pydantic prefers.

What pydantic would leave as it is does not reach it: a process of plain requests only holds no pydantic.
"""

from typing import TYPE_CHECKING

from tickerq_celery.deferred import Deferred
from tickerq_celery.payload import plain_requests
from tickerq_celery.payload.plain_requests import NotPlainError, PlainType, plain_type

if TYPE_CHECKING:
    from tickerq_celery.payload.pydantic_requests import check_type, converted, json_schema, validated
else:
    check_type = Deferred("tickerq_celery.payload.pydantic_requests", "check_type")
    converted = Deferred("tickerq_celery.payload.pydantic_requests", "converted")
    json_schema = Deferred("tickerq_celery.payload.pydantic_requests", "json_schema")
    validated = Deferred("tickerq_celery.payload.pydantic_requests", "validated")

__all__ = ["check_request_type", "decode", "encode", "json_schema"]


def encode(value: object, *, request_type: object, limit: int) -> bytes | None:
    """Return a request as compact UTF-8 JSON that ``decode`` accepts; None where there is no request.

    With a type, an instance or plain data that fits it is taken; without one (None), whatever pydantic
    can write. Anything else is a TickerValidationError whose field is the path to the first misfit, and whose
    ``others`` are about further ones.
    """
    if value is None and request_type is None:
        return None
    data = plain(value, plain_type(request_type), limit=limit)
    return converted(value, request_type=request_type, limit=limit) if data is None else data


def plain(value: object, kind: PlainType | None, *, limit: int) -> bytes | None:
    """Return a plain request as JSON of at most ``limit`` bytes; None of one that pydantic has to see."""
    if kind is None:
        return None
    try:
        data = plain_requests.written(value, kind)
    except NotPlainError:
        return None
    return data if len(data) <= limit else None


def decode(data: bytes | None, *, request_type: object) -> object:
    """Return the request that ``data`` holds, as ``request_type``; plain JSON values where that is None.

    The error of a misfit names the field and shows no value: what a run raises is stored and logged.

    Raises:
        UnreadableRequestError: The bytes are no JSON.
        TickerValidationError: The request does not fit its type.
    """
    if data is None and request_type is None:
        return None
    kind = None if data is None else plain_type(request_type)
    if data is not None and kind is not None:
        try:
            return plain_requests.read(data, kind)
        except NotPlainError:
            pass
    return validated(data, request_type=request_type)


def check_request_type(request_type: object) -> None:
    """Raise a TickerValidationError if requests could not be checked against this type."""
    if plain_type(request_type) is None:
        check_type(request_type)
