"""PostgreSQL, through psycopg or another driver."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    Engine,
    Table,
    TableValuedAlias,
    Text,
    any_,
    bindparam,
    cast,
    column,
    event,
    func,
    select,
    text,
    update,
)
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.dml import Insert

from tickerq_celery.deferred import Deferred
from tickerq_celery.store.database.dialects.array_texts import array_text
from tickerq_celery.store.database.dialects.dialect import (
    ANSWER_TIMEOUT,
    CONNECT_TIMEOUT,
    READ_BUDGET,
    Dialect,
    first_argument,
    sqlstate,
)
from tickerq_celery.store.database.dialects.row_values import ALL, RowValues
from tickerq_celery.tickers.settings_report import TableSize

if TYPE_CHECKING:
    from sqlalchemy.dialects.postgresql import insert
else:
    # With it comes all of SQLAlchemy's dialect, which processes of other stores do not need.
    insert = Deferred("sqlalchemy.dialects.postgresql", "insert")

_ENCODING = "UTF8"
_SIZES = text(
    "SELECT relname, CAST(reltuples AS bigint), pg_total_relation_size(oid) FROM pg_class"
    " WHERE relkind IN ('r', 'p') AND pg_table_is_visible(oid) AND relname IN :names"
).bindparams(bindparam("names", expanding=True))
# The kernel gives a silent network up: what was sent and not received, and a peer that is gone.
_CONNECT_ARGS: Mapping[str, object] = {
    "connect_timeout": CONNECT_TIMEOUT,
    "tcp_user_timeout": ANSWER_TIMEOUT * 1000,
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 4,
}
# How often psycopg sends a statement before it has the session keep it; none where it never does.
_PREPARE_THRESHOLD = "prepare_threshold"
# Each of an engine's few statements is sent for every run.
_SENT_BEFORE = 1
# psycopg prepares on the server what it sends often. That belongs to the session, and a pooler gives the next
# transaction another one, which does not know the statement, or has another client's by the same name.
# Nor does the environment decide how texts are sent.
_PSYCOPG_ARGS: Mapping[str, object] = {_PREPARE_THRESHOLD: None, "client_encoding": _ENCODING}
_LOCK_NUMBER = 0x7469636B
_NO_TABLE = "42P01"
_READ_ONLY = "25006"
_CANCELED = "57014"
# The limit that a transaction's statements have, in seconds.
_LIMIT = "tickerq_statement_limit"
_STALE = "40001"
_TRANSIENT = {_STALE, "40P01"}
# What each encoding must be, and where it is set.
_ENCODINGS = {
    "server_encoding": "make the store in a database of ENCODING 'UTF8' TEMPLATE template0",
    "client_encoding": "take it out of store_url and store_engine_options",
}


class PostgreSQL(Dialect):
    """PostgreSQL."""

    url_start = "postgresql+psycopg://"
    leaves_index_of_equal = True
    has_lateral = True
    has_writing_ctes = True

    def connect_args(self, url: URL) -> dict[str, object]:
        return {**_CONNECT_ARGS, **(_PSYCOPG_ARGS if url.get_driver_name() == "psycopg" else {})}

    def keep_statements(self, engine: Engine, given: Collection[str]) -> None:
        if engine.url.get_driver_name() == "psycopg" and _PREPARE_THRESHOLD not in given:
            event.listen(engine, "connect", _keep_where_direct)

    @contextmanager
    def sorting_nothing(self, connection: Connection) -> Iterator[None]:
        # Where its statistics are older than a backlog, it would read and sort all of that for a few rows.
        connection.exec_driver_sql("SET LOCAL enable_sort = off")
        yield
        # What has to sort would be compiled first, for its cost: that takes seconds.
        connection.exec_driver_sql("SET LOCAL enable_sort TO DEFAULT")

    def begin_reading(self, connection: Connection, seconds: float) -> None:
        # Where it expects many rows and few come, it would compile a query for longer than a read may take.
        connection.exec_driver_sql(
            "SELECT set_config('transaction_read_only', 'on', true), set_config('jit', 'off', true),"
            f" {_limit(connection, seconds)}"
        )

    def limited(self, connection: Connection, statement: str, seconds: float) -> str:
        # Only what is running out is worth a trip to the server.
        if seconds < connection.info[_LIMIT]:
            own = {READ_BUDGET: None}
            connection.exec_driver_sql(f"SELECT {_limit(connection, seconds)}", execution_options=own)
        return statement

    def took_too_long(self, error: DBAPIError) -> bool:
        return sqlstate(error) == _CANCELED

    @contextmanager
    def migration_lock(self, connection: Connection) -> Iterator[None]:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_NUMBER})
        yield

    def insert_if_absent(self, table: Table) -> Insert:
        return insert(table).on_conflict_do_nothing()

    def among(self, column: ColumnElement[Any], values: Sequence[object]) -> ColumnElement[bool]:
        # One parameter: the statement is the same for any number of values, and compiled once. It is no text:
        # what an array is cast from hides from the planner that NULL is not in it, and so partial indexes.
        list_type: ARRAY[Any] = ARRAY(column.type, dimensions=1)
        return column == any_(cast(bindparam(None, list(values), list_type), list_type))

    def insert_many(self, connection: Connection, table: Table, values: RowValues) -> None:
        # A row each is parsed, planned and answered one by one, whatever the driver makes of it.
        common = [
            cast(bindparam(f"one_{name}", value, table.c[name].type), table.c[name].type)
            for name, value in values.common.items()
        ]
        names = [*values.own, *values.common]
        selected = select(*_given(connection, table, values.own).c, *common)
        connection.execute(insert(table).from_select(names, selected, include_defaults=False))

    def update_many(
        self,
        connection: Connection,
        table: Table,
        ids: Sequence[UUID],
        values: RowValues,
        conditions: Sequence[ColumnElement[bool]],
    ) -> int:
        given = _given(connection, table, {"id": ids, **values.own})
        columns = values.common_literals(table) | {name: given.c[name] for name in values.own}
        written = connection.execute(
            update(table).where(table.c.id == given.c.id, *conditions).values(columns)
        )
        return written.rowcount

    def table_sizes(self, connection: Connection, names: Sequence[str]) -> list[TableSize]:
        rows = connection.execute(_SIZES, {"names": list(names)})
        # A table that no statistics were made of yet has -1.
        return [
            TableSize(name=name, rows=None if count < 0 else count, bytes=size) for name, count, size in rows
        ]

    def is_transient(self, error: DBAPIError) -> bool:
        return sqlstate(error) in _TRANSIENT

    def is_stale(self, error: DBAPIError) -> bool:
        # MariaDB's deadlock has the same SQLSTATE and a number, and undoes the whole transaction.
        return sqlstate(error) == _STALE and not isinstance(first_argument(error), int)

    def lacks_table(self, error: DBAPIError) -> bool:
        return sqlstate(error) == _NO_TABLE

    def encoding_flaw(self, connection: Connection) -> str | None:
        for setting, advice in _ENCODINGS.items():
            found = connection.exec_driver_sql(f"SHOW {setting}").scalar()
            if found != _ENCODING:
                return f"{setting} is {found}, and texts need {_ENCODING}: {advice}"
        return None

    def is_read_only(self, error: DBAPIError) -> bool:
        return sqlstate(error) == _READ_ONLY


def _given(connection: Connection, table: Table, values: Mapping[str, Sequence[object]]) -> TableValuedAlias:
    """Return rows with these values of a table's columns: of each column one list is sent."""
    types = {name: table.c[name].type for name in values}
    lists = []
    for name, each in values.items():
        list_type: ARRAY[Any] = ARRAY(types[name], dimensions=1)
        sent = array_text(each, types[name], connection.dialect)
        lists.append(cast(bindparam(f"{ALL}{name}", sent, Text()), list_type))
    columns = (column(name, type_) for name, type_ in types.items())
    return func.unnest(*lists).table_valued(*columns, name="given").render_derived()


def _limit(connection: Connection, seconds: float) -> str:
    """Return what limits the statements of the transaction, and of no other."""
    connection.info[_LIMIT] = seconds
    # 0 would be no limit.
    return f"set_config('statement_timeout', '{max(1, round(seconds * 1000))}', true)"


def _keep_where_direct(connection: Any, _: object) -> None:
    """Let a new session keep its statements, unless a pooler stands before it.

    A pooler gives the next transaction another session, which does not know the statement.
    """
    if _is_direct(connection):
        connection.prepare_threshold = _SENT_BEFORE


def _is_direct(connection: Any) -> bool:
    """Return True if the process that answers is the one that the server has announced.

    A pooler announces a number of its own, by which it finds whose statement a client cancels.
    """
    autocommits = connection.autocommit
    connection.autocommit = True
    (answering,) = connection.execute("SELECT pg_backend_pid()").fetchone()
    connection.autocommit = autocommits
    return bool(answering == connection.info.backend_pid)
