"""Long lists of ids and instants, a part of them in each statement."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Column, Connection, Update

from tickerq_celery.store.claims import rowcount

AT_ONCE = 500
_Item = TypeVar("_Item")
_Answer = TypeVar("_Answer")


def in_parts(items: Sequence[_Item], work: Callable[[Sequence[_Item]], Sequence[_Answer]]) -> list[_Answer]:
    """Do ``work`` on as many items at once as a statement should name; return all that it returned."""
    return [each for first in range(0, len(items), AT_ONCE) for each in work(items[first : first + AT_ONCE])]


def write_in_parts(
    connection: Connection, statement: Update, column: Column[Any], ids: Sequence[UUID]
) -> int:
    """Write the rows of ``ids`` that the statement means; return how many they were."""
    return sum(in_parts(ids, lambda part: [rowcount(connection, statement.where(column.in_(part)))]))
