"""Lists of values as PostgreSQL reads them from text: a driver takes many times as long for each value."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import singledispatch
from typing import Any
from uuid import UUID

from sqlalchemy import LargeBinary
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeEngine


def array_text(values: Sequence[Any], type_: TypeEngine[Any], dialect: Dialect) -> str:
    """Return the values of a column of this type as the text of an array."""
    process = None
    if not isinstance(type_, LargeBinary):
        process = type_.dialect_impl(dialect).bind_processor(dialect)
    given: Iterable[Any] = values if process is None else list(map(process, values))
    text_of = {kind: _text.dispatch(kind) for kind in set(map(type, given))}
    return f"{{{','.join([text_of[type(each)](each) for each in given])}}}"


@singledispatch
def _text(value: object) -> str:
    raise TypeError(f"no text of a {type(value).__name__} in an array")


@_text.register
def _(value: None) -> str:
    return "NULL"


@_text.register
def _(value: int) -> str:
    return int.__repr__(value)


@_text.register
def _(value: bool) -> str:
    return "t" if value else "f"


@_text.register
def _(value: float) -> str:
    return float.__repr__(value)


@_text.register
def _(value: str) -> str:
    # Of a subclass, too, a plain text.
    escaped = str.replace(str.replace(value, "\\", r"\\"), '"', r"\"")
    return f'"{escaped}"'


@_text.register
def _(value: bytes) -> str:
    return rf'"\\x{value.hex()}"'


@_text.register
def _(value: datetime) -> str:
    # It has neither a comma nor a space, and needs no quotes.
    return datetime.isoformat(value)


@_text.register
def _(value: UUID) -> str:
    return value.hex
