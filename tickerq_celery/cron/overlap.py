"""Overlap policies: what becomes of new occurrences while an earlier one has not ended."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime
from enum import Enum
from uuid import UUID

from tickerq_celery.enums import HoldReason, OverlapPolicy, TickerStatus
from tickerq_celery.store.cron import cron_tickers, occurrences
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.runs import end_requests, ends, holds, overlaps
from tickerq_celery.store.runs.overlaps import OverlapState
from tickerq_celery.tickers.claims import CancelRequest, Started
from tickerq_celery.tickers.cron_rows import CronRow
from tickerq_celery.tickers.effect import Effect
from tickerq_celery.tickers.run_rows import RunRow, skipped_row

TAKEN_REASON = "Overlap: an earlier occurrence of this cron ticker has not ended"
BUFFERED_REASON = "Overlap: an earlier occurrence of this cron ticker waits already"
REPLACED_REASON = "Overlap: a later occurrence of this cron ticker replaces it"
CANCELLED_REASON = "Overlap: cancelled, as a later occurrence of this cron ticker replaces it"
_CRONS_AT_ONCE = 100


class Decision(Enum):
    """What becomes of an occurrence: it may start, waits for those before it, or is skipped."""

    RUN = "run"
    WAIT = "wait"
    SKIP_AS_TAKEN = "skip as taken"
    SKIP_AS_BUFFERED = "skip as buffered"
    SKIP_AS_REPLACED = "skip as replaced"


SKIP_REASONS = {
    Decision.SKIP_AS_TAKEN: TAKEN_REASON,
    Decision.SKIP_AS_BUFFERED: BUFFERED_REASON,
    Decision.SKIP_AS_REPLACED: REPLACED_REASON,
}


# Of the instants of one catch-up these let the first run, or the first two, whatever has ended since then.
_DECIDED_BY_THE_FIRST = {OverlapPolicy.SKIP, OverlapPolicy.BUFFER_ONE}


def decisions(
    policy: OverlapPolicy,
    count: int,
    state: OverlapState,
    *,
    is_continued: bool = False,
    has_more: bool = False,
) -> list[Decision]:
    """Return the decisions about ``count`` new occurrences, oldest first.

    Whatever the policy but ``allow``, at most one of a cron ticker's occurrences is let run at a time. In
    parts they are what they are at once: a part ``is_continued`` after two instants at least, and
    ``has_more`` where others of the same catch-up follow.
    """
    is_after_others = is_continued and policy in _DECIDED_BY_THE_FIRST
    is_locked, is_waited_for = state.is_locked or is_after_others, state.waiting > 0 or is_after_others
    decided: list[Decision] = []
    for left in reversed(range(count)):
        if policy is OverlapPolicy.CANCEL_OTHER and (left or has_more):
            decided.append(Decision.SKIP_AS_REPLACED)
            continue
        decision = _decision(policy, is_locked=is_locked or is_waited_for, is_waited_for=is_waited_for)
        is_locked = is_locked or decision is Decision.RUN
        is_waited_for = is_waited_for or decision is Decision.WAIT
        decided.append(decision)
    return decided


def _decision(policy: OverlapPolicy, *, is_locked: bool, is_waited_for: bool) -> Decision:
    if policy is OverlapPolicy.ALLOW or not is_locked:
        return Decision.RUN
    if policy is OverlapPolicy.SKIP:
        return Decision.SKIP_AS_TAKEN
    if policy is OverlapPolicy.BUFFER_ONE and is_waited_for:
        return Decision.SKIP_AS_BUFFERED
    return Decision.WAIT


def yields_lock(state: OverlapState, *, in_pause: bool) -> bool:
    """Return True if the holder, which a pause holds, yields the lock to a manual run, which none holds.

    ``in_pause`` says that there is a pause, which will hold a holder that is due later.
    """
    return state.is_unclaimed and state.is_manual_waiting and (in_pause or state.is_held_by_pause)


def apply_policy(
    tx: Transaction, cron: CronRow, rows: Sequence[RunRow], *, is_continued: bool, has_more: bool
) -> list[RunRow]:
    """Return new occurrences, oldest first, as the policy of their locked cron ticker wants them stored.

    See ``decisions`` for a part that ``is_continued`` or ``has_more``.
    """
    if cron.overlap is OverlapPolicy.ALLOW or not rows:
        return list(rows)
    state = _admitted(tx, cron, overlaps.state(tx, cron.id)).result
    decided = decisions(cron.overlap, len(rows), state, is_continued=is_continued, has_more=has_more)
    return [_stored_as(cron, row, decision, tx.now) for row, decision in zip(rows, decided, strict=True)]


def add_backfilled(tx: Transaction, cron: CronRow, rows: Sequence[RunRow]) -> Sequence[RunRow]:
    """Store occurrences of a backfill, which wait for the overlap lock rather than be skipped.

    Returns them as they are stored.
    """
    if cron.overlap is not OverlapPolicy.ALLOW:
        rows = _queued(tx, cron, rows, overlaps.state(tx, cron.id))
    occurrences.add(tx, cron, rows)
    return rows


def add_manual(tx: Transaction, cron: CronRow, row: RunRow, *, in_pause: Callable[[], bool]) -> Effect[UUID]:
    """Store a manual run of a locked cron ticker, at the head of the wait queue where it has to wait.

    A holder of the overlap lock that a pause holds, or will hold as it is ``in_pause``, yields it.
    """
    if cron.overlap is OverlapPolicy.ALLOW:
        occurrences.add(tx, cron, [row])
        return Effect(result=row.id, due=[row.id])
    state = overlaps.state(tx, cron.id)
    (queued,) = _queued(tx, cron, [row], state)
    occurrences.add(tx, cron, [queued])
    if queued.due_at is not None:
        return Effect(result=row.id, due=[row.id])
    behind = replace(state, waiting=state.waiting + 1, is_manual_waiting=True)
    return Effect(result=row.id, due=_admitted(tx, cron, behind, in_pause=in_pause()).due)


def queue_retry(tx: Transaction, cron: CronRow, run_id: UUID) -> None:
    """Let an occurrence of a locked cron ticker that is due again take the overlap lock, or wait for it."""
    if cron.overlap is OverlapPolicy.ALLOW:
        return
    (decision,) = decisions(OverlapPolicy.BUFFER_ALL, 1, overlaps.state(tx, cron.id))
    if decision is Decision.WAIT:
        overlaps.enqueue(tx, cron.id, run_id)
    else:
        overlaps.take_lock(tx, cron.id, run_id)


def cancel_earlier(tx: Transaction, cron: CronRow) -> list[Started]:
    """Cancel earlier occurrences, where the policy of a locked cron ticker is ``cancel_other``.

    One that runs is asked to end: it holds the overlap lock until it has. Returns the calls of Celery tasks
    that a worker may have: they are to be revoked once this is committed.
    """
    if cron.overlap is not OverlapPolicy.CANCEL_OTHER:
        return []
    unstarted = overlaps.lock_unstarted(tx, cron.id)
    ends.end_unstarted(
        tx,
        [each.run.id for each in unstarted],
        status=TickerStatus.CANCELLED,
        reason=CANCELLED_REASON,
    )
    # No message of one that is Idle is on its way, and workers remember a revoked id.
    on_their_way = [each.run for each in unstarted if each.run.is_call and each.status is TickerStatus.QUEUED]
    return on_their_way + _request_end(tx, cron)


def _request_end(tx: Transaction, cron: CronRow) -> list[Started]:
    """Request the end of the occurrence that runs, once; return it if it is to be revoked."""
    run = overlaps.lock_running(tx, cron.id)
    if run is None or run.cancel_request is not None:
        return []
    # The body of a Celery task does not ask whether it is to end: only the end of its process ends it.
    end_requests.request(tx, run, CancelRequest.TERMINATE if run.is_call else CancelRequest.END)
    return [run] if run.is_call else []


def admit_next(tx: Transaction, cron: CronRow) -> Collection[UUID]:
    """Pass the overlap lock of a locked cron ticker on, if it is free; return the occurrence made due."""
    return _admitted(tx, cron, overlaps.state(tx, cron.id)).due


def _admitted(
    tx: Transaction, cron: CronRow, state: OverlapState, *, in_pause: bool = False
) -> Effect[OverlapState]:
    """Pass the overlap lock on, if it is free or its holder yields it; return the state as it is then."""
    if yields_lock(state, in_pause=in_pause) and overlaps.yield_lock(tx, cron.id, in_pause=in_pause):
        state = replace(state, is_locked=False, waiting=state.waiting + 1)
    if state.is_locked or not state.waiting:
        return Effect(result=state)
    made_due = overlaps.pass_lock(tx, cron.id)
    if made_due:
        state = replace(state, is_locked=True, waiting=state.waiting - 1)
    return Effect(result=state, due=made_due)


def _queued(tx: Transaction, cron: CronRow, rows: Sequence[RunRow], state: OverlapState) -> list[RunRow]:
    decided = decisions(OverlapPolicy.BUFFER_ALL, len(rows), state)
    return [_stored_as(cron, row, decision, tx.now) for row, decision in zip(rows, decided, strict=True)]


def _stored_as(cron: CronRow, row: RunRow, decision: Decision, now: datetime) -> RunRow:
    if decision is Decision.RUN:
        return replace(row, active_key=overlaps.key_of(cron.id))
    if decision is Decision.WAIT:
        return replace(
            row,
            held_for=HoldReason.OVERLAP,
            hold_key=str(cron.id),
            held_since=now,
            due_at=None,
            not_before=row.due_at,
        )
    return skipped_row(row, reason=SKIP_REASONS[decision], now=now)


def advance_queues(tx: Transaction, *, after: str) -> tuple[str, list[Started]]:
    """Pass on overlap locks that no end has passed on, as what held them was deleted.

    Looks at a batch of cron tickers whose occurrences wait, and returns the key to go on after, and the calls
    of Celery tasks that are to be revoked once this is committed.
    """
    to_revoke: list[Started] = []
    keys = holds.next_held_keys(tx, HoldReason.OVERLAP, after=after, limit=_CRONS_AT_ONCE)
    for cron in cron_tickers.lock_free(tx, [UUID(key) for key in keys]):
        made_due = admit_next(tx, cron)
        if not made_due and cron.overlap is OverlapPolicy.CANCEL_OTHER:
            # It may have been starting when the one that waits was made, and could not be asked then.
            to_revoke += _request_end(tx, cron)
    return keys[-1] if len(keys) == _CRONS_AT_ONCE else "", to_revoke


def release_queue(tx: Transaction, before: CronRow, after: CronRow) -> None:
    """Let all occurrences run that wait for the overlap lock, where an edit lets them overlap."""
    if after.overlap is OverlapPolicy.ALLOW is not before.overlap:
        overlaps.release_all(tx, after.id)
