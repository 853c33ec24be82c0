"""Lists as the text of PostgreSQL's arrays; that it reads them back is shown where batches are stored."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import BigInteger, Boolean, LargeBinary, Text
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeEngine

from tickerq_celery.store.database.dialects.array_texts import array_text
from tickerq_celery.store.tables.column_types import Id, Json, UtcDateTime

NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)


class Kind(StrEnum):
    A = "a"


class Escaped(str):
    """A text of a template engine, whose ``replace`` escapes what it puts in."""

    def replace(self, *_: Any) -> "Escaped":  # type: ignore[override]
        raise AssertionError("it is stored as it is")


@pytest.mark.parametrize(
    ("type_", "values", "text"),
    [
        (Text(), ["a", None, "", "NULL", 'q"\\', "{,}"], r'{"a",NULL,"","NULL","q\"\\","{,}"}'),
        (Text(), [Kind.A, Escaped("b")], '{"a","b"}'),
        (Json(), [["x"], []], r'{"[\"x\"]","[]"}'),
        (LargeBinary(), [b"\x00a", None], r'{"\\x0061",NULL}'),
        (Id, [UUID(int=10)], "{0000000000000000000000000000000a}"),
        (UtcDateTime(), [NOON], "{2026-01-15T12:00:00+00:00}"),
        (Boolean(), [True, False], "{t,f}"),
        (BigInteger(), [1, -2], "{1,-2}"),
    ],
)
def test_values_are_written_as_postgresql_reads_them(type_: TypeEngine[Any], values: Any, text: str) -> None:
    assert array_text(values, type_, postgresql.dialect()) == text


def test_what_has_no_text_is_no_value_of_a_column() -> None:
    with pytest.raises(TypeError, match="no text of a object"):
        array_text([object()], Text(), postgresql.dialect())
