"""What workers registered: for producers and dashboards that do not import the functions."""

from collections.abc import Collection, Sequence, Set
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import case, select, update

from tickerq_celery.functions.records import FunctionRecord
from tickerq_celery.store.database.batches import insert_if_absent
from tickerq_celery.store.database.transaction import Transaction, rowcount
from tickerq_celery.store.tables import functions

_MOST_NAMES = 1_000


def register(tx: Transaction, records: Sequence[FunctionRecord]) -> None:
    """Write what a worker registers, over what an earlier one said.

    A row that says it already is not written, so that a worker that starts waits for no claim that has it.
    """
    now = tx.now
    stored = find(tx, [record.name for record in records])
    news = [record for record in records if stored.get(record.name) != record]
    for record in sorted(news, key=lambda each: each.name):
        columns = [each.name for each in fields(record) if each.name != "name"]
        values: dict[str, Any] = {column: getattr(record, column) for column in columns}
        values["updated_at"] = now
        before = stored.get(record.name)
        if before is not None and before.rate_limit != record.rate_limit:
            # The wait was the old rate's, maybe a day long.
            values["rate_free_at"] = None
        known = update(functions).where(
            functions.c.namespace == tx.namespace, functions.c.name == record.name
        )
        if rowcount(tx, known.values(**values)) == 0:
            insert_if_absent(
                tx,
                functions,
                [{"namespace": tx.namespace, "name": record.name, "registered_at": now, **values}],
            )


def find(tx: Transaction, names: Collection[str]) -> dict[str, FunctionRecord]:
    """Return those of ``names`` that any worker of the namespace ever registered."""
    columns = [functions.c[each.name] for each in fields(FunctionRecord)]
    rows = tx.execute(
        select(*columns).where(functions.c.namespace == tx.namespace, functions.c.name.in_(list(names)))
    )
    return {row.name: FunctionRecord(**row._asdict()) for row in rows}


def some_names(tx: Transaction) -> list[str]:
    """Return the names that workers of the namespace registered, 1,000 at most: one may have been meant."""
    own = select(functions.c.name).where(functions.c.namespace == tx.namespace)
    return [row.name for row in tx.execute(own.order_by(functions.c.name).limit(_MOST_NAMES))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counting:
    """Of functions with limits, those that another transaction counts, and those whose rate says to wait."""

    elsewhere: Set[str] = frozenset()
    too_early: Set[str] = frozenset()


def lock(tx: Transaction, names: Collection[str]) -> Counting:
    """Let one transaction at a time count the runs of functions.

    A second one does not wait: the first may be stalled in its transaction.
    """
    if not names:
        return Counting()
    is_early = case((functions.c.rate_free_at > tx.sql_now(), 1), else_=0)
    among = (functions.c.namespace == tx.namespace, functions.c.name.in_(list(names)))
    known = set(tx.scalars(select(functions.c.name).where(*among)))
    locked = tx.execute(
        select(functions.c.name, is_early).where(*among).with_for_update(skip_locked=True)
    ).all()
    return Counting(
        elsewhere=known - {row[0] for row in locked}, too_early={row[0] for row in locked if row[1]}
    )
