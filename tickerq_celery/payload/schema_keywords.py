"""The keywords of JSON Schema of which the worker's check, pydantic's, differs from that of ``jsonschema``.

Patterns are those of pydantic's engine, in linear time, and formats its types. An error of a property that is
missing, or one too many, leads to that property.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any, Literal

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it has no types
from jsonschema.exceptions import ValidationError  # type: ignore[import-untyped]  # as above
from jsonschema.validators import extend  # type: ignore[import-untyped]  # as above
from pydantic import TypeAdapter
from pydantic_core import SchemaError, SchemaValidator
from pydantic_core.core_schema import str_schema

from tickerq_celery.payload.formats import FORMATS

Errors = Iterator[ValidationError]
_ENGINES: tuple[Literal["rust-regex", "python-re"], ...] = ("rust-regex", "python-re")
# Of alternatives within alternatives within so many more.
_MOST_TRIES, _FREE_LEVELS = 4_000, 3


class UnusablePatternError(ValueError):
    """A pattern is one of neither engine."""


class TooManyAlternativesError(ValueError):
    """A check has tried so many alternatives that it would not end soon."""


@dataclass
class _Tries:
    """How many alternatives may still be tried, and within how many others the next ones are."""

    left: int
    level: int = 0


_TRIES: ContextVar[_Tries] = ContextVar("tries")


@contextmanager
def bounded() -> Iterator[None]:
    """Let what is checked in the body try some number of alternatives.

    Where alternatives hold such again, as the conditions of a filter do, the time doubles with each level.
    """
    token = _TRIES.set(_Tries(_MOST_TRIES))
    try:
        yield
    finally:
        _TRIES.reset(token)


@lru_cache(maxsize=1024)
def matching(pattern: str) -> Callable[[object], bool]:
    """Return what says of a text whether a pattern is found in it.

    Raises:
        UnusablePatternError: It cannot be read.
    """
    for engine in _ENGINES:
        try:
            return SchemaValidator(str_schema(pattern=pattern, regex_engine=engine)).isinstance_python
        except SchemaError:
            continue
    raise UnusablePatternError(f"the pattern {pattern!r} cannot be read")


@lru_cache(maxsize=64)
def _having(format: str) -> Callable[[str], bool] | None:
    """Return what says of a text whether it has a format; None of one that is not checked."""
    named = FORMATS.get(format)
    if named is None or named.type is None:
        return None
    return TypeAdapter[object](named.type).validator.isinstance_python


def _pattern(_: Any, pattern: str, value: object, __: object) -> Errors:
    if isinstance(value, str) and not matching(pattern)(value):
        yield ValidationError("")


def _format(_: Any, format: str, value: object, __: object) -> Errors:
    has_format = _having(format) if isinstance(value, str) else None
    if has_format is not None and not has_format(value):  # type: ignore[arg-type]  # it is a text
        yield ValidationError("")


def _multiple_of(_: Any, of: float, value: object, __: object) -> Errors:
    # By their digits: 0.3 is a multiple of 0.1.
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if is_number and (Fraction(str(value)) / Fraction(str(of))).denominator != 1:
        yield ValidationError("")


def _unique_items(_: Any, is_asked: bool, value: object, __: object) -> Errors:
    if is_asked and isinstance(value, list):
        different = {json.dumps(each, sort_keys=True) for each in value}
        if len(different) < len(value):
            yield ValidationError("")


def _required(_: Any, names: list[str], value: object, __: object) -> Errors:
    if isinstance(value, dict):
        yield from (ValidationError("", path=[name]) for name in names if name not in value)


def _additional(check: Any, extra: Any, value: object, schema: Mapping[str, Any]) -> Errors:
    if not isinstance(value, dict):
        return
    patterns = [matching(each) for each in schema.get("patternProperties", ())]
    known = schema.get("properties", {})
    for name, each in value.items():
        if name in known or any(matches(name) for matches in patterns):
            continue
        if extra is False:
            yield ValidationError("", path=[name], instance=each)
        else:
            yield from check.descend(each, extra, path=name)


def _counted(keyword: str) -> Callable[..., Errors]:
    """Return the check of a keyword of alternatives, which counts them."""
    check = Draft202012Validator.VALIDATORS[keyword]

    def counted(validator: Any, alternatives: list[Any], value: object, schema: object) -> Errors:
        tries = _TRIES.get()
        tries.level += 1
        tries.left -= len(alternatives) if tries.level > _FREE_LEVELS else 0
        if tries.left < 0:
            raise TooManyAlternativesError("it has too many alternatives for this request")
        try:
            yield from check(validator, alternatives, value, schema)
        finally:
            tries.level -= 1

    return counted


def _by_pattern(check: Any, patterns: Mapping[str, Any], value: object, _: object) -> Errors:
    if not isinstance(value, dict):
        return
    for pattern, schema in patterns.items():
        matches = matching(pattern)
        for name, each in value.items():
            if matches(name):
                yield from check.descend(each, schema, path=name, schema_path=pattern)


REQUEST_VALIDATOR: Any = extend(
    Draft202012Validator,
    {
        "pattern": _pattern,
        "format": _format,
        "multipleOf": _multiple_of,
        "uniqueItems": _unique_items,
        "required": _required,
        "additionalProperties": _additional,
        "patternProperties": _by_pattern,
        "anyOf": _counted("anyOf"),
        "oneOf": _counted("oneOf"),
    },
)
