"""What workers registered: for producers and dashboards that do not import the functions."""

from collections.abc import Collection, Sequence, Set
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Any

from sqlalchemy import case, select, update

from tickerq_celery.store.database.batches import insert_if_absent
from tickerq_celery.store.database.transaction import Transaction, rowcount
from tickerq_celery.store.tables import functions


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionRecord:
    """A function as a worker registered it."""

    name: str
    path: str
    queue: str | None
    priority: int
    max_concurrency: int | None
    on_lost: str
    retries: int
    retry_intervals: tuple[timedelta, ...]
    request_schema: Any
    max_concurrency_per_key: int | None = 1
    rate_limit: str | None = None


def register(tx: Transaction, records: Sequence[FunctionRecord]) -> None:
    """Write what a worker registers, over what an earlier one said.

    A row that says it already is not written, so that a worker that starts waits for no claim that has it.
    """
    now = tx.now
    stored = find(tx, [record.name for record in records])
    news = [record for record in records if stored.get(record.name) != record]
    for record in sorted(news, key=lambda each: each.name):
        values: dict[str, Any] = {
            "path": record.path,
            "queue": record.queue,
            "priority": record.priority,
            "max_concurrency": record.max_concurrency,
            "max_concurrency_per_key": record.max_concurrency_per_key,
            "rate_limit": record.rate_limit,
            "on_lost": record.on_lost,
            "retries": record.retries,
            "retry_intervals": record.retry_intervals,
            "request_schema": record.request_schema,
            "updated_at": now,
        }
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
