"""Requests of JSON's own types: written and read as they are, since pydantic would convert nothing of them.

Most functions take numbers, texts and flags, as parameters or as the fields of a dataclass, and are given
exactly those. All else is left to pydantic, which converts it, or says what does not fit.
"""

import json
import typing
from collections.abc import Iterable, Mapping, Set
from dataclasses import MISSING, fields, is_dataclass
from functools import lru_cache
from operator import attrgetter, contains
from types import NoneType, UnionType
from typing import Any, NoReturn, Protocol

from tickerq_celery.payload.parameters import Parameters

MAX_DEPTH = 100
_ATOMS: Set[type] = frozenset({str, int, float, bool, NoneType})
_JSON = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_OBJECTS = (dict, dict[str, Any], Mapping[str, Any])
# What decides how pydantic makes a dataclass of its fields.
_OWN_WAYS = ("__post_init__", "__pydantic_config__", "__pydantic_validator__", "__get_pydantic_core_schema__")


class NotPlainError(Exception):
    """A request that pydantic has to see."""


class PlainType(Protocol):
    """A type of requests that may be plain; what is not is a NotPlainError."""

    def written(self, request: object) -> bytes:
        """Return a request as compact UTF-8 JSON."""

    def read(self, value: Any) -> object:
        """Return the request that a value of JSON stands for."""


class Same:
    """A type as a cache key by identity: some types have no hash, and ``int | str == str | int``."""

    __slots__ = ("type",)

    def __init__(self, type: object) -> None:
        self.type = type

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and other.type is self.type

    def __hash__(self) -> int:
        return id(self.type)


def plain_type(request_type: object) -> PlainType | None:
    """Return how plain requests of a type are written and read; None where it has none."""
    return _plain_type(Same(request_type))


def written(request: object, kind: PlainType) -> bytes:
    """Return a plain request as JSON.

    Raises:
        NotPlainError: It is none.
    """
    try:
        return kind.written(request)
    # No number, one that is too long, half a surrogate, or a field that was never set.
    except (ValueError, RecursionError, AttributeError):
        raise NotPlainError from None


def read(data: bytes, kind: PlainType) -> object:
    """Return the plain request that ``data`` holds.

    Raises:
        NotPlainError: It holds none.
    """
    try:
        text = data.decode()
        # Of half a surrogate, escaped, Python makes a text.
        if "\\u" in text:
            raise NotPlainError
        return kind.read(json.loads(text, parse_constant=_refuse))
    except (ValueError, RecursionError):
        raise NotPlainError from None


def json_bytes(value: object) -> bytes:
    """Return a value of JSON's types as compact UTF-8 JSON.

    Raises:
        ValueError: It holds a number or a text that JSON has not.
    """
    return _JSON.encode(value).encode()


class _AnyJson:
    """Any JSON, or any that is of one type."""

    def __init__(self, only: type | None = None) -> None:
        self._only = only

    def written(self, request: object) -> bytes:
        if not _is_json(self.read(request), 0):
            raise NotPlainError
        return json_bytes(request)

    def read(self, value: object) -> object:
        if self._only is not None and type(value) is not self._only:
            raise NotPlainError
        return value


class _Fields:
    """A JSON object with fields of some types each: the parameters of a function."""

    def __init__(self, types: Mapping[str, Set[type]], required: Iterable[str]) -> None:
        self._types = types
        self._required = frozenset(required)

    def written(self, request: object) -> bytes:
        given = self.read(request)
        return json_bytes({name: given[name] for name in self._types if name in given})

    def read(self, value: Any) -> dict[str, object]:
        types = self._types
        if type(value) is not dict or not self._required <= value.keys() <= types.keys():
            raise NotPlainError
        if not all(type(each) in types[name] for name, each in value.items()):
            raise NotPlainError
        return value


class _Instance:
    """A dataclass whose fields are of some types each."""

    def __init__(self, kind: Any, types: Mapping[str, Set[type]]) -> None:
        self._kind = kind
        self._names = tuple(types)
        self._wanted = tuple(types.values())
        # Of one name alone it would return no tuple.
        self._values = attrgetter("__class__", *self._names)
        self._fields = _Fields(types, _required_of(kind))

    def written(self, request: object) -> bytes:
        if type(request) is not self._kind:
            given = self._fields.read(request)
            if len(given) < len(self._names):
                raise NotPlainError  # pydantic adds the defaults
            return json_bytes({name: given[name] for name in self._names})
        _, *values = self._values(request)
        if not all(map(contains, self._wanted, map(type, values))):
            raise NotPlainError
        return json_bytes(dict(zip(self._names, values, strict=True)))

    def read(self, value: Any) -> object:
        return self._kind(**self._fields.read(value))


@lru_cache(maxsize=1024)
def _plain_type(key: Same) -> PlainType | None:
    hint: Any = key.type
    if hint is None:
        return _AnyJson()
    if hint in _OBJECTS:
        return _AnyJson(dict)
    if typing.get_origin(hint) is typing.Annotated:
        found = hint.__metadata__[0]
        return _of_parameters(found) if isinstance(found, Parameters) else None
    return _of_dataclass(hint) if isinstance(hint, type) and is_dataclass(hint) else None


def _of_parameters(parameters: Parameters) -> PlainType | None:
    types = _types_of({each.name: each.type for each in parameters.named})
    return None if types is None or parameters.takes_extra else _Fields(types, parameters.required)


def _of_dataclass(kind: Any) -> PlainType | None:
    is_made_of_fields = (
        "__dataclass_fields__" in vars(kind)
        and kind.__dataclass_params__.init
        and kind.__new__ is object.__new__
        and len(kind.__dataclass_fields__) == len(fields(kind))
        and not any(hasattr(kind, name) for name in _OWN_WAYS)
        and all(
            each.init and not each.metadata and (each.default is MISSING or type(each.default) in _ATOMS)
            for each in fields(kind)
        )
    )
    if not is_made_of_fields:
        return None
    try:
        hints = typing.get_type_hints(kind, include_extras=True)
    except (NameError, TypeError, SyntaxError, AttributeError):
        return None
    types = _types_of({each.name: hints[each.name] for each in fields(kind)})
    return None if types is None else _Instance(kind, types)


def _required_of(kind: Any) -> Iterable[str]:
    return [each.name for each in fields(kind) if each.default is MISSING and each.default_factory is MISSING]


def _types_of(hints: Mapping[str, object]) -> Mapping[str, Set[type]] | None:
    """Return the types that the values of fields may have as they are; None where one has none."""
    types = {name: _atoms_in(hint) for name, hint in hints.items()}
    return types if all(types.values()) else None


def _atoms_in(hint: Any) -> Set[type]:
    if hint is Any:
        return _ATOMS
    is_union = typing.get_origin(hint) in (typing.Union, UnionType)
    members = {NoneType if each is None else each for each in typing.get_args(hint)} if is_union else {hint}
    # Of two like int and float pydantic chooses one.
    is_plain = members <= _ATOMS and len(members - {NoneType}) <= 1
    return _ATOMS & members if is_plain else frozenset()


def _is_json(value: object, level: int) -> bool:
    kind = type(value)
    if kind in _ATOMS:
        return True
    if level > MAX_DEPTH:
        return False
    if kind is dict:
        pairs = typing.cast("dict[object, object]", value).items()
        return all(type(name) is str and _is_json(each, level + 1) for name, each in pairs)
    return kind is list and all(_is_json(each, level + 1) for each in typing.cast("list[object]", value))


def _refuse(constant: str) -> NoReturn:
    raise NotPlainError
