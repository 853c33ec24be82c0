"""Names that an index holds between names that are known, without reading the rows of those."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Integer,
    Row,
    Select,
    String,
    column,
    literal,
    select,
    true,
    union_all,
    values,
)

from tickerq_celery.store.database.batches import in_parts
from tickerq_celery.store.database.dialects import dialect_of
from tickerq_celery.store.database.transaction import Transaction

# What follows all names.
_BEHIND_ALL = "\U0010ffff"
# Rows in each gap: most names that are looked for have a few.
_LEAST = 5


@dataclass(frozen=True, slots=True)
class Gap:
    """What lies between two names, without these; ``before`` None: all behind the first."""

    after: str
    before: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedRows:
    """Rows of one name, as far as they were read: ``is_whole`` where these are all."""

    name: str
    rows: Sequence[Row[*tuple[Any, ...]]]
    is_whole: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NameScan:
    """Rows with names, which an index has in their order; the ``name`` is what they show first."""

    rows: Select[Any]
    name: ColumnElement[str]

    def part(self, *within: ColumnElement[bool], size: int) -> Select[*tuple[Any, ...]]:
        """Return the first rows whose names meet conditions."""
        return self.rows.where(*within).limit(size)


def names_in(tx: Transaction, scan: NameScan, gaps: Sequence[Gap], *, most: int) -> list[NamedRows]:
    """Return the names in some gaps, each with its first rows, until there are ``most`` of them.

    One statement asks the index in each of the gaps, and the next one where it found as many as it asked
    for: thousands of rows may have a name.
    """
    found: list[NamedRows] = []
    while gaps and len(found) < most:
        size = max(_LEAST, most // len(gaps))
        following = []
        for gap, its in zip(gaps, _read(tx, scan, gaps, size), strict=True):
            is_full = len(its) == size
            each = [(key, tuple(some)) for key, some in groupby(its, key=lambda row: row[1])]
            last = each[-1][0] if is_full else None
            found += [NamedRows(name=key, rows=some, is_whole=key != last) for key, some in each]
            if last is not None:
                following.append(Gap(last, gap.before))
        gaps = following
    return found


def _read(
    tx: Transaction, scan: NameScan, gaps: Sequence[Gap], size: int
) -> list[list[Row[*tuple[Any, ...]]]]:
    """Return the first rows in each gap, which begin with its number, in the order of their names."""
    if dialect_of(tx.connection.dialect.name).has_lateral:
        rows = tx.execute(_of_each(scan, gaps, size)).all()
    else:
        numbered = list(enumerate(gaps))
        rows = in_parts(numbered, lambda some: tx.execute(_united(scan, some, size)).all())
    found: list[list[Row[*tuple[Any, ...]]]] = [[] for _ in gaps]
    for row in sorted(rows, key=lambda row: (row[0], row[1])):
        found[row[0]].append(row)
    return found


def _of_each(scan: NameScan, gaps: Sequence[Gap], size: int) -> Select[*tuple[Any, ...]]:
    """Return a query that is built and planned once for all gaps."""
    columns = (column("number", Integer), column("behind", String), column("before", String))
    given = values(*columns, name="gaps").data(
        [(number, gap.after, gap.before or _BEHIND_ALL) for number, gap in enumerate(gaps)]
    )
    part = scan.part(scan.name > given.c.behind, scan.name < given.c.before, size=size).lateral()
    return select(given.c.number, part).select_from(given.join(part, true()))


def _united(scan: NameScan, gaps: Sequence[tuple[int, Gap]], size: int) -> CompoundSelect[*tuple[Any, ...]]:
    parts = []
    for number, gap in gaps:
        within = (
            [scan.name > gap.after] if gap.before is None else [scan.name > gap.after, scan.name < gap.before]
        )
        # SQLite takes no LIMIT in a part of a union but within a subquery.
        parts.append(select(literal(number), scan.part(*within, size=size).subquery()))
    return union_all(*parts)
