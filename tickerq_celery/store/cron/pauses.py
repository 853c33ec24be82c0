"""Pauses of functions, tags and everything, as they are stored."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, delete, exists, literal, or_, select

from tickerq_celery.enums import PauseKind
from tickerq_celery.store.cron.cron_tickers import paused_among
from tickerq_celery.store.database.batches import insert_if_absent
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.tables import cron_tickers, pauses, tickers
from tickerq_celery.tickers.claims import Due
from tickerq_celery.tickers.cron_rows import CronRow
from tickerq_celery.tickers.pauses import Pause, Scope, covering


def add(
    tx: Transaction,
    scope: Scope,
    *,
    reason: str | None,
    by: str | None,
) -> None:
    """Store a pause; one that is there already stays as it is."""
    now = tx.now
    row = {"namespace": tx.namespace, "kind": scope.kind.value, "name": scope.name}
    insert_if_absent(tx, pauses, [row | {"reason": reason, "paused_by": by, "paused_at": now}])


def remove(tx: Transaction, scope: Scope, paused_at: datetime) -> bool:
    """Delete the pause that was made at that moment; return True if it was there."""
    statement = delete(pauses).where(
        pauses.c.namespace == tx.namespace,
        pauses.c.kind == scope.kind.value,
        pauses.c.name == scope.name,
        pauses.c.paused_at == paused_at,
    )
    return tx.execute(statement).rowcount == 1


def list_pauses(tx: Transaction) -> list[Pause]:
    """Return the pauses of a namespace, the oldest first."""
    rows = tx.execute(
        select(pauses).where(pauses.c.namespace == tx.namespace).order_by(pauses.c.paused_at, pauses.c.name)
    )
    return [_pause(row) for row in rows]


def list_with_time(tx: Transaction) -> list[Pause]:
    """Return the same, and let the transaction know the time by that statement."""
    always = select(literal(1).label("one")).subquery()
    both = always.outerjoin(pauses, pauses.c.namespace == tx.namespace)
    statement: Select[Any] = select(*pauses.c, tx.sql_now().label("now")).select_from(both)
    rows = tx.execute(statement.order_by(pauses.c.paused_at, pauses.c.name)).all()
    tx.now = rows[0].now
    return [_pause(row) for row in rows if row.kind is not None]


def of_cron(tx: Transaction, cron: CronRow) -> Pause | None:
    """Return a pause of a cron ticker's function, a tag of it or everything; None where there is none."""
    return covering(list_pauses(tx), cron.function, cron.tags)


def holding(tx: Transaction, due: Sequence[Due]) -> dict[UUID, str]:
    """Return which of these runs a pause holds, each with the key of the pause.

    A manual run of a cron ticker starts all the same.
    """
    paused = list_pauses(tx)
    if not paused:
        return {}
    by_plan = [run for run in due if run.cron_ticker_id is None or run.instant is not None]
    tags: dict[UUID, list[str]] = {}
    if any(pause.kind is PauseKind.TAG for pause in paused):
        rows = tx.execute(
            select(tickers.c.id, tickers.c.tags).where(tickers.c.id.in_([run.id for run in by_plan]))
        )
        tags = {row.id: row.tags for row in rows}
    found = {run.id: covering(paused, run.function, tags.get(run.id, ())) for run in by_plan}
    return {run_id: pause.key for run_id, pause in found.items() if pause is not None}


def is_named(tx: Transaction, function: str) -> bool:
    """Return True if a cron ticker or a run that has not ended names a function, or a Celery task."""
    crons = exists().where(cron_tickers.c.namespace == tx.namespace, cron_tickers.c.function == function)
    runs = exists().where(
        tickers.c.namespace == tx.namespace, tickers.c.function == function, tickers.c.ended_at.is_(None)
    )
    return bool(tx.execute(select(or_(crons, runs))).scalar_one())


def keys(tx: Transaction, among: Collection[str]) -> set[str]:
    """Return those of the keys under which runs are held for a pause whose pause is not over."""
    if not among:
        return set()
    here = {pause.key for pause in list_pauses(tx)}
    crons = {UUID(key) for key in among if ":" not in key}
    return here | {str(cron_id) for cron_id in paused_among(tx, crons)}


def _pause(row: Row[Any]) -> Pause:
    return Pause(
        kind=PauseKind(row.kind),
        name=row.name,
        reason=row.reason,
        paused_by=row.paused_by,
        paused_at=row.paused_at,
    )
