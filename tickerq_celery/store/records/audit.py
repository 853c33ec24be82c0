"""Entries of the audit: begun and completed in the transaction of the change, counted where refused."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, and_, insert, or_, select, update

from tickerq_celery.enums import AuditOutcome
from tickerq_celery.errors import TickerValidationError
from tickerq_celery.ids import new_id
from tickerq_celery.store.database.batches import insert_if_absent
from tickerq_celery.store.database.dialects import dialect_of
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.reading.views import page_size
from tickerq_celery.store.tables import audit
from tickerq_celery.tickers.audit import AuditEntry
from tickerq_celery.tickers.effect import Change
from tickerq_celery.tickers.pages import Page

# No transaction commits it: who reads it has written it.
_BEGUN = "begun"
_MOST_READ = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An entry before its outcome: what is asked, of what, and by whom."""

    action: str
    object_kind: str
    object_id: str | None = None
    ids: Sequence[UUID] = ()
    actor: str
    role: str | None = None
    address: str | None = None
    via: str | None = None
    request_id: str | None = None
    said_by: str | None = None
    reason: str | None = None
    digest: str | None = None


def begin(tx: Transaction, operation_id: UUID, draft: Draft) -> AuditEntry | None:
    """Take the id of an operation; where it has been done already, return its entry.

    Another transaction that is doing it is waited for.
    """
    row = _columns(tx, draft, id=operation_id, outcome=_BEGUN) | {"at": tx.now}
    insert_if_absent(tx, audit, [row])
    # Locked: a caller's snapshot may be older than the entry.
    found = tx.execute(select(audit).where(audit.c.id == operation_id).with_for_update()).one()
    return None if found.outcome == _BEGUN else entry_of(found)


def complete(tx: Transaction, operation_id: UUID, draft: Draft, change: Change) -> None:
    """Write what came of an operation that this transaction has begun."""
    values = _outcome(draft, change) | {"at": tx.sql_now()}
    tx.execute(update(audit).where(audit.c.id == operation_id, audit.c.outcome == _BEGUN).values(values))


def add(tx: Transaction, draft: Draft, change: Change) -> None:
    """Store the entry of an action that has no id of its own."""
    row = _columns(tx, draft, id=new_id(), outcome=AuditOutcome.DONE.value)
    tx.execute(insert(audit).values({**row, **_outcome(draft, change)}))


def done(tx: Transaction, operation_id: UUID) -> AuditEntry | None:
    """Return the entry of an operation that has been done, or None."""
    row = tx.execute(select(audit).where(audit.c.id == operation_id)).one_or_none()
    return None if row is None else entry_of(row)


def add_record(tx: Transaction, draft: Draft, outcome: AuditOutcome, error: str | None) -> None:
    """Store what a host says of an action of its own."""
    row = _columns(tx, draft, id=new_id(), outcome=outcome.value)
    tx.execute(insert(audit).values({**row, "count": 1, "error": error}))


def count_refusal(tx: Transaction, entry_id: UUID, draft: Draft, error: str) -> None:
    """Count a refusal in the entry that has this id; the first one's text stays."""
    row = _columns(tx, draft, id=entry_id, outcome=AuditOutcome.REFUSED.value)
    insert_if_absent(tx, audit, [row | {"at": tx.now, "error": error}])
    tx.execute(update(audit).where(audit.c.id == entry_id).values(count=audit.c.count + 1))


def find(
    tx: Transaction,
    wanted: Mapping[str, str],
    *,
    since: datetime | None,
    until: datetime | None,
    limit: int,
    cursor: str | None,
) -> Page[AuditEntry]:
    """Return a page of entries whose columns have the ``wanted`` values, the newest first.

    It reads 2,000 rows at most: a page may end early, and its cursor then goes on behind the last of them.
    """
    size = page_size(limit)
    indexed, left = _split(wanted)
    statement = select(audit).where(audit.c.namespace == tx.namespace, *_equal(indexed))
    if since is not None:
        statement = statement.where(audit.c.at >= since)
    if until is not None:
        statement = statement.where(audit.c.at < until)
    if cursor is not None:
        statement = statement.where(_behind(cursor))
    statement = statement.order_by(audit.c.at.desc(), audit.c.id.desc())
    read = size + 1 if not left else _MOST_READ
    # It would sooner sort all that somebody has done, or was done to something, than walk along so many.
    with dialect_of(tx.connection.dialect.name).sorting_nothing(tx.connection) if left else nullcontext():
        rows = tx.execute(statement.limit(read)).all()
    found = [row for row in rows if all(getattr(row, name) == value for name, value in left.items())]
    items = tuple(entry_of(row) for row in found[:size])
    if len(found) > size:
        return Page(items, next_cursor=_cursor(found[size - 1]))
    return Page(items, next_cursor=_cursor(rows[-1]) if left and len(rows) == read else None)


def entry_of(row: Row[Any]) -> AuditEntry:
    """Return the entry that a row of the audit holds."""
    values = row._asdict()
    ids = tuple(UUID(each) for each in row.ids)
    return AuditEntry(**{**values, "outcome": AuditOutcome(row.outcome), "ids": ids})


def _split(wanted: Mapping[str, str]) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Return what an index finds, and what is looked for while reading."""
    indexed = ("object_kind", "object_id") if "object_id" in wanted else ("actor",)
    here = {name: value for name, value in wanted.items() if name in indexed}
    return here, {name: value for name, value in wanted.items() if name not in here}


def _equal(values: Mapping[str, str]) -> list[ColumnElement[bool]]:
    return [audit.c[name] == value for name, value in values.items()]


def _behind(cursor: object) -> ColumnElement[bool]:
    try:
        at_text, id_text = str(cursor).split("|")
        at, entry_id = datetime.fromisoformat(at_text), UUID(id_text)
        at.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise TickerValidationError("cursor", cursor, "pass the next_cursor of a page") from error
    if at.tzinfo is None:
        raise TickerValidationError("cursor", cursor, "pass the next_cursor of a page")
    # The first condition is what an index begins at: of an alternative alone none can.
    return and_(audit.c.at <= at, or_(audit.c.at < at, audit.c.id < entry_id))


def _cursor(row: Row[Any]) -> str:
    return f"{row.at.isoformat()}|{row.id}"


def _columns(tx: Transaction, draft: Draft, *, id: UUID, outcome: str) -> dict[str, object]:
    return {
        "id": id,
        "namespace": tx.namespace,
        "at": tx.sql_now(),
        "action": draft.action,
        "outcome": outcome,
        "object_kind": draft.object_kind,
        "object_id": draft.object_id,
        "actor": draft.actor,
        "role": draft.role,
        "address": draft.address,
        "via": draft.via,
        "request_id": draft.request_id,
        "said_by": draft.said_by,
        "reason": draft.reason,
        "digest": draft.digest,
        "ids": [str(each) for each in draft.ids],
        "count": 0,
        "before": None,
        "after": None,
        "error": None,
    }


def _outcome(draft: Draft, change: Change) -> dict[str, object]:
    outcome = AuditOutcome.DONE if change.size else AuditOutcome.UNCHANGED
    made = str(change.ids[0]) if len(change.ids) == 1 else None
    return {
        "outcome": outcome.value,
        # Of what was added, the id is known now.
        "object_id": made if draft.object_id is None else draft.object_id,
        "ids": [str(each) for each in change.ids],
        "count": change.size,
        "before": None if change.before is None else dict(change.before),
        "after": None if change.after is None else dict(change.after),
    }
