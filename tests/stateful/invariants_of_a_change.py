"""What must be true of each change of a run's row, from what was seen before to what is seen now."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Row

from tests.inner import CANCELLED_REASON
from tests.stateful.admissions import due_at, has_run_meanwhile
from tests.stateful.broker import Key
from tests.stateful.calls import is_call
from tests.stateful.promises import is_paused
from tests.stateful.sight import Sight
from tests.stateful.world import World
from tickerq_celery.enums import SUCCEEDED, TERMINAL, HoldReason, OverlapPolicy, TickerStatus

Run = Row[Any]
OfAChange = Callable[[World, Sight, Run, Run], bool]

IDLE, QUEUED, IN_PROGRESS = TickerStatus.IDLE, TickerStatus.QUEUED, TickerStatus.IN_PROGRESS
# Within one claim; a step of the machine may stay where it is, too.
_MOVES = frozenset(
    {
        (IDLE, IDLE),
        (IDLE, TickerStatus.SKIPPED),
        (IDLE, TickerStatus.CANCELLED),
        (QUEUED, QUEUED),
        (IN_PROGRESS, IN_PROGRESS),
        (QUEUED, IDLE),
        (QUEUED, IN_PROGRESS),
        (QUEUED, TickerStatus.CANCELLED),
        (IN_PROGRESS, IDLE),
        *((IN_PROGRESS, end) for end in TERMINAL),
    }
)


def the_end_is_the_end(world: World, then_all: Sight, then: Run, now: Run) -> bool:
    """Nothing of a terminal run changes."""
    return then.status not in TERMINAL or now == then


def claims_are_counted(world: World, then_all: Sight, then: Run, now: Run) -> bool:
    """A claim's number never falls, and a new one is the next."""
    return now.claim_no in {then.claim_no, then.claim_no + 1}


def only_what_is_due_and_may_run_is_claimed(world: World, then_all: Sight, then: Run, now: Run) -> bool:
    """A claim is taken of an Idle run whose moment has come, and leaves it Queued or gives it back."""
    if now.claim_no == then.claim_no:
        return True
    due = due_at(then_all, world.sight, then, world.clock.now())
    was_due = then.status is IDLE and due is not None and due <= world.clock.now()
    is_known = is_call(then) or then.function in then_all.known_functions
    # A call that no worker follows ends with its publication, or fails where that is impossible.
    may_be = {IDLE, QUEUED, *((*SUCCEEDED, TickerStatus.FAILED) if is_call(then) else ())}
    return was_due and is_known and not is_paused(then_all, then) and now.status in may_be


def only_known_moves_are_made(world: World, then_all: Sight, then: Run, now: Run) -> bool:
    is_same_claim = now.claim_no == then.claim_no
    return not is_same_claim or now == then or (then.status, now.status) in _MOVES


def only_who_made_a_claim_gives_it_back(world: World, then_all: Sight, then: Run, now: Run) -> bool:
    """Or who found out that its message can never be taken."""
    is_given_back = (then.status, now.status) == (QUEUED, IDLE) and now.claim_no == then.claim_no
    is_its_own = then.lock_holder == world.actor
    return not is_given_back or is_its_own or Key(then.id, then.claim_no) in world.released


def lateness_is_decided_by_the_first_claim(world: World, then_all: Sight, then: Run, now: Run) -> bool:
    due = due_at(then_all, world.sight, then, world.clock.now())
    if then.claim_no == 0 and now.claim_no == 1:
        return bool(due and now.is_late == (due < world.clock.now() - world.core.config.late_after))
    return bool(now.is_late == then.is_late)


def only_who_sent_a_claim_stamps_it(world: World, then_all: Sight, then: Run, now: Run) -> bool:
    """But a start whose sender has not stamped it yet shows that it was published.

    And whoever finds that a worker died with the message takes the stamp back.
    """
    is_same_claim = now.claim_no == then.claim_no
    is_started = Key(now.id, now.claim_no) in world.starts
    is_stamped = now.publish_count != then.publish_count or (
        now.published_at not in {None, then.published_at} and not (is_started and then.published_at is None)
    )
    senders = world.broker.senders[Key(now.id, now.claim_no)]
    return not (is_same_claim and is_stamped) or world.actor in senders


def no_hold_is_released_in_vain(world: World, then_all: Sight, then: Run, now: Run) -> bool:
    """What waits for a worker, or for the end of a pause, is not due before; but a caller may move it."""
    is_released = then.held_for is not None and now.due_at is not None and now.due_at <= world.clock.now()
    if is_released and then.held_for == HoldReason.FUNCTION:
        return now.function in world.sight.known_functions
    if is_released and then.held_for == HoldReason.PAUSED:
        if has_run_meanwhile(then_all, world.sight, now):
            return True
        is_of_its_cron = then.hold_key == str(then.cron_ticker_id)
        cron = world.sight.crons.get(then.cron_ticker_id)
        return bool(cron and cron.is_enabled) if is_of_its_cron else not world.sight.is_paused
    if is_released and then.held_for == HoldReason.OVERLAP:
        return bool(now.active_key == f"cron:{now.cron_ticker_id}")
    return True


def only_who_asked_for_it_is_cancelled(world: World, then_all: Sight, then: Run, now: Run) -> bool:
    """A revoked claim, a run that a person or a later occurrence cancelled, or a body that gave up."""
    if now.id in world.cancelled or then.cancel_request is not None:
        return True
    if now.status is not TickerStatus.CANCELLED or then.status is TickerStatus.CANCELLED:
        return True
    if now.skipped_reason == CANCELLED_REASON:
        # After a clock was set back, the one that fires next may have an earlier instant.
        return any(
            run.cron_ticker_id == now.cron_ticker_id
            and run.instant is not None
            and (run.instant > now.instant or run.id not in then_all.runs)
            for run in world.sight.runs.values()
        )
    return now.exception_type == "TickerCancelled" or Key(now.id, now.claim_no) in world.revoked


def only_what_waits_for_its_parent_is_skipped_unclaimed(
    world: World, then_all: Sight, then: Run, now: Run
) -> bool:
    """Or what stood for an instant of an expression that was changed."""
    is_skipped = (then.status, now.status) == (IDLE, TickerStatus.SKIPPED)
    is_of_the_past = then.cron_ticker_id is not None and world.crons[then.cron_ticker_id].fires_no_more
    return not is_skipped or then.held_for == HoldReason.PARENT or is_of_the_past


def what_was_to_be_cancelled_does_not_go_on(world: World, then_all: Sight, then: Run, now: Run) -> bool:
    """Nor is forgotten that it was."""
    return then.cancel_request is None or now.cancel_request is not None or now.status in TERMINAL


def only_who_is_wanted_no_more_is_asked_to_end(world: World, then_all: Sight, then: Run, now: Run) -> bool:
    """By a person, or because a later occurrence is to replace it."""
    if now.cancel_request is None or then.cancel_request is not None or now.id in world.cancelled:
        return True
    cron = world.sight.crons.get(now.cron_ticker_id)
    return now.instant is not None and cron is not None and cron.overlap == OverlapPolicy.CANCEL_OTHER


OF_A_CHANGE: tuple[OfAChange, ...] = (
    claims_are_counted,
    only_what_is_due_and_may_run_is_claimed,
    only_who_made_a_claim_gives_it_back,
    lateness_is_decided_by_the_first_claim,
    no_hold_is_released_in_vain,
    only_who_asked_for_it_is_cancelled,
    only_what_waits_for_its_parent_is_skipped_unclaimed,
    what_was_to_be_cancelled_does_not_go_on,
    only_who_is_wanted_no_more_is_asked_to_end,
)
OF_A_FUNCTIONS_CHANGE: tuple[OfAChange, ...] = (
    the_end_is_the_end,
    only_known_moves_are_made,
    only_who_sent_a_claim_stamps_it,
)
