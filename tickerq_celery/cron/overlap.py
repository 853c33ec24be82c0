"""Overlap policies: what becomes of new occurrences while an earlier one has not ended."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID

from tickerq_celery.enums import CancelRequest, HoldReason, OverlapPolicy, TickerStatus
from tickerq_celery.runtime.core import Core
from tickerq_celery.store import cancels, cron_tickers, ends, holds, overlaps
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.tickers.run_rows import skipped_row

TAKEN_REASON = "Overlap: an earlier occurrence of this cron ticker has not ended"
BUFFERED_REASON = "Overlap: an earlier occurrence of this cron ticker waits already"
REPLACED_REASON = "Overlap: a later occurrence of this cron ticker takes its place"
CANCELLED_REASON = "Overlap: cancelled, as a later occurrence of this cron ticker takes its place"
_TURNS_AT_ONCE = 100
Row = dict[str, Any]


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
    tx: Transaction, core: Core, cron: Mapping[str, Any], rows: Sequence[Row], *, now: datetime
) -> list[Row]:
    """Return new occurrences, oldest first, as the policy of their locked cron ticker wants them stored.

    With ``cancel_other`` those before them are cancelled.
    """
    policy = OverlapPolicy(cron["overlap"])
    if policy is OverlapPolicy.ALLOW or not rows:
        return list(rows)
    make_room(tx, core, cron)
    let_next_run(tx, core, cron)
    decided = fates(
        policy,
        len(rows),
        is_taken=overlaps.is_taken(tx, cron["id"]),
        is_waited_for=overlaps.is_waited_for(tx, cron["id"]),
    )
    return [_stored_as(cron, row, fate, now) for row, fate in zip(rows, decided, strict=True)]


def in_turn(tx: Transaction, cron: Mapping[str, Any], rows: Sequence[Row]) -> list[Row]:
    """Return occurrences that are asked for by hand, which wait for their turn rather than be skipped."""
    if OverlapPolicy(cron["overlap"]) is OverlapPolicy.ALLOW:
        return list(rows)
    decided = fates(
        OverlapPolicy.BUFFER_ALL,
        len(rows),
        is_taken=overlaps.is_taken(tx, cron["id"]),
        is_waited_for=overlaps.is_waited_for(tx, cron["id"]),
    )
    return [_stored_as(cron, row, fate, row["created_at"]) for row, fate in zip(rows, decided, strict=True)]


def queue_up(tx: Transaction, cron: Mapping[str, Any], run_id: UUID) -> None:
    """Let an occurrence of a locked cron ticker that is due again wait for its turn, or take it."""
    if OverlapPolicy(cron["overlap"]) is OverlapPolicy.ALLOW:
        return
    cron_id = cron["id"]
    if overlaps.is_taken(tx, cron_id) or overlaps.is_waited_for(tx, cron_id):
        overlaps.let_wait(tx, cron_id, run_id)
    else:
        overlaps.let_take(tx, cron_id, run_id)


def make_room(tx: Transaction, core: Core, cron: Mapping[str, Any]) -> None:
    """Cancel those before, where the policy of a locked cron ticker is ``cancel_other``.

    One that runs is asked to end: its place is free once it has.
    """
    if cron["overlap"] != OverlapPolicy.CANCEL_OTHER:
        return
    ends.end_unstarted(
        tx,
        overlaps.lock_unstarted(tx, cron["id"]),
        status=TickerStatus.CANCELLED,
        reason=CANCELLED_REASON,
    )
    _ask_to_end(tx, core, cron)


def _ask_to_end(tx: Transaction, core: Core, cron: Mapping[str, Any]) -> None:
    run = overlaps.lock_running(tx, cron["id"])
    if run is not None and run.cancel_request is None:
        cancels.request(tx, run, CancelRequest.END)


def let_next_run(
    tx: Transaction, core: Core, cron: Mapping[str, Any], *, in_pause: bool = False
) -> list[UUID]:
    """Give the place of a locked cron ticker to the next that waits, if nobody has it, and return that.

    One that a pause holds gives way to one that was asked for by hand, which no pause holds; ``in_pause``
    says that there is a pause which will hold one that is due later.
    """
    cron_id = cron["id"]
    if overlaps.is_taken(tx, cron_id) and not (
        overlaps.is_waited_for(tx, cron_id, by_hand=True)
        and overlaps.step_back(tx, cron_id, in_pause=in_pause)
    ):
        return []
    return overlaps.pass_on(tx, cron_id)


def _stored_as(cron: Mapping[str, Any], row: Row, fate: Fate, now: datetime) -> Row:
    if fate is Fate.RUN:
        return row | {"active_key": overlaps.key_of(cron["id"])}
    if fate is Fate.WAIT:
        waits = {"held_for": HoldReason.OVERLAP.value, "hold_key": str(cron["id"])}
        return row | waits | {"due_at": None, "not_before": row["due_at"]}
    return skipped_row(row, reason=SKIP_REASONS[fate], now=now)


def give_turns(tx: Transaction, core: Core, *, after: str) -> str:
    """Let occurrences run whose turn has come with nobody to say so, as what was before them was deleted.

    Looks at a batch of cron tickers whose occurrences wait, and returns the key to go on after.
    """
    keys = holds.next_held_keys(tx, HoldReason.OVERLAP, after=after, limit=_TURNS_AT_ONCE)
    for cron in cron_tickers.lock_free(tx, [UUID(key) for key in keys]):
        waiting_for = cron._asdict()
        made_due = let_next_run(tx, core, waiting_for)
        if not made_due and waiting_for["overlap"] == OverlapPolicy.CANCEL_OTHER:
            # It may have been starting when the one that waits was made, and could not be asked then.
            _ask_to_end(tx, core, waiting_for)
    return keys[-1] if len(keys) == _TURNS_AT_ONCE else ""


def end_turns(tx: Transaction, core: Core, cron: Mapping[str, Any], changes: Mapping[str, Any]) -> None:
    """Let all occurrences run that wait for their turn, where a change of their cron ticker lets them."""
    if changes.get("overlap") == OverlapPolicy.ALLOW != cron["overlap"]:
        overlaps.let_all_run(tx, cron["id"])
