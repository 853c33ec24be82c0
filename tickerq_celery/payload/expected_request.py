"""Which request the runs of a function are to be given, and the errors for one too many or one forgotten."""

import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import TYPE_CHECKING

from tickerq_celery.deferred import Deferred
from tickerq_celery.errors import TickerValidationError
from tickerq_celery.payload import requests
from tickerq_celery.payload.parameters import Parameters
from tickerq_celery.payload.plain_requests import PlainType, plain_type
from tickerq_celery.payload.redaction import discreet

if TYPE_CHECKING:
    from pydantic.main import BaseModel
else:
    # A process that has a model has imported it.
    BaseModel = Deferred("pydantic.main", "BaseModel")

_FIELD = "request"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedRequest:
    """What a run of ``function`` takes, as far as this process knows; a ``type`` of None is any JSON.

    ``parameters`` are there where it takes plain ones, or nothing: ``type`` is then that of their object.
    """

    function: str
    type: object = None
    parameters: Parameters | None = None
    # Looked for once: a batch encodes many requests.
    _plain: PlainType | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        is_empty = self.parameters is not None and self.parameters.is_empty
        object.__setattr__(self, "_plain", None if is_empty else plain_type(self.type))

    @property
    def field_names(self) -> frozenset[str]:
        """The names of the type's fields, which a caller may have passed as keywords by mistake."""
        if self.parameters is not None:
            return frozenset(each.name for each in self.parameters.named)
        return _fields_of(self.type)

    @property
    def schema(self) -> dict[str, object] | None:
        """The JSON schema of the request; None where there is no type, no request, or no schema."""
        is_empty = self.parameters is not None and self.parameters.is_empty
        return None if is_empty or self.type is None else requests.json_schema(self.type)

    def encode(self, request: object, *, limit: int) -> bytes | None:
        """Return a request as JSON of at most ``limit`` bytes; None where there is none.

        Raises:
            TickerValidationError: It does not fit the type; or the function takes none, or needs one.
        """
        data = None if request is None else requests.plain(request, self._plain, limit=limit)
        if data is not None:
            return data
        if self.parameters is not None:
            return self._object(self.parameters, request, limit)
        try:
            return requests.encode(request, request_type=self.type, limit=limit)
        except TickerValidationError as error:
            if request is not None:
                raise
            needed = f"function {self.function} needs one of type {_shown(self.type)}, and none was given"
            raise TickerValidationError(_FIELD, request, needed) from error

    def decode(self, data: bytes | None) -> object:
        """Return the request that ``data`` holds, as the type; parameters as a dict of those that were given.

        Raises:
            TickerValidationError: It does not fit the type. It shows no value.
        """
        stored = b"{}" if data is None and self.parameters is not None else data
        return requests.decode(stored, request_type=self.type)

    def _object(self, parameters: Parameters, request: object, limit: int) -> bytes | None:
        if request is None:
            if parameters.required:
                raise TickerValidationError(_FIELD, None, self._needed(parameters))
            return None
        if not isinstance(request, Mapping) or parameters.is_empty:
            raise TickerValidationError(_FIELD, discreet([_FIELD], request), self._wanted(parameters))
        return requests.encode(request, request_type=self.type, limit=limit)

    def _needed(self, parameters: Parameters) -> str:
        names = ", ".join(parameters.required)
        needed = f"function {self.function} needs {names}, and no request was given: {_by_name(parameters)}"
        bare = any(each.name == "ctx" and each.type is typing.Any for each in parameters.named)
        return f"{needed}; a context is annotated, ctx: TickerContext" if bare else needed

    def _wanted(self, parameters: Parameters) -> str:
        if parameters.is_empty:
            return f"function {self.function} takes none"
        return f"function {self.function} takes plain parameters: {_by_name(parameters)}"


def _by_name(parameters: Parameters) -> str:
    return f"pass its call, .s({parameters}), or a dict by name"


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
