"""What workers registered: for producers and dashboards that do not import the jobs."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select, update

from tickerq_celery.clock import Clock
from tickerq_celery.models import functions
from tickerq_celery.sqltypes import sql_now
from tickerq_celery.store.claims import rowcount
from tickerq_celery.store.engine import insert_if_absent


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionRecord:
    """A function as a worker registered it; intervals are seconds."""

    name: str
    path: str
    queue: str | None
    priority: int
    max_concurrency: int
    on_lost: str
    retries: int
    retry_intervals: tuple[float, ...]
    request_schema: Any


def register(connection: Connection, clock: Clock, namespace: str, records: Sequence[FunctionRecord]) -> None:
    """Write what a worker registers, over what an earlier one said."""
    now = connection.scalars(select(sql_now(clock))).one()
    for record in sorted(records, key=lambda each: each.name):
        values: dict[str, Any] = {
            "path": record.path,
            "queue": record.queue,
            "priority": record.priority,
            "max_concurrency": record.max_concurrency,
            "on_lost": record.on_lost,
            "retries": record.retries,
            "retry_intervals": list(record.retry_intervals),
            "request_schema": record.request_schema,
            "updated_at": now,
        }
        known = update(functions).where(functions.c.namespace == namespace, functions.c.name == record.name)
        if rowcount(connection, known.values(**values)) == 0:
            insert_if_absent(
                connection,
                functions,
                [{"namespace": namespace, "name": record.name, "registered_at": now, **values}],
            )


def find(connection: Connection, namespace: str, names: Collection[str]) -> dict[str, FunctionRecord]:
    """Return those of ``names`` that any worker of the namespace ever registered."""
    columns = [functions.c[name] for name in FunctionRecord.__slots__]
    rows = connection.execute(
        select(*columns).where(functions.c.namespace == namespace, functions.c.name.in_(list(names)))
    )
    found = {}
    for row in rows:
        values = row._asdict()
        values["retry_intervals"] = tuple(values["retry_intervals"])
        found[row.name] = FunctionRecord(**values)
    return found


def lock(connection: Connection, namespace: str, names: Collection[str]) -> None:
    """Let one transaction at a time count the runs of functions that have a limit."""
    connection.execute(
        select(functions.c.name)
        .where(functions.c.namespace == namespace, functions.c.name.in_(list(names)))
        .order_by(functions.c.name)
        .with_for_update()
    )
