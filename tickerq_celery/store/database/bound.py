"""Statements that are built once, and given their values at each execution.

Of a statement that is sent all the time SQLAlchemy takes longer to build it, and to find what it has compiled
for it, than the database takes to execute it.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

from sqlalchemy import BindParameter, Column, bindparam

T = TypeVar("T")


def bound(column: Column[T], *, row: int = 0) -> BindParameter[T]:
    """Return what stands for a value of a column in a statement; ``row`` counts the rows that it writes."""
    return bindparam(_name(column.name, row), type_=column.type)


def parameters(values: Mapping[str, object], *, row: int = 0) -> dict[str, Any]:
    """Return values of columns, by their names, as the parameters of such a statement."""
    return {_name(name, row): value for name, value in values.items()}


def _name(column: str, row: int) -> str:
    # As SQLAlchemy names those of several rows, by which a refused value's column is found.
    return f"{column}__m{row}"
