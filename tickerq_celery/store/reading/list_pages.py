"""A page of an ordered list: the items of the keys that were found, and the cursors around them."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Row, and_, case, select

from tickerq_celery.store.database.batches import in_parts
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.reading.ordered_reads import FoundKeys, Key, Reach, Stage, read_keys
from tickerq_celery.tickers.listings import Listing, Position, position_in

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class ListQuery(Generic[T]):
    """A list: its name and stages, what a row must meet to be in it, and how an item is made of a row.

    ``filters`` are what was asked for as JSON: a cursor goes on with the same ones only. ``rows_each`` is how
    many rows are read to know of one whether it is in the list.
    """

    name: str
    stages: Sequence[Stage]
    which: Sequence[ColumnElement[bool]]
    filters: object
    columns: Sequence[ColumnElement[Any]]
    make_item: Callable[[Row[Any]], T]
    rows_each: int = 1

    def fingerprint(self, namespace: str) -> str:
        """Return what two equal filters have in common, and hardly any two others."""
        text = json.dumps([namespace, self.filters], sort_keys=True)
        return blake2b(text.encode(), digest_size=9).hexdigest()


def page(
    tx: Transaction, query: ListQuery[T], *, limit: int, cursor: str | None, reach: Reach | None = None
) -> Listing[T]:
    """Return a page of a list, read as far as ``reach``, or 2,000 rows.

    Raises:
        TickerValidationError: The cursor is not of this list with these filters.
    """
    fingerprint = query.fingerprint(tx.namespace)
    position = None
    if cursor is not None:
        types = {each.name: each.types for each in query.stages}
        position = position_in(cursor, listing=query.name, fingerprint=fingerprint, stages=types)
    seen = read_keys(
        tx,
        query.stages,
        and_(*query.which),
        position=position,
        limit=limit,
        rows_each=query.rows_each,
        reach=reach,
    )
    before, after = _around(seen, position)
    return Listing(
        _items(tx, seen, query, is_backward=position is not None and position.is_backward),
        next_cursor=None if after is None else after.cursor(query.name, fingerprint),
        previous_cursor=None if before is None else before.cursor(query.name, fingerprint),
        looked_back_to=None if seen.stopped_at is None else seen.stopped_at.moment,
        looked_at=seen.read,
    )


def _around(seen: FoundKeys, position: Position | None) -> tuple[Position | None, Position | None]:
    """Return where the pages before and after this one begin; None where there is none."""
    is_backward = position is not None and position.is_backward
    end = seen.found[-1] if seen.has_more else seen.stopped_at
    onward = None if end is None else end.position(is_backward=is_backward)
    back = None if position is None else position.reversed
    if back is not None and seen.found:
        back = seen.found[0].position(is_backward=not is_backward)
    return (onward, back) if is_backward else (back, onward)


def _items(tx: Transaction, seen: FoundKeys, query: ListQuery[T], *, is_backward: bool) -> tuple[T, ...]:
    """Return what was found, as far as it still stands there."""
    by_stage: dict[str, list[Key]] = {}
    for key in seen.found:
        by_stage.setdefault(key.stage.name, []).append(key)
    made: dict[tuple[str, tuple[object, ...]], T] = {}
    for name, keys in by_stage.items():
        found = _made(tx, query, keys[0].stage, [key.values[-1] for key in keys])
        made |= {(name, values): item for values, item in found.items()}
    there = [(key.stage.name, key.values) for key in seen.found]
    items = [made[each] for each in there if each in made]
    return tuple(items[::-1] if is_backward else items)


def _made(
    tx: Transaction, query: ListQuery[T], stage: Stage, ids: Sequence[UUID]
) -> dict[tuple[object, ...], T]:
    """Return the items of those of ``ids`` that are still in the list, by their values of the order."""
    keys = [column.label(f"key_{number}") for number, column in enumerate(stage.order)]
    # Not in WHERE: a database may take the index of one of them, and read all that it finds.
    is_wanted = case((and_(*query.which), 1), else_=0).label("is_wanted")
    columns: list[ColumnElement[Any]] = [*keys, *query.columns, is_wanted]
    statement = select(*columns)
    rows = in_parts(ids, lambda part: tx.execute(statement.where(stage.table.c.id.in_(part))).all())
    return {tuple(row[: len(keys)]): query.make_item(row) for row in rows if row.is_wanted}
