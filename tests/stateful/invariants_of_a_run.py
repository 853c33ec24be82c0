"""What must be true of each run's row after every step."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Row

from tests.inner import CANCELLED_REASON, LOST, is_met
from tests.stateful.bodies import FRAIL, RETRIED
from tests.stateful.broker import Key
from tests.stateful.calls import is_call
from tests.stateful.world import World
from tests.unmet import is_unmet_reason
from tickerq_celery.enums import TERMINAL, HoldReason, RunCondition, TickerStatus
from tickerq_celery.store.runs.publications import NEVER

Run = Row[Any]
OfARun = Callable[[World, Run], bool]


def it_is_due_or_held_only_while_idle(world: World, run: Run) -> bool:
    """An Idle run is either due at some moment or held for a reason; another is neither."""
    ways = (run.due_at is not None) + (run.held_for is not None)
    of_a_hold = {run.held_for is None, run.hold_key is None, run.held_since is None}
    return ways == (run.status is TickerStatus.IDLE) and len(of_a_hold) == 1


def it_is_checked_only_while_queued(world: World, run: Run) -> bool:
    """But never while it is the published call of a Celery task whose children wait for a report."""
    is_queued = run.status is TickerStatus.QUEUED
    is_awaited = is_queued and is_call(run) and run.has_children and run.published_at is not None
    return (run.check_at is not None, run.check_at == NEVER) == (is_queued, is_awaited)


def it_runs_on_a_node_only_while_in_progress(world: World, run: Run) -> bool:
    return (run.running_on is not None) == (run.status is TickerStatus.IN_PROGRESS)


def it_ended_only_if_terminal(world: World, run: Run) -> bool:
    return (run.ended_at is not None, run.ended_status) == (
        (True, run.status) if run.status in TERMINAL else (False, None)
    )


def it_ended_on_a_node_only_if_terminal(world: World, run: Run) -> bool:
    """And on that of its last attempt, if it ended by that."""
    made = world.sight.attempts_of(run.id)
    ended_by_it = bool(made) and made[-1].claim_no == run.claim_no and made[-1].status is run.status
    if run.status not in TERMINAL:
        return run.ended_on is None
    return run.ended_on == run.lock_holder if ended_by_it else run.ended_on in {None, run.lock_holder}


def it_is_in_progress_where_its_claim_was_started(world: World, run: Run) -> bool:
    return (
        run.status is not TickerStatus.IN_PROGRESS
        or world.starts.get(Key(run.id, run.claim_no)) == run.running_on
    )


def each_started_claim_that_ended_has_one_attempt(world: World, run: Run) -> bool:
    """Nor has any other claim one."""
    started = {key.number for key in world.starts if key.run_id == run.id}
    ended = started - {run.claim_no} if run.status is TickerStatus.IN_PROGRESS else started
    made = world.sight.attempts_of(run.id)
    in_order = [attempt.number for attempt in made] == list(range(len(made)))
    return {attempt.claim_no for attempt in made} == ended and in_order


def its_end_is_that_of_its_last_attempt(world: World, run: Run) -> bool:
    """A run that ends without an attempt was skipped, or cancelled while it waited, maybe to retry."""
    made = world.sight.attempts_of(run.id)
    if run.status not in TERMINAL or run.skipped_reason == CANCELLED_REASON:
        return True
    was_waiting = not made or made[-1].claim_no != run.claim_no or made[-1].status is TickerStatus.FAILED
    if run.status is TickerStatus.CANCELLED and was_waiting:
        return True
    if not made or made[-1].claim_no != run.claim_no:
        return run.status in {TickerStatus.SKIPPED, TickerStatus.CANCELLED}
    return bool(made[-1].status is run.status)


def retries_are_counted(world: World, run: Run) -> bool:
    """Each failed attempt uses up a retry but the one that finds none left."""
    made = world.sight.attempts_of(run.id)
    failed = sum(attempt.exception_type in RETRIED and _is_failed(attempt) for attempt in made)
    if _ended_by(world, run, RETRIED):
        return bool(run.retry_count == failed - 1 == run.retries)
    return bool(run.retry_count == failed <= run.retries)


def rescues_are_counted(world: World, run: Run) -> bool:
    """A lost attempt uses up a rescue and no retry; too many end the run, or an operator's word does."""
    made = world.sight.attempts_of(run.id)
    lost = sum(attempt.exception_type == LOST and _is_failed(attempt) for attempt in made)
    most = 0 if run.function == FRAIL else world.core.config.max_rescues
    words = world.words_about(run.id)
    if _ended_by(world, run, {LOST}):
        is_at_a_word = Key(run.id, run.claim_no) in world.at_a_word
        return bool(run.rescue_count == lost - 1) and (
            is_at_a_word or most <= run.rescue_count <= most + words
        )
    return bool(run.rescue_count == lost <= most + words)


def what_is_stamped_was_sent(world: World, run: Run) -> bool:
    """A claim counts no more publications than there were, and is published only after the first."""
    sent = sum(message.key == Key(run.id, run.claim_no) for message in world.broker.history)
    return bool(run.publish_count <= sent) and (run.published_at is None or sent > 0)


def what_was_started_was_published(world: World, run: Run) -> bool:
    return run.published_at is not None or Key(run.id, run.claim_no) not in world.starts


def its_parent_decides_on_it(world: World, run: Run) -> bool:
    """A child waits until its parent's start or end, and then is due or skipped as its condition says."""
    if run.parent_id is None or (run.status is TickerStatus.CANCELLED and run.id in world.cancelled):
        return True
    parent = world.sight.runs[run.parent_id]
    life = world.life_of(parent.id)
    if is_call(parent) and life.is_revised:
        return run.held_for != HoldReason.PARENT
    begins_beside = run.run_condition == RunCondition.IN_PROGRESS
    if run.held_for == HoldReason.PARENT:
        is_begun = begins_beside and parent.status is TickerStatus.IN_PROGRESS
        return parent.status not in TERMINAL and not is_begun
    if is_unmet_reason(run.skipped_reason):
        return parent.status in TERMINAL and (begins_beside or not is_met(run.run_condition, parent.status))
    if begins_beside:
        return bool(life.began) or any(key.run_id == parent.id for key in world.starts)
    return is_met(run.run_condition, parent.status)


def it_is_asked_to_end_only_while_in_progress(world: World, run: Run) -> bool:
    return run.cancel_request is None or run.status is TickerStatus.IN_PROGRESS


def _is_failed(attempt: Run) -> bool:
    """Whether it used up a retry or a rescue: that of a cancelled run does not."""
    return bool(attempt.status is TickerStatus.FAILED)


def _ended_by(world: World, run: Run, types: frozenset[str] | set[str]) -> bool:
    made = world.sight.attempts_of(run.id)
    is_last = bool(made) and made[-1].claim_no == run.claim_no
    return run.status is TickerStatus.FAILED and is_last and made[-1].exception_type in types


OF_A_RUN: tuple[OfARun, ...] = (
    it_is_due_or_held_only_while_idle,
    it_is_checked_only_while_queued,
    it_runs_on_a_node_only_while_in_progress,
    it_ended_only_if_terminal,
    what_is_stamped_was_sent,
    its_parent_decides_on_it,
    it_is_asked_to_end_only_while_in_progress,
)
OF_A_FUNCTIONS_RUN: tuple[OfARun, ...] = (
    it_is_in_progress_where_its_claim_was_started,
    each_started_claim_that_ended_has_one_attempt,
    its_end_is_that_of_its_last_attempt,
    retries_are_counted,
    rescues_are_counted,
    what_was_started_was_published,
)
