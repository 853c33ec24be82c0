"""The values of many rows that one statement writes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from sqlalchemy import ColumnElement, Table, literal

# How the names of parameters begin that hold the values of a column of many rows.
ALL = "all_"


@dataclass(frozen=True, slots=True, kw_only=True)
class RowValues:
    """Values by their columns: ``common`` ones of all rows, and in one order each row's ``own``."""

    common: Mapping[str, object]
    own: Mapping[str, Sequence[object]]

    @classmethod
    def of(cls, columns: Mapping[str, Sequence[object]], part: slice) -> Self:
        """Return those of a part of the rows."""
        values = {name: each[part] for name, each in columns.items()}
        common = {name: each[0] for name, each in values.items() if _is_one(each)}
        return cls(common=common, own={name: each for name, each in values.items() if name not in common})

    def common_literals(self, table: Table) -> dict[str, ColumnElement[Any]]:
        """Return the common ones as expressions of the types that their columns have in a table."""
        return {name: literal(value, table.c[name].type) for name, value in self.common.items()}

    def without_nulls(self) -> Self:
        """Return them without the columns that are NULL in all rows."""
        return replace(self, common={name: each for name, each in self.common.items() if each is not None})


def _is_one(values: Sequence[object]) -> bool:
    # The last one first: where rows differ, most often all do.
    return values[-1] == values[0] and values.count(values[0]) == len(values)
