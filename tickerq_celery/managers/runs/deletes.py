"""Delete runs with all that is below them: those that are not active, or whatever their status."""

from collections.abc import Callable, Collection, Sequence
from uuid import UUID

from tickerq_celery.enums import TickerType
from tickerq_celery.errors import TickerBusyError, TickerStateError
from tickerq_celery.runs.lock_tries import first_locked
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.runs import deletes as run_deletes
from tickerq_celery.store.runs.deletes import LockedChains, Member
from tickerq_celery.tickers.effect import Change, Effect, Shown

# Of more the audit has the ids only.
_MOST_SHOWN = 100


def delete_inactive(
    tx: Transaction,
    ids: Collection[UUID],
    *,
    type: TickerType | None,
    check: Callable[[Transaction], None] | None = None,
) -> Effect[int]:
    """Delete runs, all or none; return how many of ``ids`` were there.

    ``check`` may refuse, once they are locked.

    Raises:
        TickerStateError: One of them, or one below it, is Queued or InProgress.
        TickerBusyError: Another process keeps one of them, or one below it, locked.
    """
    found = _locked(tx, ids, type)
    if check is not None and found.heads:
        check(tx)
    return _removed(tx, found)


def delete_all(tx: Transaction, ids: Collection[UUID], *, type: TickerType) -> Effect[int]:
    """Delete runs, whatever their status; return how many of ``ids`` were there."""
    return _removed(tx, run_deletes.lock_chains(tx, ids, type=type))


def _removed(tx: Transaction, found: LockedChains) -> Effect[int]:
    due = run_deletes.remove(tx, found)
    change = Change(ids=sorted(found.ids), before=_shown(found.heads))
    return Effect(result=len(found.heads), due=due, change=change)


def _shown(heads: Sequence[Member]) -> Shown | None:
    """Return what an audit shows of runs that were asked for: of several by their ids."""
    if not 0 < len(heads) <= _MOST_SHOWN:
        return None
    facts = {
        str(each.id): {
            "function": each.function,
            "description": each.description,
            "status": each.status_word,
        }
        for each in heads
    }
    return facts if len(heads) > 1 else facts[str(heads[0].id)]


def _locked(tx: Transaction, ids: Collection[UUID], type: TickerType | None) -> LockedChains:
    """Lock runs with all below them, none of which is active, never waiting for a process that is stalled."""
    busy: set[UUID] = set()

    def lock() -> LockedChains | None:
        found = run_deletes.lock_chains(tx, ids, type=type, waits=False)
        if found.active is not None:
            raise _refusal(found.active)
        busy.update(found.busy)
        return None if found.busy else found

    locked = first_locked(lock)
    if locked is None:
        raise TickerBusyError(min(busy), "deleted")
    return locked


def _refusal(active: Member) -> TickerStateError:
    status = str(active.status)
    if active.id == active.head:
        return TickerStateError(active.head, status, "deleted, cancel it first")
    below = f"above {active.id}, which is {status}"
    return TickerStateError(active.head, below, "deleted, cancel that one first")
