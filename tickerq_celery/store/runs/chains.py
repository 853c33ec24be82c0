"""What a parent's start and end do to its children, in the parent's own transaction."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Select, case, delete, func, select, update

from tickerq_celery.enums import HoldReason, RunCondition, TickerStatus
from tickerq_celery.store.database.batches import in_parts, write_in_parts
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.runs.changed_at import changed_at, end_columns
from tickerq_celery.store.runs.holds import UNHELD
from tickerq_celery.store.runs.starts import lock_free
from tickerq_celery.store.tables import tickers
from tickerq_celery.tickers.chains import is_met, unmet_reason
from tickerq_celery.tickers.lifecycle import check_transition

_IS_WAITING = (tickers.c.status == TickerStatus.IDLE, tickers.c.held_for == HoldReason.PARENT.value)


def start_beside(tx: Transaction, parent_id: UUID) -> list[UUID]:
    """Make the children due that start with their parent, and return them."""
    waiting = _waiting_below(tx, [parent_id])
    return _make_due(tx, [each for each in waiting if each.is_met_by(TickerStatus.IN_PROGRESS)])


def follow(tx: Transaction, parent_ids: Sequence[UUID], status: TickerStatus) -> list[UUID]:
    """Let the end of parents decide on the children that wait for them; return those due now or later.

    The others are skipped, and all that is below them.
    """
    waiting = _waiting_below(tx, parent_ids)
    _skip(tx, [each for each in waiting if not each.is_met_by(status)], status)
    return _make_due(tx, [each for each in waiting if each.is_met_by(status)])


def lock_waiting(tx: Transaction, parent_ids: Collection[UUID]) -> set[UUID]:
    """Lock all that waits below some parents; return the parents with none below locked elsewhere.

    For work that must not wait: a process that is stalled in an edit keeps its locks.
    """
    top_of = {each: each for each in parent_ids}
    free, parents = set(parent_ids), list(parent_ids)
    while parents:
        level = in_parts(parents, lambda part: tx.execute(_waiting(part)).all())
        top_of |= {row.id: top_of[row.parent_id] for row in level}
        ids = [row.id for row in level]
        locked = set(in_parts(ids, lambda part: list(lock_free(tx, part))))
        free -= {top_of[each] for each in ids if each not in locked}
        parents = [row.id for row in level if row.has_children]
    return free


def result_for(tx: Transaction, child_id: UUID) -> bytes | None:
    """Return what the parent of a run returned, as it is stored; None for one that starts beside its parent.

    Whether that parent has ended by then is chance, and no child should live by it.
    """
    parent = tickers.alias("parent")
    return tx.scalar(
        select(parent.c.result)
        .join(tickers, tickers.c.parent_id == parent.c.id)
        .where(
            tickers.c.id == child_id,
            func.coalesce(tickers.c.run_condition, int(RunCondition.ON_ANY_COMPLETED_STATUS))
            != int(RunCondition.IN_PROGRESS),
        )
    )


def result_of(tx: Transaction, run_id: UUID) -> bytes | None:
    """Return what a run returned, as it is stored for its children; None where nothing is."""
    is_own = (tickers.c.id == run_id, tickers.c.namespace == tx.namespace)
    return tx.scalar(select(tickers.c.result).where(*is_own))


def remove_with_descendants(tx: Transaction, ids: Collection[UUID]) -> None:
    """Delete runs and all that is below them, the lowest first: MariaDB's own cascade ends at 15 levels."""
    levels: list[Sequence[UUID]] = [list(ids)]
    while levels[-1]:
        levels.append(in_parts(levels[-1], lambda part: _children_of(tx, part)))
    for level in reversed(levels):
        in_parts(level, lambda part: _delete(tx, part))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting:
    """A child that this transaction has locked while it waits for its parent."""

    id: UUID
    parent_id: UUID
    run_condition: int | None
    has_children: bool

    def is_met_by(self, status: TickerStatus) -> bool:
        return is_met(self.run_condition, status)


def _waiting_below(tx: Transaction, parent_ids: Sequence[UUID]) -> list[_Waiting]:
    # No other transaction may edit or delete them between this look and the write that follows from it.
    rows = in_parts(parent_ids, lambda part: tx.execute(_waiting(part).with_for_update()).all())
    return [_Waiting(**row._asdict()) for row in rows]


def _waiting(parent_ids: Collection[UUID]) -> Select[tuple[UUID, UUID, int | None, bool]]:
    return (
        select(tickers.c.id, tickers.c.parent_id, tickers.c.run_condition, tickers.c.has_children)
        .where(tickers.c.parent_id.in_(list(parent_ids)), *_IS_WAITING)
        .order_by(tickers.c.id)
    )


def _make_due(tx: Transaction, children: Sequence[_Waiting]) -> list[UUID]:
    now = tx.sql_now()
    own_time = tickers.c.execution_time
    due_at = case((own_time > now, own_time), else_=now)
    _write(tx, children, {"due_at": due_at, **UNHELD, "updated_at": changed_at(tx.clock)})
    return [each.id for each in children]


def _skip(tx: Transaction, children: Sequence[_Waiting], status: TickerStatus) -> None:
    """Skip children whose parents got to ``status``, and all that is below them."""
    check_transition(TickerStatus.IDLE, TickerStatus.SKIPPED)
    while children:
        for condition in {each.run_condition for each in children}:
            reason = unmet_reason(condition, status)
            alike = [each for each in children if each.run_condition == condition]
            _write(tx, alike, end_columns(tx.clock, TickerStatus.SKIPPED, reason))
        parents = [each.id for each in children if each.has_children]
        # A child that never started has started nothing: whatever is below it waits.
        children, status = (_waiting_below(tx, parents) if parents else []), TickerStatus.SKIPPED


def _write(tx: Transaction, children: Sequence[_Waiting], values: dict[str, object]) -> None:
    statement = update(tickers).values(values).where(*_IS_WAITING)
    written = write_in_parts(tx, statement, tickers.c.id, [each.id for each in children])
    if written != len(children):
        raise AssertionError(f"wrote {written} of {len(children)} locked children")


def _children_of(tx: Transaction, parent_ids: Sequence[UUID]) -> Sequence[UUID]:
    return tx.scalars(select(tickers.c.id).where(tickers.c.parent_id.in_(parent_ids))).all()


def _delete(tx: Transaction, ids: Sequence[UUID]) -> Sequence[UUID]:
    tx.execute(delete(tickers).where(tickers.c.id.in_(ids)))
    return ids
