"""Requests that pydantic converts and checks: all but those of JSON's own types."""

import typing
from collections import deque
from collections.abc import Hashable, Iterable, Mapping, Set
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import cast
from uuid import UUID

from pydantic import (
    BaseModel,
    ConfigDict,
    PydanticUserError,
    SecretBytes,
    SecretStr,
    TypeAdapter,
    ValidationError,
)
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import ErrorDetails, from_json
from pydantic_core.core_schema import ErrorType

from tickerq_celery.errors import TickerError, TickerValidationError, UnreadableRequestError
from tickerq_celery.payload.parameter_schemas import NO_SUCH_PARAMETER, for_pydantic
from tickerq_celery.payload.parameters import Parameters
from tickerq_celery.payload.plain_requests import MAX_DEPTH, Same, json_bytes
from tickerq_celery.payload.redaction import discreet

_NAMED_LEVELS = 20
_MOST_NAMED = 20
_ATOMS = frozenset({str, int, float, bool, type(None)})
_LOSSLESS = frozenset({str, int, bool, type(None), UUID, datetime, date, Decimal})
_ANYTHING = TypeAdapter[object](object, config=ConfigDict(ser_json_inf_nan="constants"))
# Of these the text repeats the input; that of an error of the user's own type may do so as well.
_REPEATING = {"union_tag_invalid", "value_error", "assertion_error"}
_DISCREET = (frozenset(typing.get_args(ErrorType)) - _REPEATING) | {NO_SUCH_PARAMETER}


def converted(value: object, *, request_type: object, limit: int) -> bytes | None:
    """Return any request as JSON; takes, returns and raises what ``requests.encode`` does."""
    wanted = request_type
    if wanted is None and hasattr(type(value), "__pydantic_validator__"):
        wanted = type(value)
    checked = value if wanted is None else _validated(value, wanted)
    if value is None and checked is None:
        return None
    data = _written(checked, wanted)
    if len(data) > limit:
        raise _invalid((), value, f"it takes {len(data)} bytes as JSON, and the limit is {limit}")
    # An instance is not validated again by pydantic, so this is also what finds one changed since.
    read_back = _read(data, wanted, is_shown=True)
    if wanted is not None:
        _refuse_losses(checked, read_back)
    return data


def validated(data: bytes | None, *, request_type: object) -> object:
    """Return any stored request; takes and raises what ``requests.decode`` does."""
    return _read(data, request_type, is_shown=False)


def _read(data: bytes | None, request_type: object, *, is_shown: bool) -> object:
    try:
        if data is None:
            return None if request_type is None else _validated(None, request_type)
        if request_type is None:
            return cast("object", from_json(data, allow_inf_nan=False))
        return _adapter(Same(request_type)).validate_json(data, by_alias=True, by_name=True)
    except ValidationError as exc:
        error: TickerError = _misfit(exc) if is_shown else _discreet(exc)
    except TickerValidationError:
        raise
    except ValueError as exc:
        error = _invalid((), data, f"it is not JSON: {exc}") if is_shown else _damaged(str(exc))
    raise error  # not in the handler, where the error that shows the values would become its context


def check_type(request_type: object) -> None:
    """Raise a TickerValidationError if requests could not be checked against this type."""
    if request_type is not None:
        _adapter(Same(request_type))


def json_schema(request_type: object) -> dict[str, object] | None:
    """Return the JSON schema of a request type, by field name; None where there is no type or no schema."""
    if request_type is None:
        return None
    try:
        adapter = _adapter(Same(request_type))
        return adapter.json_schema(by_alias=False, schema_generator=_QuietSchema)
    except (TickerValidationError, PydanticUserError):
        return None


class _QuietSchema(GenerateJsonSchema):
    # A default that JSON cannot hold is left out of the schema, without a warning.
    ignored_warning_kinds = {"skipped-choice", "non-serializable-default"}  # noqa: RUF012  # pydantic's type


@lru_cache(maxsize=1024)
def _adapter(key: Same) -> TypeAdapter[object]:
    try:
        adapter = TypeAdapter[object](for_pydantic(key.type))
        if not adapter.pydantic_complete:
            adapter.rebuild(raise_errors=True)
    except (PydanticUserError, NameError, TypeError) as exc:
        raise _unfit(key.type, exc) from exc
    return adapter


def _unfit(hint: object, error: Exception) -> TickerValidationError:
    """Return the error for a type that requests cannot be checked against, or for a parameter's."""
    metadata = getattr(hint, "__metadata__", ())
    for each in (each for found in metadata if isinstance(found, Parameters) for each in found.named):
        try:
            _adapter(Same(each.type))
        except TickerValidationError:
            reason = (
                f"its parameter {each.name!r} is of a type that is no JSON: pass what identifies it, such as "
                "its id, or a pydantic model of it"
            )
            return TickerValidationError("function", each.type, reason)
    reason = f"requests cannot be checked against this type: {str(error).partition(chr(10))[0]}"
    return TickerValidationError("function", hint, reason)


def _validated(value: object, request_type: object) -> object:
    try:
        return _adapter(Same(request_type)).validate_python(value, by_alias=True, by_name=True)
    except ValidationError as exc:
        raise _misfit(exc) from exc


def _misfit(exc: ValidationError) -> TickerValidationError:
    return refusal_of((each["loc"], each["input"], each["msg"]) for each in _errors_of(exc))


def _damaged(reason: str) -> UnreadableRequestError:
    # The parser names a place, and shows nothing of what is there.
    return UnreadableRequestError(f"its JSON is damaged: {reason.removeprefix('Invalid JSON: ')}")


def _discreet(exc: ValidationError) -> TickerError:
    """Return the error that says of the value no more than its type."""
    first = _errors_of(exc)[0]
    if first["type"] == "json_invalid" and not first["loc"]:
        return _damaged(first["msg"])
    return refusal_of(
        (
            each["loc"],
            type(each["input"]),
            each["msg"] if each["type"] in _DISCREET else f"it does not fit ({each['type']})",
        )
        for each in _errors_of(exc)
    )


def _errors_of(exc: ValidationError) -> list[ErrorDetails]:
    return exc.errors(include_url=False, include_context=False)


def refusal_of(misfits: Iterable[tuple[Iterable[object], object, str]]) -> TickerValidationError:
    """Return one error that names the path, the value and the reason of each misfit, up to some number."""
    errors = [_invalid(*misfit) for misfit in misfits]
    first, *others = errors[:_MOST_NAMED]
    left = len(errors) - _MOST_NAMED
    reason = first.reason if left <= 0 else f"{first.reason} ({left} more misfits are not named)"
    return TickerValidationError(first.field, first.value, reason, others=others)


def _invalid(path: Iterable[object], value: object, reason: str) -> TickerValidationError:
    parts = ["request", *map(str, path)]
    parts[_NAMED_LEVELS:] = ["…"] if len(parts) > _NAMED_LEVELS else []
    field = ".".join(parts).encode(errors="backslashreplace").decode()
    try:
        return TickerValidationError(field, discreet(parts, value), reason)
    except (RecursionError, ValueError):  # the repr of a deep list, of a very long int
        return TickerValidationError(field, type(value), reason)


def _written(value: object, request_type: object) -> bytes:
    try:
        if request_type is None:
            return json_bytes(_plain(value, ()))
        return json_bytes(_dumped(_adapter(Same(request_type)), value))
    except TickerValidationError:
        raise
    except ValueError as exc:
        path, culprit = _unwritable(value)
        raise _invalid(path, culprit, f"it cannot be written as JSON: {exc}") from exc


def _dumped(adapter: TypeAdapter[object], value: object) -> object:
    # Warnings are off because reading the bytes back finds the same, with a path.
    return adapter.dump_python(value, mode="json", by_alias=False, round_trip=True, warnings=False)


def _plain(value: object, path: tuple[object, ...]) -> object:
    """Return ``value`` as JSON values where no type says how: sets sorted, keys never converted."""
    if type(value) in _ATOMS:
        return value
    if len(path) > MAX_DEPTH:
        raise _invalid((), type(value), f"it is nested more than {MAX_DEPTH} levels deep")
    if isinstance(value, (bytes, bytearray, memoryview)):
        raise _invalid(path, value, "bytes are not JSON: pass text, for example base64")
    if isinstance(value, Set):
        return sorted((_plain(item, (*path, "*")) for item in value), key=repr)
    if isinstance(value, (list, tuple, deque)):
        return [_plain(item, (*path, index)) for index, item in enumerate(value)]
    if isinstance(value, Mapping) or (is_dataclass(value) and not isinstance(value, type)):
        return {_text_key(key, path): _plain(item, (*path, key)) for key, item in children_of(value).items()}
    try:
        return _dumped(_ANYTHING, value)
    except ValueError as exc:
        raise _invalid(path, value, f"it cannot be written as JSON: {exc}") from exc


def _text_key(key: object, path: Iterable[object]) -> str:
    if isinstance(key, str):
        return str(key)
    raise _invalid(path, key, "the keys of a JSON object are text")


def _unwritable(value: object) -> tuple[list[object], object]:
    """Return the path to the innermost value that cannot be written, and that value."""
    path: list[object] = []
    while len(path) < _NAMED_LEVELS:
        misfits = ((key, child) for key, child in children_of(value).items() if not _is_writable(child))
        key, child = next(misfits, (None, None))
        if child is None:
            break
        path.append(key)
        value = child
    return path, value


def _is_writable(value: object) -> bool:
    try:
        json_bytes(_dumped(_ANYTHING, value))
    except ValueError:
        return False
    return True


def _refuse_losses(before: object, after: object) -> None:
    """Raise where JSON changed a mapping's keys (1 is not "1"), made NaN null, or masked a secret."""
    waiting: list[tuple[tuple[object, ...], object, object]] = [((), before, after)]
    while waiting:
        path, old, new = waiting.pop()
        if isinstance(old, Mapping) and isinstance(new, Mapping) and old.keys() != new.keys():
            raise _invalid(path, old, "its keys do not survive JSON: use text, or type them")
        if isinstance(old, float) and new is None:
            raise _invalid(path, old, "JSON has no such number")
        if isinstance(old, (SecretStr, SecretBytes)) and old != new:
            raise _invalid(path, old, "a secret is written as its mask: use plain text, or a serializer")
        doubtful = [(key, child) for key, child in children_of(old).items() if type(child) not in _LOSSLESS]
        kept = children_of(new) if doubtful else {}
        waiting += [((*path, key), child, kept[key]) for key, child in doubtful if key in kept]


def children_of(value: object) -> Mapping[object, object]:
    """Return what a container holds, by key, index or field name; nothing for anything else."""
    if names := _fields_of(cast("Hashable", type(value))):
        return {name: getattr(value, name) for name in names if hasattr(value, name)}
    if isinstance(value, Mapping):
        return value
    if isinstance(value, (list, tuple, deque)):
        return dict(enumerate(value))
    if isinstance(value, BaseModel):
        return cast("Mapping[object, object]", vars(value) | (value.model_extra or {}))
    return {}


@lru_cache(maxsize=1024)
def _fields_of(kind: type) -> tuple[str, ...]:
    """Return the fields of a dataclass that is no other container besides; of other types none."""
    if not is_dataclass(kind) or issubclass(kind, Mapping | list | tuple | deque | BaseModel):
        return ()
    return tuple(item.name for item in fields(kind))
