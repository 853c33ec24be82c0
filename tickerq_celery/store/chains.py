"""What a parent's start and end do to its children, in the parent's own transaction."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Select, case, delete, func, select, update

from tickerq_celery.clock import Clock
from tickerq_celery.enums import HoldReason, RunCondition, TickerStatus
from tickerq_celery.store.attempts import lock_free
from tickerq_celery.store.database.batches import in_parts, write_in_parts
from tickerq_celery.store.tables import tickers
from tickerq_celery.store.tables.column_types import sql_now
from tickerq_celery.tickers.chains import UNMET_REASON, is_met
from tickerq_celery.tickers.lifecycle import check_transition

_IS_WAITING = (tickers.c.status == TickerStatus.IDLE, tickers.c.held_for == HoldReason.PARENT.value)


def start_beside(connection: Connection, clock: Clock, parent_id: UUID) -> list[UUID]:
    """Make the children due that start with their parent, and return them."""
    waiting = _waiting_below(connection, [parent_id])
    return _make_due(
        connection, clock, [each for each in waiting if each.is_met_by(TickerStatus.IN_PROGRESS)]
    )


def follow(
    connection: Connection, clock: Clock, parent_ids: Sequence[UUID], status: TickerStatus
) -> list[UUID]:
    """Let the end of parents decide on the children that wait for them; return those due now or later.

    The others are skipped, and all that is below them.
    """
    waiting = _waiting_below(connection, parent_ids)
    _skip(connection, clock, [each for each in waiting if not each.is_met_by(status)])
    return _make_due(connection, clock, [each for each in waiting if each.is_met_by(status)])


def lock_waiting(connection: Connection, parent_ids: Collection[UUID]) -> set[UUID]:
    """Lock all that waits below some parents; return the parents below which nobody else has any locked.

    For those who must not stand and wait: a process that stands still in an edit keeps its locks.
    """
    top_of = {each: each for each in parent_ids}
    free, parents = set(parent_ids), list(parent_ids)
    while parents:
        level = in_parts(parents, lambda part: connection.execute(_waiting(part)).all())
        top_of |= {row.id: top_of[row.parent_id] for row in level}
        ids = [row.id for row in level]
        locked = set(in_parts(ids, lambda part: list(lock_free(connection, part))))
        free -= {top_of[each] for each in ids if each not in locked}
        parents = [row.id for row in level if row.has_children]
    return free


def result_for(connection: Connection, child_id: UUID) -> bytes | None:
    """Return what the parent of a run returned, as it is stored; None for one that starts beside its parent.

    Whether that parent has ended by then is chance, and no child should live by it.
    """
    parent = tickers.alias("parent")
    return connection.scalar(
        select(parent.c.result)
        .join(tickers, tickers.c.parent_id == parent.c.id)
        .where(
            tickers.c.id == child_id,
            func.coalesce(tickers.c.run_condition, int(RunCondition.ON_ANY_COMPLETED_STATUS))
            != int(RunCondition.IN_PROGRESS),
        )
    )


def remove_with_descendants(connection: Connection, ids: Collection[UUID]) -> None:
    """Delete runs and all that is below them, the lowest first: MariaDB's own cascade ends at 15 levels."""
    levels: list[Sequence[UUID]] = [list(ids)]
    while levels[-1]:
        levels.append(in_parts(levels[-1], lambda part: _children_of(connection, part)))
    for level in reversed(levels):
        in_parts(level, lambda part: _delete(connection, part))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting:
    """A child that this transaction has locked while it waits for its parent."""

    id: UUID
    parent_id: UUID
    run_condition: int | None
    has_children: bool

    def is_met_by(self, status: TickerStatus) -> bool:
        return is_met(self.run_condition, status)


def _waiting_below(connection: Connection, parent_ids: Sequence[UUID]) -> list[_Waiting]:
    # Nobody may edit or delete them between this look and the write that follows from it.
    rows = in_parts(parent_ids, lambda part: connection.execute(_waiting(part).with_for_update()).all())
    return [_Waiting(**row._asdict()) for row in rows]


def _waiting(parent_ids: Collection[UUID]) -> Select[tuple[UUID, UUID, int | None, bool]]:
    return (
        select(tickers.c.id, tickers.c.parent_id, tickers.c.run_condition, tickers.c.has_children)
        .where(tickers.c.parent_id.in_(list(parent_ids)), *_IS_WAITING)
        .order_by(tickers.c.id)
    )


def _make_due(connection: Connection, clock: Clock, children: Sequence[_Waiting]) -> list[UUID]:
    now = sql_now(clock)
    own_time = tickers.c.execution_time
    due_at = case((own_time > now, own_time), else_=now)
    _write(connection, children, {"due_at": due_at, "updated_at": now})
    return [each.id for each in children]


def _skip(connection: Connection, clock: Clock, children: Sequence[_Waiting]) -> None:
    check_transition(TickerStatus.IDLE, TickerStatus.SKIPPED)
    now = sql_now(clock)
    end = {
        "status": TickerStatus.SKIPPED,
        "skipped_reason": UNMET_REASON,
        "active_key": None,
        "ended_at": now,
        "ended_status": TickerStatus.SKIPPED,
        "updated_at": now,
    }
    while children:
        _write(connection, children, end)
        parents = [each.id for each in children if each.has_children]
        # A child that never started has started nothing: whatever is below it waits.
        children = _waiting_below(connection, parents) if parents else []


def _write(connection: Connection, children: Sequence[_Waiting], values: dict[str, Any]) -> None:
    statement = update(tickers).values(**values, held_for=None, hold_key=None).where(*_IS_WAITING)
    written = write_in_parts(connection, statement, tickers.c.id, [each.id for each in children])
    if written != len(children):
        raise AssertionError(f"wrote {written} of {len(children)} locked children")


def _children_of(connection: Connection, parent_ids: Sequence[UUID]) -> Sequence[UUID]:
    return connection.scalars(select(tickers.c.id).where(tickers.c.parent_id.in_(parent_ids))).all()


def _delete(connection: Connection, ids: Sequence[UUID]) -> Sequence[UUID]:
    connection.execute(delete(tickers).where(tickers.c.id.in_(ids)))
    return ids
