"""Which seeders are due, and which have run: their rows decide."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import exists, func, select, update

from tickerq_celery.enums import NodeKind
from tickerq_celery.store.database.batches import insert_if_absent, insert_rows
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.tables import nodes, seeders

# Of the row that a worker locks while it enrols; no seeder is named so.
_ENROLMENT = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeederState:
    """What the store says of a seeder that this transaction has locked."""

    version: int | None
    is_due: bool


def enrol(
    tx: Transaction, names: Collection[str], *, unversioned: Collection[str], node_id: UUID, lease: timedelta
) -> None:
    """Make rows for the seeders of a worker that starts; those without a version are due if it is alone.

    Workers of one namespace enrol one after the other, so that of several one finds itself alone.
    """
    insert_if_absent(tx, seeders, [_row(tx, _ENROLMENT)])
    here = seeders.c.namespace == tx.namespace
    tx.execute(select(seeders.c.name).where(here, seeders.c.name == _ENROLMENT).with_for_update()).one()
    known = set(tx.scalars(select(seeders.c.name).where(here)))
    insert_rows(tx, seeders, [_row(tx, name) for name in names if name not in known])
    if unversioned and not _has_live_worker(tx, but=node_id, lease=lease):
        tx.execute(update(seeders).where(here, seeders.c.name.in_(list(unversioned))).values(is_due=True))


def lock(tx: Transaction, name: str) -> SeederState | None:
    """Lock a seeder's row, or return None where another worker has it locked: that one seeds."""
    row = tx.execute(
        select(seeders.c.version, seeders.c.is_due)
        .where(seeders.c.namespace == tx.namespace, seeders.c.name == name)
        .with_for_update(skip_locked=True)
    ).one_or_none()
    return None if row is None else SeederState(version=row.version, is_due=row.is_due)


def record(tx: Transaction, name: str, *, version: int | None, node: str) -> None:
    """Write that a locked seeder has run, and on which node."""
    tx.execute(
        update(seeders)
        .where(seeders.c.namespace == tx.namespace, seeders.c.name == name)
        .values(
            is_due=False, version=func.coalesce(version, seeders.c.version), ran_at=tx.sql_now(), ran_on=node
        )
    )


def _row(tx: Transaction, name: str) -> dict[str, object]:
    return {"namespace": tx.namespace, "name": name, "is_due": False}


def _has_live_worker(tx: Transaction, *, but: UUID, lease: timedelta) -> bool:
    found = exists().where(
        nodes.c.namespace == tx.namespace,
        nodes.c.kind == NodeKind.WORKER.value,
        nodes.c.id != but,
        nodes.c.seen_at > tx.sql_after(-lease),
    )
    return bool(tx.execute(select(found)).scalar_one())
