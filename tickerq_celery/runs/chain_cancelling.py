"""Cancel what is left of a chain, in the transaction that it is given."""

from collections.abc import Sequence
from uuid import UUID

from tickerq_celery.enums import TERMINAL, TickerKind, TickerStatus
from tickerq_celery.errors import TickerStateError
from tickerq_celery.runs.cancelling import CANCELLED_REASON, CancelledRun, cancel, ended_unstarted
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.runs import ends
from tickerq_celery.store.runs.chain_trees import LockedMember
from tickerq_celery.tickers.effect import Change, Effect

_ALL_ENDED = "in a chain that has ended"
_ONLY_TASKS = "in a chain of which only Celery tasks run"
_NOT_ASKED = "asked to end: use terminate=True, which kills their processes"


def can_be_cancelled(member: LockedMember, *, terminate: bool) -> bool:
    """Return True for a run that has not ended, but for a Celery task that runs, which cannot be asked."""
    if member.status is TickerStatus.IN_PROGRESS and member.kind is TickerKind.CELERY_TASK:
        return terminate
    return member.status not in TERMINAL


def check_any_left(asked: LockedMember, members: Sequence[LockedMember], *, terminate: bool) -> None:
    """Go on where there is something to cancel in a locked chain; ``asked`` is the run that was named.

    Raises:
        TickerStateError: There is nothing.
    """
    if any(can_be_cancelled(each, terminate=terminate) for each in members):
        return
    if all(each.status in TERMINAL for each in members):
        raise TickerStateError(asked.id, _ALL_ENDED, "cancelled")
    raise TickerStateError(asked.id, _ONLY_TASKS, _NOT_ASKED)


def cancel_members(
    tx: Transaction, members: Sequence[LockedMember], *, terminate: bool, who_and_why: str
) -> Effect[list[CancelledRun]]:
    """Cancel runs of a locked chain; the result are those that were, the active ones first.

    What waits ends first, and all of it at once: so no child starts as its parent was cancelled.
    """
    reason = f"{CANCELLED_REASON}{who_and_why}"
    wanted = [each for each in members if can_be_cancelled(each, terminate=terminate)]
    # An occurrence passes its overlap lock on, so it is cancelled by itself.
    at_once = [
        each for each in wanted if each.status is not TickerStatus.IN_PROGRESS and each.cron_ticker_id is None
    ]
    ends.end_unstarted(tx, [each.id for each in at_once], status=TickerStatus.CANCELLED, reason=reason)
    ended = {each.id for each in at_once}
    cancelled: list[CancelledRun] = []
    changed, due = set(ended), set[UUID]()
    for each in wanted:
        if each.id in ended:
            continue
        effect = cancel(tx, each.id, None, terminate, who_and_why=who_and_why)
        if effect.result is None:
            raise AssertionError(f"run {each.id} is locked by this transaction, and was not cancelled")
        cancelled.append(effect.result)
        changed.update(effect.change.ids)
        due.update(effect.due)
    cancelled += ended_unstarted(tx, at_once, reason)
    # One whose end was requested before is as it was.
    change = Change(ids=[each.id for each in wanted if each.id in changed])
    return Effect(result=cancelled, due=due, change=change)
