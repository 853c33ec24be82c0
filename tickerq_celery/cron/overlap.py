"""Overlap policies: what becomes of new occurrences while an earlier one has not ended."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from enum import Enum
from uuid import UUID

from tickerq_celery.enums import CancelRequest, HoldReason, OverlapPolicy, TickerStatus
from tickerq_celery.runtime.core import Core
from tickerq_celery.store import cancels, cron_tickers, ends, holds, overlaps
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.tickers.cron_rows import CronRow
from tickerq_celery.tickers.run_rows import RunRow, skipped_row

TAKEN_REASON = "Overlap: an earlier occurrence of this cron ticker has not ended"
BUFFERED_REASON = "Overlap: an earlier occurrence of this cron ticker waits already"
REPLACED_REASON = "Overlap: a later occurrence of this cron ticker takes its place"
CANCELLED_REASON = "Overlap: cancelled, as a later occurrence of this cron ticker takes its place"
_TURNS_AT_ONCE = 100


class Fate(Enum):
    """What becomes of an occurrence: it may start, waits for those before it, or is skipped."""

    RUN = "run"
    WAIT = "wait"
    SKIP_AS_TAKEN = "skip as taken"
    SKIP_AS_BUFFERED = "skip as buffered"
    SKIP_AS_REPLACED = "skip as replaced"


SKIP_REASONS = {
    Fate.SKIP_AS_TAKEN: TAKEN_REASON,
    Fate.SKIP_AS_BUFFERED: BUFFERED_REASON,
    Fate.SKIP_AS_REPLACED: REPLACED_REASON,
}


def fates(policy: OverlapPolicy, count: int, *, is_taken: bool, is_waited_for: bool) -> list[Fate]:
    """Return the fates of ``count`` new occurrences, oldest first.

    ``is_taken`` says that an earlier occurrence may run or runs, ``is_waited_for`` that one waits.
    Whatever the policy but ``allow``, at most one of a cron ticker's occurrences is let run at a time.
    """
    decided: list[Fate] = []
    for left in reversed(range(count)):
        if policy is OverlapPolicy.CANCEL_OTHER and left:
            decided.append(Fate.SKIP_AS_REPLACED)
            continue
        fate = _fate(policy, is_taken=is_taken or is_waited_for, is_waited_for=is_waited_for)
        is_taken = is_taken or fate is Fate.RUN
        is_waited_for = is_waited_for or fate is Fate.WAIT
        decided.append(fate)
    return decided


def _fate(policy: OverlapPolicy, *, is_taken: bool, is_waited_for: bool) -> Fate:
    if policy is OverlapPolicy.ALLOW or not is_taken:
        return Fate.RUN
    if policy is OverlapPolicy.SKIP:
        return Fate.SKIP_AS_TAKEN
    if policy is OverlapPolicy.BUFFER_ONE and is_waited_for:
        return Fate.SKIP_AS_BUFFERED
    return Fate.WAIT


def placed(
    tx: Transaction, core: Core, cron: CronRow, rows: Sequence[RunRow], *, now: datetime
) -> list[RunRow]:
    """Return new occurrences, oldest first, as the policy of their locked cron ticker wants them stored.

    With ``cancel_other`` those before them are cancelled.
    """
    policy = cron.overlap
    if policy is OverlapPolicy.ALLOW or not rows:
        return list(rows)
    make_room(tx, core, cron)
    let_next_run(tx, core, cron)
    decided = fates(
        policy,
        len(rows),
        is_taken=overlaps.is_taken(tx, cron.id),
        is_waited_for=overlaps.is_waited_for(tx, cron.id),
    )
    return [_stored_as(cron, row, fate, now) for row, fate in zip(rows, decided, strict=True)]


def in_turn(tx: Transaction, cron: CronRow, rows: Sequence[RunRow]) -> list[RunRow]:
    """Return occurrences that are asked for by hand, which wait for their turn rather than be skipped."""
    if cron.overlap is OverlapPolicy.ALLOW:
        return list(rows)
    decided = fates(
        OverlapPolicy.BUFFER_ALL,
        len(rows),
        is_taken=overlaps.is_taken(tx, cron.id),
        is_waited_for=overlaps.is_waited_for(tx, cron.id),
    )
    return [_stored_as(cron, row, fate, row.created_at) for row, fate in zip(rows, decided, strict=True)]


def queue_up(tx: Transaction, cron: CronRow, run_id: UUID) -> None:
    """Let an occurrence of a locked cron ticker that is due again wait for its turn, or take it."""
    if cron.overlap is OverlapPolicy.ALLOW:
        return
    cron_id = cron.id
    if overlaps.is_taken(tx, cron_id) or overlaps.is_waited_for(tx, cron_id):
        overlaps.let_wait(tx, cron_id, run_id)
    else:
        overlaps.let_take(tx, cron_id, run_id)


def make_room(tx: Transaction, core: Core, cron: CronRow) -> None:
    """Cancel those before, where the policy of a locked cron ticker is ``cancel_other``.

    One that runs is asked to end: its place is free once it has.
    """
    if cron.overlap is not OverlapPolicy.CANCEL_OTHER:
        return
    ends.end_unstarted(
        tx,
        overlaps.lock_unstarted(tx, cron.id),
        status=TickerStatus.CANCELLED,
        reason=CANCELLED_REASON,
    )
    _ask_to_end(tx, core, cron)


def _ask_to_end(tx: Transaction, core: Core, cron: CronRow) -> None:
    run = overlaps.lock_running(tx, cron.id)
    if run is not None and run.cancel_request is None:
        cancels.request(tx, run, CancelRequest.END)


def let_next_run(tx: Transaction, core: Core, cron: CronRow, *, in_pause: bool = False) -> list[UUID]:
    """Give the place of a locked cron ticker to the next that waits, if nobody has it, and return that.

    One that a pause holds gives way to one that was asked for by hand, which no pause holds; ``in_pause``
    says that there is a pause which will hold one that is due later.
    """
    cron_id = cron.id
    if overlaps.is_taken(tx, cron_id) and not (
        overlaps.is_waited_for(tx, cron_id, by_hand=True)
        and overlaps.step_back(tx, cron_id, in_pause=in_pause)
    ):
        return []
    return overlaps.pass_on(tx, cron_id)


def _stored_as(cron: CronRow, row: RunRow, fate: Fate, now: datetime) -> RunRow:
    if fate is Fate.RUN:
        return replace(row, active_key=overlaps.key_of(cron.id))
    if fate is Fate.WAIT:
        return replace(
            row, held_for=HoldReason.OVERLAP, hold_key=str(cron.id), due_at=None, not_before=row.due_at
        )
    return skipped_row(row, reason=SKIP_REASONS[fate], now=now)


def give_turns(tx: Transaction, core: Core, *, after: str) -> str:
    """Let occurrences run whose turn has come with nobody to say so, as what was before them was deleted.

    Looks at a batch of cron tickers whose occurrences wait, and returns the key to go on after.
    """
    keys = holds.next_held_keys(tx, HoldReason.OVERLAP, after=after, limit=_TURNS_AT_ONCE)
    for cron in cron_tickers.lock_free(tx, [UUID(key) for key in keys]):
        made_due = let_next_run(tx, core, cron)
        if not made_due and cron.overlap is OverlapPolicy.CANCEL_OTHER:
            # It may have been starting when the one that waits was made, and could not be asked then.
            _ask_to_end(tx, core, cron)
    return keys[-1] if len(keys) == _TURNS_AT_ONCE else ""


def release_queue(tx: Transaction, before: CronRow, after: CronRow) -> None:
    """Let all occurrences run that wait for the overlap lock, where an edit lets them overlap."""
    if after.overlap is OverlapPolicy.ALLOW is not before.overlap:
        overlaps.let_all_run(tx, after.id)
