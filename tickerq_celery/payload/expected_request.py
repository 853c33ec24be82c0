"""Which request the runs of a function are to be given, and the errors for one too many or one forgotten."""

import types
import typing
from dataclasses import dataclass, fields, is_dataclass

from pydantic import BaseModel

from tickerq_celery.errors import TickerValidationError
from tickerq_celery.payload import requests
from tickerq_celery.payload.redaction import discreet

_FIELD = "request"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedRequest:
    """What a run of ``function`` takes, as far as this process knows; a ``type`` of None is any JSON."""

    function: str
    type: object = None
    is_taken: bool = True

    @property
    def field_names(self) -> frozenset[str]:
        """The names of the type's fields, which a caller may have passed as keywords by mistake."""
        return _fields_of(self.type)

    def encode(self, request: object, *, limit: int) -> bytes | None:
        """Return a request as JSON of at most ``limit`` bytes; None where there is none.

        Raises:
            TickerValidationError: It does not fit the type; or the function takes none, or needs one.
        """
        if request is not None and not self.is_taken:
            raise TickerValidationError(
                _FIELD, discreet([_FIELD], request), f"function {self.function} takes none"
            )
        try:
            return requests.encode(request, request_type=self.type, limit=limit)
        except TickerValidationError as error:
            if request is not None:
                raise
            needed = f"function {self.function} needs one of type {_shown(self.type)}, and none was given"
            raise TickerValidationError(_FIELD, request, needed) from error


def _fields_of(hint: object) -> frozenset[str]:
    """Return the fields of a model, dataclass or TypedDict, and of the members of a union of such."""
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        return frozenset().union(*map(_fields_of, typing.get_args(hint)))
    if origin is typing.Annotated:
        return _fields_of(typing.get_args(hint)[0])
    kind = hint if origin is None else origin
    if not isinstance(kind, type):
        return frozenset()
    if issubclass(kind, BaseModel):
        return frozenset(kind.model_fields)
    if is_dataclass(kind):
        return frozenset(field.name for field in fields(kind))
    return frozenset(kind.__annotations__) if typing.is_typeddict(kind) else frozenset()


def _shown(hint: object) -> str:
    return hint.__name__ if isinstance(hint, type) else str(hint).removeprefix("typing.")
