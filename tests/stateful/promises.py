"""What must be true after one particular piece of work that met no trouble."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from tests.inner import SignalKind, SignalReport, slot_of
from tests.stateful.bodies import LIMITS, SLOTS_OF_A_KEY, End
from tests.stateful.broker import Key
from tests.stateful.calls import is_call
from tests.stateful.processes import Beat
from tests.stateful.sight import Sight
from tests.stateful.workers import PREFETCH
from tests.stateful.world import World
from tickerq_celery.enums import TERMINAL, HoldReason, OverlapPolicy, TickerStatus


def after_a_sweep(world: World, then: Sight, published: Collection[Key]) -> None:
    """No hold has outlived its cause; what was lost with the dead is sent again, and nothing too early."""
    for row in world.sight.held(HoldReason.FUNCTION):
        assert row.function not in world.sight.known_functions, f"held for nothing: {world.shown(row)}"
    for row in world.sight.held(HoldReason.PAUSED):
        assert is_paused(world.sight, row), f"held for nothing: {world.shown(row)}"
    for cron_id, cron in world.sight.crons.items():
        is_suspended = cron.is_enabled and cron.next_run_at is None
        assert world.sight.is_paused or not is_suspended, f"{world.label(cron_id)} is suspended for no pause"
    for row in world.sight.held(HoldReason.OVERLAP):
        assert _has_overlap_lock(world, row.cron_ticker_id), f"its overlap lock is free: {world.shown(row)}"
        _who_is_in_the_way_is_asked_to_end(world, row)
    after_a_run_now(world)
    for row in world.sight.held(HoldReason.LIMIT):
        assert _is_full(world, row), f"held though there is room: {world.shown(row)}"
    for row in world.sight.held(HoldReason.KEY):
        assert _is_key_full(world, row), f"held though its key has room: {world.shown(row)}"
    _no_reap_hides_a_message(world, then, published)
    _nothing_is_sent_too_early(world, then, published)


def after_a_silence(world: World, worker_id: object) -> None:
    """A node that a beat saw silent for a lease is reaped, and nothing is left under its name."""
    left = [row for row in world.sight.runs.values() if row.running_on == worker_id]
    assert not left, f"not rescued: {[world.shown(row) for row in left]}"
    assert worker_id not in world.sight.nodes, "silent for a lease, and not reaped"


def after_a_fire(world: World) -> None:
    """No instant that has passed is left, and what is in the way of cancel_other is asked to end."""
    for row in world.sight.held(HoldReason.OVERLAP):
        _who_is_in_the_way_is_asked_to_end(world, row)
    for cron_id, row in world.sight.crons.items():
        is_past = row.next_run_at is not None and row.next_run_at <= world.clock.now()
        assert not is_past, f"{world.label(cron_id)} still stands at {row.next_run_at}"


def after_a_dispatch(world: World, then: Sight) -> None:
    """No claim of it is left that the broker was never asked to take, or did not take."""
    for row in world.sight.runs.values():
        is_claimed = row.id in then.runs and row.claim_no != then.runs[row.id].claim_no
        is_sent = bool(world.broker.senders[Key(row.id, row.claim_no)])
        is_left = is_claimed and not is_sent and row.status is TickerStatus.QUEUED
        assert not is_left, f"not given back: {world.shown(row)}"


def after_a_good_dispatch(world: World, then: Sight, beat: Beat) -> None:
    """What was due, up to a batch, is out of the next claim's way: published or held.

    Or some of it, which others' backlog would delay, and the beat claims again at once. Or what is left has
    others of its function ahead of it in the queue, and the beat looks at it again.
    """
    now = world.clock.now()
    due = {row.id for row in then.due() if row.due_at <= now}
    # What the end of a call has made due meanwhile is left to the next claim.
    left = [row for row in world.sight.due() if row.due_at <= now and row.id in due]
    is_whole = len(left) == max(0, len(due) - world.core.config.batch_size)
    is_cut = beat.has_more and len(left) < len(due)
    has_full_windows = beat.looks_again and all(_is_behind_others(world.sight, row) for row in left)
    shown = [world.shown(row) for row in left]
    assert is_whole or is_cut or has_full_windows, f"{len(due)} were due, and now {shown}"


def _is_behind_others(sight: Sight, run: Row[Any]) -> bool:
    """Whether runs of its function are published in its queue; of a Celery task that is not counted."""
    line = (run.function, run.queue, TickerStatus.QUEUED)
    return is_call(run) or any(
        (each.function, each.queue, each.status) == line for each in sight.runs.values()
    )


def after_a_report(world: World, report: SignalReport) -> None:
    """A revoked claim has ended, and one whose worker lacks the function waits for another."""
    row = world.sight.runs.get(report.ticker_id)
    if row is None or row.claim_no != report.claim_no:
        return
    if report.kind in {SignalKind.REVOKED, SignalKind.UNKNOWN}:
        assert row.status is not TickerStatus.QUEUED, f"said in vain: {world.shown(row)}"
    if report.kind is SignalKind.REVOKED:
        assert row.status is not TickerStatus.IN_PROGRESS, f"revoked in vain: {world.shown(row)}"


def after_a_pause(world: World, cron_id: object) -> None:
    """Nothing that is unclaimed is due now, but for manual runs."""
    now = world.clock.now()
    due = [row for row in world.sight.due() if row.cron_ticker_id == cron_id and row.instant is not None]
    assert all(row.due_at > now for row in due), f"due in a pause: {[world.shown(row) for row in due]}"


def after_a_resumption(world: World, cron_id: object) -> None:
    """What was held for the pause is due."""
    held = world.sight.held(HoldReason.PAUSED, str(cron_id))
    assert not held, f"still held for a pause that is over: {[world.shown(row) for row in held]}"


def after_a_run_now(world: World) -> None:
    """A manual run waits for no run that a pause holds."""
    for row in world.sight.held(HoldReason.OVERLAP):
        before = _has_overlap_lock(world, row.cron_ticker_id) if row.instant is None else []
        held = [each for each in before if each.held_for == HoldReason.PAUSED]
        assert not held, (
            f"{world.shown(row)} waits for what a pause holds: {[world.shown(each) for each in held]}"
        )


def after_an_edit(world: World, cron_id: object) -> None:
    """No instant of the expression that was is left for a first claim."""
    left = [
        row for row in world.sight.runs.values()
        if row.cron_ticker_id == cron_id and row.instant is not None
        and row.status is TickerStatus.IDLE and row.claim_no == 0
    ]  # fmt: skip
    assert not left, f"it would fire by an expression of the past: {[world.shown(row) for row in left]}"


def after_an_enrolment(world: World, then: Sight, functions: Collection[str]) -> None:
    """What waited for a worker with these functions is due, up to a batch; the sweep releases the rest."""
    waited = [row for row in then.held(HoldReason.FUNCTION) if row.function in functions]
    held = [row for row in world.sight.held(HoldReason.FUNCTION) if row.function in functions]
    assert len(held) == max(0, len(waited) - world.core.config.batch_size), (
        f"still held though a worker knows it: {[world.shown(row) for row in held]}"
    )


def after_an_end(world: World, then: Sight, run: Row[Any], end: End) -> None:
    """The row says how the body ended, and the freed slot goes to the next run that waits for it."""
    now = world.sight.runs[run.id]
    expected = end.status(is_late=run.is_late, retries_left=run.retries - run.retry_count)
    if expected is TickerStatus.IDLE and run.cancel_request is not None:
        expected = TickerStatus.CANCELLED
    assert now.status is expected, f"its body ended with {end}: {world.shown(now)}"
    if expected is TickerStatus.IDLE:
        assert now.due_at > world.clock.now(), f"a retry waits: {world.shown(now)}"
    if run.function in LIMITS:
        waited = len(then.held(HoldReason.LIMIT, run.function))
        waits = len(world.sight.held(HoldReason.LIMIT, run.function))
        assert waits == max(0, waited - 1), f"{waited} runs waited for the slot, and now {waits}"
    slot = slot_of(run.function, run.concurrency_key)
    if slot is not None:
        waited, waits = (len(sight.held(HoldReason.KEY, slot.hold_key)) for sight in (then, world.sight))
        assert waits == max(0, waited - 1), f"{waited} runs waited for the key's slot, and now {waits}"


def after_a_cancel(world: World, run: Row[Any], *, was_refused: bool) -> None:
    """What had ended is refused, what waited has ended, and what runs is asked to end."""
    now = world.sight.runs[run.id]
    assert was_refused == (run.status in TERMINAL), f"refused: {was_refused}, at {world.shown(run)}"
    is_asked = now.status is TickerStatus.IN_PROGRESS and now.cancel_request is not None
    assert now.status in TERMINAL or is_asked, f"cancelled in vain: {world.shown(now)}"
    if now.status in TERMINAL and run.active_key == f"cron:{run.cron_ticker_id}":
        waiting = world.sight.held(HoldReason.OVERLAP, str(run.cron_ticker_id))
        assert not waiting or _has_overlap_lock(world, run.cron_ticker_id), (
            "after a cancel no run has the overlap lock"
        )


def is_paused(sight: Sight, run: Row[Any]) -> bool:
    """Whether a pause holds a run; a manual one runs all the same."""
    cron = sight.crons.get(run.cron_ticker_id)
    if run.cron_ticker_id is not None and run.instant is None:
        return False
    return sight.is_paused or (cron is not None and not cron.is_enabled)


def _has_overlap_lock(world: World, cron_id: UUID) -> list[Row[Any]]:
    """Return the one occurrence of a cron ticker that may run, where they may not overlap."""
    return [run for run in world.sight.runs.values() if run.active_key == f"cron:{cron_id}"]


def _who_is_in_the_way_is_asked_to_end(world: World, waiting: Row[Any]) -> None:
    cron = world.sight.crons[waiting.cron_ticker_id]
    if cron.overlap != OverlapPolicy.CANCEL_OTHER or waiting.instant is None:
        return
    for row in _has_overlap_lock(world, waiting.cron_ticker_id):
        is_unasked = row.status is TickerStatus.IN_PROGRESS and row.cancel_request is None
        is_left_alone = is_unasked and row.instant is not None
        assert not is_left_alone, f"runs on though a later one waits: {world.shown(row)}"


def _is_full(world: World, row: Row[Any]) -> bool:
    """Whether the slots that a run waits for are taken, or promised to runs that are due."""
    due = world.sight.due()
    if row.hold_key.startswith("queue:"):
        promised = sum(each.queue == row.queue for each in due)
        return bool(world.sight.queued(row.queue) + promised >= world.core.config.max_queued)
    promised = sum(each.function == row.function for each in due)
    is_unknown = row.function not in world.sight.known_functions
    return is_unknown or world.sight.leased(row.function) + promised >= LIMITS[str(row.function)]


def _is_key_full(world: World, row: Row[Any]) -> bool:
    """Whether the slots of a run's key are taken, or promised to runs that are due."""
    slot = slot_of(row.function, row.concurrency_key)
    promised = sum(slot_of(each.function, each.concurrency_key) == slot for each in world.sight.due())
    is_unknown = row.function not in world.sight.known_functions
    return is_unknown or world.sight.leased_of(slot) + promised >= SLOTS_OF_A_KEY


def _no_reap_hides_a_message(world: World, then: Sight, published: Collection[Key]) -> None:
    if len(published) >= world.core.config.batch_size:
        return  # the next sweep does the rest
    for node_id in then.nodes.keys() - world.sight.nodes.keys():
        for key in world.lost_with.get(node_id, ()):
            before, now = then.runs.get(key.run_id), world.sight.runs.get(key.run_id)
            if before is None or now is None or before.published_at is None:
                continue
            # A wall clock that was stepped may put the publication after the worker's death.
            is_old = before.published_at <= then.nodes[node_id].seen_at + world.core.config.lease
            is_needed = (now.status, now.claim_no) == (TickerStatus.QUEUED, key.number)
            # It may have prefetched the oldest, so many: of a later one a check comes in its time.
            is_among = sum(_is_older(row, before.published_at) for row in then.runs.values()) <= PREFETCH
            assert not (is_old and is_needed and is_among) or key in published, (
                f"reaped with its worker, its message is not sent again: {world.shown(now)}"
            )


def _is_older(row: Row[Any], moment: datetime) -> bool:
    """Whether a run was published no later, and may be taken for one that a dead worker had prefetched."""
    is_there = row.published_at is not None and row.check_at is not None
    return is_there and row.published_at <= moment


def _nothing_is_sent_too_early(world: World, then: Sight, published: Collection[Key]) -> None:
    if then.nodes.keys() - world.sight.nodes.keys():
        return  # what they had prefetched is sent again at once
    for row in [then.runs[key.run_id] for key in published if key.run_id in then.runs]:
        is_asked_for = row.check_at is not None and row.check_at <= world.clock.now()
        assert is_asked_for, f"sent again before its check: {world.shown(row)}"
