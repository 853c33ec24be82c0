"""Column types and expressions that mean the same on every database."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import (
    BigInteger,
    DateTime,
    Double,
    LargeBinary,
    SmallInteger,
    String,
    Text,
    Uuid,
    bindparam,
    literal,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler, TypeCompiler
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator

from tickerq_celery.clock import Clock
from tickerq_celery.enums import TickerStatus


class _MediumBlob(LargeBinary):
    """MariaDB's bytes, up to 16 MB."""


class _MediumText(Text):
    """MariaDB's text, up to 16 MB."""


class _Microseconds(DateTime):
    """MariaDB's moment, which has whole seconds unless a precision is given."""


# SQLAlchemy's own types of MariaDB would bring all of its dialect, whatever the store is.
@compiles(_MediumBlob, "mysql")
@compiles(_MediumBlob, "mariadb")
def _medium_blob(type_: _MediumBlob, compiler: TypeCompiler, **kw: Any) -> str:
    return "MEDIUMBLOB"


@compiles(_MediumText, "mysql")
@compiles(_MediumText, "mariadb")
def _medium_text(type_: _MediumText, compiler: TypeCompiler, **kw: Any) -> str:
    return "MEDIUMTEXT"


@compiles(_Microseconds, "mysql")
@compiles(_Microseconds, "mariadb")
def _microseconds(type_: _Microseconds, compiler: TypeCompiler, **kw: Any) -> str:
    return "DATETIME(6)"


Id = Uuid(as_uuid=True).with_variant(Uuid(as_uuid=True, native_uuid=False), "mysql", "mariadb", "sqlite")
Payload = LargeBinary().with_variant(_MediumBlob(), "mysql", "mariadb")
LongText = Text().with_variant(_MediumText(), "mysql", "mariadb")


T = TypeVar("T")
_STATUSES = {each.value: each for each in TickerStatus}


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC moment with microseconds; refuses a naive one."""

    impl = DateTime(timezone=True).with_variant(_Microseconds(), "mysql", "mariadb")
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive datetime {value.isoformat()}: pass an aware one")
        moment = value if value.tzinfo is UTC else value.astimezone(UTC)
        return moment if dialect.name == "postgresql" else moment.replace(tzinfo=None)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None]:
        # Not process_result_value, which is one call more for each of a page's thousands of moments.
        return _read_by(self.impl_instance.result_processor(dialect, coltype), _moment)


def _moment(value: datetime | str | None) -> datetime | None:
    if value is None:
        return None
    if isinstance(value, str):
        # MariaDB gives a bound literal back as text; columns and its own clock come as datetimes.
        value = datetime.fromisoformat(value)
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _read_by(driver: Callable[[Any], Any] | None, read: Callable[[Any], T]) -> Callable[[Any], T]:
    """Return what reads a value that a driver gives, which SQLAlchemy may have to convert first."""
    return read if driver is None else lambda value: read(driver(value))


class Json(TypeDecorator[Any]):
    """A small JSON value kept as text, so that its form does not depend on the database."""

    impl = LongText
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else json.dumps(value, separators=(",", ":"))

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        if value == "[]":  # as most lists are
            return []
        return None if value is None else json.loads(value)


class Duration(TypeDecorator[timedelta]):
    """A duration, kept as seconds; of a few hundred years it keeps the microseconds."""

    impl = Double
    cache_ok = True

    def process_bind_param(self, value: timedelta | None, dialect: Dialect) -> float | None:
        return None if value is None else value.total_seconds()

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], timedelta | None]:
        return _read_by(self.impl_instance.result_processor(dialect, coltype), _duration)


def _duration(value: float | None) -> timedelta | None:
    return None if value is None else timedelta(seconds=value)


class Durations(TypeDecorator[Sequence[timedelta]]):
    """A few durations, kept as a JSON list of seconds."""

    impl = Json
    cache_ok = True

    def process_bind_param(self, value: Sequence[timedelta] | None, dialect: Dialect) -> list[float] | None:
        return None if value is None else [each.total_seconds() for each in value]

    def process_result_value(self, value: list[float] | None, dialect: Dialect) -> Sequence[timedelta] | None:
        # Most have none.
        return None if value is None else tuple(timedelta(seconds=each) for each in value) if value else ()


class Status(TypeDecorator[TickerStatus]):
    """A TickerStatus, kept as its small integer."""

    impl = SmallInteger
    cache_ok = True

    def process_bind_param(self, value: TickerStatus | None, dialect: Dialect) -> int | None:
        return None if value is None else int(value)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], TickerStatus | None]:
        return _read_by(self.impl_instance.result_processor(dialect, coltype), _status)


def _status(value: int | None) -> TickerStatus | None:
    return None if value is None else _STATUSES.get(value) or TickerStatus(value)


def Name(length: int) -> String:  # noqa: N802 - used like the types beside it
    """Return a text type of at most ``length`` characters; compared byte by byte on every database."""
    return String(length)


class _Now(FunctionElement[datetime]):
    """The database's own clock."""

    type = UtcDateTime()
    inherit_cache = True


class _Later(FunctionElement[datetime]):
    """The database's own clock, plus a number of microseconds that is bound as a parameter."""

    type = UtcDateTime()
    inherit_cache = True

    def __init__(self, wait: timedelta) -> None:
        super().__init__(literal(round(wait / timedelta(microseconds=1)), BigInteger()))


@compiles(_Now, "postgresql")
def _now_postgresql(element: _Now, compiler: SQLCompiler, **kw: Any) -> str:
    # clock_timestamp() is volatile, so no index could be searched by it; now() is the transaction's start.
    return "statement_timestamp()"


@compiles(_Now, "mysql")
@compiles(_Now, "mariadb")
def _now_mysql(element: _Now, compiler: SQLCompiler, **kw: Any) -> str:
    return "UTC_TIMESTAMP(6)"


@compiles(_Now, "sqlite")
def _now_sqlite(element: _Now, compiler: SQLCompiler, **kw: Any) -> str:
    # Three digits is all that SQLite's clock has; the zeros keep the text comparable with stored moments.
    return "strftime('%Y-%m-%d %H:%M:%f000', 'now')"


@compiles(_Later, "postgresql")
def _later_postgresql(element: _Later, compiler: SQLCompiler, **kw: Any) -> str:
    return f"(statement_timestamp() + {_wait(element, compiler, kw)} * interval '1 microsecond')"


@compiles(_Later, "mysql")
@compiles(_Later, "mariadb")
def _later_mysql(element: _Later, compiler: SQLCompiler, **kw: Any) -> str:
    return f"(UTC_TIMESTAMP(6) + INTERVAL {_wait(element, compiler, kw)} MICROSECOND)"


@compiles(_Later, "sqlite")
def _later_sqlite(element: _Later, compiler: SQLCompiler, **kw: Any) -> str:
    wait = f"({_wait(element, compiler, kw)} / 1000000.0) || ' seconds'"
    return f"strftime('%Y-%m-%d %H:%M:%f000', 'now', {wait})"


def _wait(element: _Later, compiler: SQLCompiler, kw: dict[str, Any]) -> str:
    return str(compiler.process(element.clauses, **kw))


def sql_now(clock: Clock) -> ColumnElement[datetime]:
    """Return the moment of the statement: the database's own clock, or what a test's clock says."""
    return _Now() if clock.sql_literal() is None else _said_by(clock, timedelta(0))


def sql_after(clock: Clock, wait: timedelta) -> ColumnElement[datetime]:
    """Return the moment ``wait`` after that of the statement; a negative wait looks back."""
    return _Later(wait) if clock.sql_literal() is None else _said_by(clock, wait)


class _SaidMoment(UtcDateTime):
    """Tells a statement with a clock from the same one with a literal moment.

    What SQLAlchemy has compiled for the one it would take for the other, and ask no clock.
    """

    cache_ok = True


def _said_by(clock: Clock, wait: timedelta) -> ColumnElement[datetime]:
    """Return what is bound at each execution: a statement may be built once."""

    def moment() -> datetime:
        return (clock.sql_literal() or clock.now()) + wait

    return bindparam(None, type_=_SaidMoment(), callable_=moment)
