"""Which request the runs of a function are to be given, and the errors for one too many or one forgotten.

Where the function is imported its own types decide: they convert, and validators of the user's own take part.
Elsewhere the schema does that the worker which started last has registered.
"""

import json
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from tickerq_celery.deferred import Deferred
from tickerq_celery.errors import TickerValidationError
from tickerq_celery.payload import requests
from tickerq_celery.payload.parameters import Parameters
from tickerq_celery.payload.plain_requests import PlainType, plain_type
from tickerq_celery.payload.redaction import discreet

if TYPE_CHECKING:
    from pydantic.main import BaseModel

    from tickerq_celery.payload.stored_schemas import check
else:
    # A process that has a model has imported it.
    BaseModel = Deferred("pydantic.main", "BaseModel")
    check = Deferred("tickerq_celery.payload.stored_schemas", "check")

_FIELD = "request"


class CheckedBy(StrEnum):
    """What a request fits that was not refused.

    - ``FUNCTION``: the function itself, as this process imports it.
    - ``SCHEMA``: the JSON schema that its workers registered.
    - ``NOTHING``: nothing here says what the function takes. ``UNUSABLE``: that schema cannot be used.
    """

    FUNCTION = "function"
    SCHEMA = "schema"
    NOTHING = "nothing"
    UNUSABLE = "unusable"

    @property
    def is_checked(self) -> bool:
        """Whether anything said what the function takes."""
        return self in {CheckedBy.FUNCTION, CheckedBy.SCHEMA}


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedRequest:
    """What a run of ``function`` takes, as far as this process knows; a ``type`` of None is any JSON.

    ``parameters`` are there where it takes plain ones, or nothing: ``type`` is then that of their object.
    ``registered`` is the JSON schema of its workers, where it is not imported; None where they have none.
    """

    function: str
    type: object = None
    parameters: Parameters | None = None
    registered: object = None
    # Looked for once: a batch encodes many requests.
    _plain: PlainType | None = field(init=False, repr=False, compare=False)
    _registered: str | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        is_empty = self.parameters is not None and self.parameters.is_empty
        object.__setattr__(self, "_plain", None if is_empty else plain_type(self.type))
        text = None if self.registered is None else json.dumps(self.registered)
        object.__setattr__(self, "_registered", text)

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

    def check_registered(self, data: bytes | None) -> str | None:
        """Check an encoded request against the schema of workers, and return why that cannot be used.

        None is returned where it fits, and where there is no such schema.

        Raises:
            TickerValidationError: It does not fit, or there is none and the function needs one.
        """
        if self._registered is None:
            return None
        needed = f"function {self.function} needs one, and none was given"
        return check(data, self._registered, needed=needed)

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
