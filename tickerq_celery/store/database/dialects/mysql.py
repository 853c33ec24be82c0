"""MariaDB and MySQL."""

import base64
import json
import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    LargeBinary,
    Table,
    TableValuedAlias,
    Text,
    and_,
    bindparam,
    func,
    literal_column,
    or_,
    text,
    update,
)
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.dml import Insert

from tickerq_celery.deferred import Deferred
from tickerq_celery.errors import StoreError
from tickerq_celery.store.database.dialects.dialect import (
    ANSWER_TIMEOUT,
    CONNECT_TIMEOUT,
    Dialect,
    first_argument,
)
from tickerq_celery.store.database.dialects.row_values import RowValues
from tickerq_celery.store.tables import metadata
from tickerq_celery.tickers.settings_report import TableSize

if TYPE_CHECKING:
    from sqlalchemy.dialects.mysql import insert
else:
    # With it comes all of SQLAlchemy's dialect, which processes of other stores do not need.
    insert = Deferred("sqlalchemy.dialects.mysql", "insert")

logger = logging.getLogger(__name__)

# One server may hold several stores; a lock's name is the server's, and of 64 characters at most.
_LOCK_NAME = "CONCAT('tickerq_migration_', MD5(DATABASE()))"
# In seconds; then it says that it waits.
_LOCK_WAIT = 25
_CHARSET = "utf8mb4"
_BYTE_BY_BYTE = f"CHARACTER SET {_CHARSET} COLLATE {_CHARSET}_bin"
_OTHER_TABLES = text(
    "SELECT table_name, table_collation FROM information_schema.tables"
    " WHERE table_schema = DATABASE() AND table_name IN :names AND table_collation NOT LIKE :prefix"
).bindparams(bindparam("names", list(metadata.tables), expanding=True), prefix=f"{_CHARSET}%")
_SIZES = text(
    "SELECT table_name, table_rows, data_length + index_length FROM information_schema.tables"
    " WHERE table_schema = DATABASE() AND table_name IN :names"
).bindparams(bindparam("names", expanding=True))
_COLUMN = re.compile(r"for column (?:\S*\.)?[`'](\w+)[`']")
_SELECT = re.compile(r"\ASELECT\b")
# In bytes: without a word it cuts joined texts off, MySQL at 1,024.
_LONGEST_JOINED = 16 * 1024 * 1024
_TRANSIENT = {1020, 1205, 1213}
_CHECK_VIOLATED = {4025, 3819}
_NO_TABLE = 1146
_READ_ONLY = {1290, 1836}
_TOO_LONG = {1969, 3024}


class MySQL(Dialect):
    """MariaDB and MySQL."""

    has_partial_indexes = False
    asks_for_needless_rollbacks = True
    url_start = "mysql+pymysql://"
    answer_arguments = ("read_timeout", "write_timeout")

    def connect_args(self, url: URL) -> dict[str, object]:
        # Beat sets a socket timeout for the whole process: say ours, so that it does not decide.
        bounds = dict.fromkeys(self.answer_arguments, ANSWER_TIMEOUT)
        return {"connect_timeout": CONNECT_TIMEOUT, "charset": _CHARSET, **bounds}

    def begin_reading(self, connection: Connection, seconds: float) -> None:
        connection.exec_driver_sql("START TRANSACTION READ ONLY")

    def limited(self, connection: Connection, statement: str, seconds: float) -> str:
        # Of the statement alone: what a session is set to, a proxy may give to others.
        if getattr(connection.dialect, "is_mariadb", False):
            limits = f"max_statement_time={max(0.001, seconds):.3f}, group_concat_max_len={_LONGEST_JOINED}"
            return f"SET STATEMENT {limits} FOR {statement}"
        limit = f"MAX_EXECUTION_TIME({max(1, round(seconds * 1000))})"
        hint = f"SELECT /*+ {limit} SET_VAR(group_concat_max_len={_LONGEST_JOINED}) */"
        return _SELECT.sub(hint, statement, count=1)

    def took_too_long(self, error: DBAPIError) -> bool:
        return first_argument(error) in _TOO_LONG

    @contextmanager
    def migration_lock(self, connection: Connection) -> Iterator[None]:
        _take_lock(connection)
        try:
            yield
            # This lock ends before the transaction does, and the next process must see what this one wrote.
            connection.exec_driver_sql("COMMIT")
        finally:
            # The server releases that of a lost connection, whose loss is the error to report.
            if not connection.invalidated:
                connection.execute(text(f"SELECT RELEASE_LOCK({_LOCK_NAME})"))

    def insert_if_absent(self, table: Table) -> Insert:
        key = next(iter(table.primary_key.columns))
        return insert(table).on_duplicate_key_update({key.name: key})

    def update_many(
        self,
        connection: Connection,
        table: Table,
        ids: Sequence[UUID],
        values: RowValues,
        conditions: Sequence[ColumnElement[bool]],
    ) -> int:
        # Its drivers would send one UPDATE after the other, and wait for each answer.
        given = _given(connection, table, {"id": ids, **values.own})
        columns = values.common_literals(table)
        for name in values.own:
            is_binary = isinstance(table.c[name].type, LargeBinary)
            columns[name] = func.from_base64(given.c[name]) if is_binary else given.c[name]
        statement = update(table).where(table.c.id == given.c.id, *conditions).values(columns)
        return connection.execute(statement).rowcount

    def index_hint(self, index: str) -> str | None:
        # Where two indexes have the order it takes the one of the order alone, and reads what others ended.
        return f"FORCE INDEX ({index})"

    def beyond(
        self,
        columns: Sequence[ColumnElement[Any]],
        key: Sequence[object],
        *,
        is_descending: bool,
        is_inclusive: bool,
    ) -> ColumnElement[bool]:
        # It looks through all of an index where rows of values are compared.
        pairs = list(zip(columns, key, strict=True))
        follows = [
            and_(
                *(column == value for column, value in pairs[:number]),
                column < value if is_descending else column > value,
            )
            for number, (column, value) in enumerate(pairs)
        ]
        if is_inclusive:
            follows.append(and_(*(column == value for column, value in pairs)))
        first, bound = pairs[0]
        return and_(first <= bound if is_descending else first >= bound, or_(*follows))

    def table_sizes(self, connection: Connection, names: Sequence[str]) -> list[TableSize]:
        rows = connection.execute(_SIZES, {"names": list(names)})
        return [TableSize(name=name, rows=count, bytes=size) for name, count, size in rows]

    def is_transient(self, error: DBAPIError) -> bool:
        return first_argument(error) in _TRANSIENT

    def lacks_table(self, error: DBAPIError) -> bool:
        return bool(first_argument(error) == _NO_TABLE)

    def encoding_flaw(self, connection: Connection) -> str | None:
        client = connection.exec_driver_sql("SELECT @@character_set_client").scalar()
        if client != _CHARSET:
            return f"charset is {client}, and texts need {_CHARSET}: say charset={_CHARSET} in store_url"
        # Whatever the database's own is: it is that of tables which say nothing else.
        other = connection.execute(_OTHER_TABLES).first()
        if other is not None:
            return f"the table {other[0]} has the collation {other[1]}, and texts need {_CHARSET}"
        return None

    def refused_column(self, error: DBAPIError) -> str | None:
        found = _COLUMN.search(str(error.orig))
        return None if found is None else found[1]

    def is_read_only(self, error: DBAPIError) -> bool:
        return first_argument(error) in _READ_ONLY

    def is_violation(self, error: DBAPIError) -> bool:
        return first_argument(error) in _CHECK_VIOLATED


def _given(connection: Connection, table: Table, values: Mapping[str, Sequence[object]]) -> TableValuedAlias:
    """Return rows with these values of a table's columns, the id among them: one JSON document is sent."""
    lists: list[Iterable[object]] = []
    columns = []
    for number, (name, each) in enumerate(values.items()):
        type_ = table.c[name].type
        # As text all are taken as they are; an id of another type would find no index.
        kind = "CHAR(32)" if name == "id" else "LONGTEXT"
        columns.append(f"{name} {kind} {_BYTE_BY_BYTE} PATH '$[{number}]'")
        process = type_.dialect_impl(connection.dialect).bind_processor(connection.dialect)
        if process is None or isinstance(type_, LargeBinary):
            lists.append(each)
        else:
            lists.append([process(value) for value in each])
    rows = json.dumps(list(zip(*lists, strict=True)), ensure_ascii=False, default=_as_text)
    shape: ColumnElement[Any] = literal_column(f"'$[*]' COLUMNS ({', '.join(columns)})")
    return func.json_table(bindparam("given_rows", rows, Text()), shape).table_valued(*values, name="given")


def _as_text(value: object) -> str:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)


def _take_lock(connection: Connection) -> None:
    statement = text(f"SELECT GET_LOCK({_LOCK_NAME}, :wait)")
    while (taken := connection.scalar(statement, {"wait": _LOCK_WAIT})) != 1:
        if taken is None:
            raise StoreError("the server refused the lock of migrations")
        logger.warning("migration waiting: another process is changing the tables of this store")
