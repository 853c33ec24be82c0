"""SQL that makes many rows from their numbers, on each kind of database."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import Connection, Table, text

from tests.tables import metadata

_ID_END = "70008000000000000000"
_ANALYSED = "tickerq_tickers, tickerq_cron_tickers, tickerq_attempts, tickerq_rollups, tickerq_audit"


def id_of(number: int) -> UUID:
    """Return the id of the row of that number; those of a higher number are newer."""
    return UUID(f"{number:012x}{_ID_END}")


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes rows in a transaction; what follows from a row's number ``n`` are expressions of SQL."""

    connection: Connection

    @property
    def kind(self) -> str:
        return self.connection.dialect.name

    def write(self, table: str, count: int, columns: Mapping[str, str], *, only: str = "1 = 1") -> None:
        """Insert as many rows as there are numbers from 0 below ``count`` for which ``only`` is true."""
        values = ", ".join(columns.values())
        rows = f"SELECT {values} FROM {self._numbers(count)} WHERE {only}"
        self.connection.execute(text(f"INSERT INTO {table} ({', '.join(columns)}) {rows}"))

    @contextmanager
    def without_indexes(self, table: Table) -> Iterator[None]:
        """Write many rows in a fraction of the time; MariaDB needs its indexes for the foreign keys."""
        indexes = (
            ()
            if self.kind in {"mysql", "mariadb"}
            else sorted(table.indexes, key=lambda each: str(each.name))
        )
        for index in indexes:
            index.drop(self.connection)
        yield
        # Makes no table: it gives the indexes the conditions that their database can have.
        metadata.create_all(self.connection, tables=[])
        for index in indexes:
            index.create(self.connection)

    def analyse(self) -> None:
        """Let the database know what its tables hold."""
        command = "ANALYZE TABLE" if self.kind in {"mysql", "mariadb"} else "ANALYZE"
        tables = "" if self.kind == "sqlite" else _ANALYSED
        self.connection.execute(text(f"{command} {tables}"))

    def id(self, number: str = "n") -> str:
        """Return the id that belongs to a number."""
        if self.kind == "postgresql":
            return f"CAST(lpad(to_hex({number}), 12, '0') || '{_ID_END}' AS uuid)"
        if self.kind == "sqlite":
            return f"printf('%012x{_ID_END}', {number})"
        return f"CONCAT(LPAD(LOWER(HEX({number})), 12, '0'), '{_ID_END}')"

    def moment(self, start: datetime, seconds: str) -> str:
        """Return the moment so many seconds after ``start``."""
        base = start.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
        if self.kind == "postgresql":
            return f"(timestamptz '{base}+00' + ({seconds}) * interval '1 second')"
        if self.kind == "sqlite":
            return f"strftime('%Y-%m-%d %H:%M:%f000', '{base}', ({seconds}) || ' seconds')"
        return f"(TIMESTAMP '{base}' + INTERVAL ({seconds}) SECOND)"

    def joined(self, *parts: str) -> str:
        """Return texts as one."""
        if self.kind in {"mysql", "mariadb"}:
            return f"CONCAT({', '.join(parts)})"
        # SQLite would join before it divides.
        return f"({' || '.join(f'({part})' for part in parts)})"

    def long(self, length: int) -> str:
        """Return a text of that length."""
        return f"printf('%.*c', {length}, 'x')" if self.kind == "sqlite" else f"repeat('x', {length})"

    def _numbers(self, count: int) -> str:
        if self.kind == "postgresql":
            return f"generate_series(0, {count - 1}) AS numbers(n)"
        if self.kind == "sqlite":
            below = f"SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n < {count - 1}"
            return f"(WITH RECURSIVE s(n) AS ({below}) SELECT n FROM s) AS numbers"
        return f"(SELECT CAST(seq AS SIGNED) AS n FROM seq_0_to_{count - 1}) AS numbers"
