"""The WHERE and ORDER BY of index scans, also where a planner would leave that index for another one.

And loose ones, which do not read what lies between two values.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Row,
    Select,
    and_,
    case,
    literal,
    select,
    tuple_,
    union_all,
)

from tickerq_celery.store.database.dialects import Dialect, dialect_of
from tickerq_celery.store.database.transaction import Transaction

# What all stored moments and ids follow. Comparisons with these stand for IS NOT NULL, for which SQLite takes
# no index, and by which neither it nor PostgreSQL takes a partial one.
EARLIEST = datetime(2, 1, 1, tzinfo=UTC)
LEAST_ID = UUID(int=0)


def unindexed(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return what is true where all conditions are, and for which a database takes no index of theirs."""
    return case((and_(*conditions), 1), else_=0) == 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """Rows that follow one another in the ``index``: ``equal`` in the columns before its order's.

    ``since`` (inclusive) and ``until`` (exclusive) are bounds of the order's first column.
    """

    index: str
    equal: Sequence[tuple[ColumnElement[Any], object]] = ()
    since: object = None
    until: object = None
    conditions: Sequence[ColumnElement[bool]] = ()


class ScanClauses:
    """The WHERE and ORDER BY that keep a database on the index of a scan.

    For a planner that leaves the index of an equal column, that column is the first of the order, between two
    bounds that are equal.
    """

    def __init__(
        self, order: Sequence[ColumnElement[Any]], scan: Scan, dialect: Dialect, *, is_descending: bool
    ) -> None:
        self._scan = scan
        self._dialect = dialect
        self._is_descending = is_descending
        is_led = dialect.leaves_index_of_equal
        self._equal = () if is_led else scan.equal
        self._first = order[0]
        self._before = [column for column, _ in scan.equal] if is_led else []
        self._values = [value for _, value in scan.equal] if is_led else []
        self._columns = [*self._before, *order]

    def order(self) -> list[ColumnElement[Any]]:
        """Return what to order by."""
        return [column.desc() if self._is_descending else column.asc() for column in self._columns]

    def bounds(self) -> list[ColumnElement[bool]]:
        """Return what is true from the scan's one end to the other."""
        since, until = self._scan.since, self._scan.until
        found = [column == value for column, value in self._equal]
        if since is not None:
            found.append(self._first >= since)
        if until is not None:
            found.append(self._first < until)
        if not self._before:
            return found
        least = [] if since is None else [(self._first, since)]
        found.append(self._row(least) >= self._values_of(least))
        if until is None:
            return [*found, self._row() <= self._values_of()]
        most = [(self._first, until)]
        return [*found, self._row(most) < self._values_of(most)]

    def beyond(self, key: Sequence[Any], *, is_inclusive: bool) -> ColumnElement[bool]:
        """Return what is true of what follows a key of the order, or also of that."""
        return self._dialect.beyond(
            self._columns,
            [*self._values, *key],
            is_descending=self._is_descending,
            is_inclusive=is_inclusive,
        )

    def _row(self, more: Sequence[tuple[ColumnElement[Any], object]] = ()) -> ColumnElement[Any]:
        return tuple_(*self._before, *(column for column, _ in more))

    def _values_of(self, more: Sequence[tuple[ColumnElement[Any], object]] = ()) -> ColumnElement[Any]:
        pairs = [*self._scan.equal, *more]
        return tuple_(*(literal(value, column.type) for column, value in pairs))


def limited_union(dialect: str, parts: Sequence[Select[Any]]) -> CompoundSelect[*tuple[Any, ...]]:
    """Return the rows of all ``parts``, in no order, for the database of that name.

    SQLite takes no LIMIT in a part of a union but within a subquery. MariaDB keeps the rows of each subquery
    in a table of their own, which takes it five times as long.
    """
    if dialect_of(dialect).takes_limits_in_unions:
        return union_all(*parts)
    return union_all(*(select(part.subquery()) for part in parts))


def one_of_each(
    tx: Transaction, rows: Select[*tuple[Any, ...]], column: ColumnElement[str], *, after: str, most: int
) -> Iterator[Row[Any]]:
    """Yield the first of ``rows`` for each value of ``column`` behind ``after``, up to ``most`` values.

    The column is the first that they show and are ordered by. The index is asked for the value that follows,
    since thousands of rows may have the same: where one statement asked for all values, PostgreSQL would read
    all rows, and MariaDB those of each value again.
    """
    for _ in range(most):
        row = tx.execute(rows.where(column > after).limit(1)).one_or_none()
        if row is None:
            return
        yield row
        after = row[0]
