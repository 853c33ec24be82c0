"""Requests checked against the JSON schema that a worker registered, where the function is not imported.

A schema says types, bounds, patterns, formats and choices; what a validator of the user's own refuses, only a
process that has the function can say. Nothing is converted: ``"12"`` is no integer here.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any

from jsonschema.exceptions import SchemaError, ValidationError  # type: ignore[import-untyped]  # it has no types
from referencing import Registry
from referencing.exceptions import Unresolvable

from tickerq_celery.errors import TickerValidationError
from tickerq_celery.payload.pydantic_requests import refusal_of
from tickerq_celery.payload.schema_keywords import (
    REQUEST_VALIDATOR,
    TooManyAlternativesError,
    UnusablePatternError,
    bounded,
)

_MOST_LOOKED_AT = 200
_NO_OTHERS: Registry[Any] = Registry()
UNUSABLE = (SchemaError, Unresolvable, UnusablePatternError, TooManyAlternativesError, RecursionError)
_KINDS: Mapping[str, str] = {
    "integer": "a valid integer",
    "number": "a valid number",
    "string": "a valid string",
    "boolean": "a valid boolean",
    "array": "a valid list",
    "object": "an object",
    "null": "null",
}
# As pydantic says it, where it has the model.
_MESSAGES: Mapping[str, Callable[[Any], str]] = {
    "type": lambda kinds: f"Input should be {_either([kinds] if isinstance(kinds, str) else kinds)}",
    "required": lambda _: "Field required",
    "additionalProperties": lambda _: "Extra inputs are not permitted",
    "enum": lambda choices: f"Input should be {' or '.join(map(_as_json, choices))}",
    "const": lambda only: f"Input should be {_as_json(only)}",
    "pattern": lambda pattern: f"String should match pattern '{pattern}'",
    "format": lambda format: f"Input should be a valid {format}",
    "minLength": lambda least: f"String should have at least {least} characters",
    "maxLength": lambda most: f"String should have at most {most} characters",
    "minimum": lambda least: f"Input should be greater than or equal to {least}",
    "maximum": lambda most: f"Input should be less than or equal to {most}",
    "exclusiveMinimum": lambda bound: f"Input should be greater than {bound}",
    "exclusiveMaximum": lambda bound: f"Input should be less than {bound}",
    "multipleOf": lambda of: f"Input should be a multiple of {of}",
    "minItems": lambda least: f"List should have at least {least} items",
    "maxItems": lambda most: f"List should have at most {most} items",
    "uniqueItems": lambda _: "No two items should be equal",
    "minProperties": lambda least: f"Input should have at least {least} entries",
    "maxProperties": lambda most: f"Input should have at most {most} entries",
    "anyOf": lambda branches: f"Input should be {_either(map(_kind_of, branches))}",
    "oneOf": lambda branches: f"Input should be {_either(map(_kind_of, branches))}",
}


def check(data: bytes | None, schema: str, *, needed: str) -> str | None:
    """Check the JSON of a request against that of a schema, and return why the schema cannot be used, if so.

    Raises:
        TickerValidationError: It does not fit; each error has the path to what does not. Or there is none,
            and one is ``needed``.
    """
    try:
        validator = validator_of(schema)
        with bounded():
            # Of plain parameters that all have defaults, none is an empty object.
            is_missing = data is None and not any(map(validator.is_valid, (None, {})))
            errors = iter(()) if data is None else _misfits(validator.iter_errors(json.loads(data)))
            found = list(islice(errors, _MOST_LOOKED_AT))
    except UNUSABLE as error:
        return _reason(error)
    if is_missing:
        raise TickerValidationError("request", None, needed)
    if found:
        raise refusal_of((each.absolute_path, each.instance, _words(each)) for each in found)
    return None


@lru_cache(maxsize=256)
def validator_of(text: str) -> Any:
    """Return the validator of a schema by its JSON; raises one of ``UNUSABLE``, as does its use."""
    schema = json.loads(text)
    # Patterns may be those of another engine than Python's.
    REQUEST_VALIDATOR.check_schema(schema, format_checker=None)
    # Nothing is fetched: what a schema refers to is in it.
    return REQUEST_VALIDATOR(schema, registry=_NO_OTHERS)


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it, or the request, is nested too deeply"
    return str(getattr(error, "message", error))


def _misfits(errors: Iterator[ValidationError]) -> Iterator[ValidationError]:
    """Yield errors; in place of one of a union those of the alternative that was meant."""
    for error in errors:
        meant = _meant(error)
        if meant is None:
            yield error
        else:
            yield from _misfits(iter(meant))


def _meant(error: ValidationError) -> Sequence[ValidationError] | None:
    """Return the errors of the one alternative whose kind and tag a value has; None where none stands out."""
    if error.validator not in {"anyOf", "oneOf"} or not error.context:
        return None
    branches: dict[int, list[ValidationError]] = {}
    for each in error.context:
        branches.setdefault(each.relative_schema_path[0], []).append(each)
    alike = [each for each in branches.values() if not any(_is_other_kind(wrong, 0) for wrong in each)]
    tagged = [each for each in alike if not any(_is_other_kind(wrong, 1) for wrong in each)]
    found = tagged or alike
    return found[0] if len(found) == 1 else None


def _is_other_kind(error: ValidationError, depth: int) -> bool:
    """Return True if a value is of another type, or has another constant at this depth, as a tag would."""
    keywords = {"const", "enum"} if depth else {"type", "const", "enum"}
    return error.validator in keywords and len(error.relative_path) == depth


def _words(error: ValidationError) -> str:
    message = _MESSAGES.get(error.validator)
    return f"It does not fit ({error.validator})" if message is None else message(error.validator_value)


def _kind_of(branch: Any) -> str:
    """Return what an alternative is called."""
    if not isinstance(branch, Mapping):
        return "anything"
    named = branch.get("title") or str(branch.get("$ref", "")).rpartition("/")[2]
    kind = branch.get("type")
    if named or not isinstance(kind, str):
        return str(named or "of another kind")
    return kind


def _either(kinds: Any) -> str:
    return " or ".join(dict.fromkeys(_KINDS.get(each, each) for each in kinds))


def _as_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
