"""One row of each value of a column that an index holds, without reading what lies between."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, Row, Select

from tickerq_celery.store.database.transaction import Transaction


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
