"""What must be true of each call of a Celery task, and of each change of its row."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Row

from tests.inner import LOST
from tests.stateful.broker import Key
from tests.stateful.calls import AttemptKey
from tests.stateful.sight import Sight
from tests.stateful.world import World
from tickerq_celery.enums import SUCCEEDED, TERMINAL, OnLost, TickerStatus

Run = Row[Any]
OfACall = Callable[[World, Run], bool]
OfItsChange = Callable[[World, Sight, Run, Run], bool]
IDLE, QUEUED, IN_PROGRESS = TickerStatus.IDLE, TickerStatus.QUEUED, TickerStatus.IN_PROGRESS
# Within one claim: what has ended may begin once more, and what was lost turn out to have ended otherwise.
_MOVES = frozenset(
    {
        (IDLE, TickerStatus.SKIPPED),
        (IDLE, TickerStatus.CANCELLED),
        (QUEUED, IDLE),
        (QUEUED, IN_PROGRESS),
        *((QUEUED, end) for end in TERMINAL),
        (IN_PROGRESS, IDLE),
        (IN_PROGRESS, QUEUED),
        *((IN_PROGRESS, end) for end in TERMINAL),
        *((end, IN_PROGRESS) for end in TERMINAL),
        *((TickerStatus.FAILED, end) for end in TERMINAL),
        (TickerStatus.FAILED, QUEUED),
        *((end, other) for end in SUCCEEDED for other in (TickerStatus.FAILED, TickerStatus.CANCELLED)),
    }
)


def its_executions_are_those_that_were_reported(world: World, run: Run) -> bool:
    """One that is InProgress is in the latest of them."""
    began = world.life_of(run.id).began
    latest = began.get(run.executions, AttemptKey(0, 0, 0))
    is_latest = run.status is not IN_PROGRESS or (run.claim_no, run.retry_count) == latest[:2]
    return run.executions >= max(began, default=0) and is_latest


def each_reported_end_is_an_attempt(world: World, run: Run) -> bool:
    """Whatever has become of its run meanwhile."""
    made = {_key(each) for each in world.sight.attempts_of(run.id)}
    return world.life_of(run.id).ended <= made


def celery_counts_its_retries(world: World, run: Run) -> bool:
    """It has none of ours; only a dead worker lets it start again, where its ticker says so."""
    most = world.core.config.max_rescues if run.on_lost == OnLost.RETRY else 0
    return run.retries == 0 and run.rescue_count <= most + world.words_about(run.id)


def it_holds_its_unique_key_until_it_has_ended(world: World, run: Run) -> bool:
    """One that begins once more after its end does not take it back."""
    if run.unique_key is None or world.life_of(run.id).is_revised:
        return True
    return bool(run.active_key == (None if run.status in TERMINAL else run.unique_key))


def no_attempt_vanishes(world: World, then_all: Sight, then: Run, now: Run) -> bool:
    """Nor changes, but for one that was taken for lost."""
    before = {_key(each): each for each in then_all.attempts_of(now.id) if each.exception_type != LOST}
    made = {_key(each): each for each in world.sight.attempts_of(now.id)}
    lost = {_key(each) for each in then_all.attempts_of(now.id)}
    return all(made.get(key) == each for key, each in before.items()) and lost <= made.keys()


def it_is_published_again_only_for_a_dead_worker(world: World, then_all: Sight, then: Run, now: Run) -> bool:
    """What was stamped waits for a new claim only where its ticker or an operator says so, and was lost."""
    is_given_up = then.published_at is not None and now.status is TickerStatus.IDLE
    is_rescued = then.status is IN_PROGRESS and now.rescue_count == then.rescue_count + 1
    is_wanted = now.on_lost == OnLost.RETRY or Key(then.id, then.claim_no) in world.at_a_word
    return not is_given_up or then.status is TickerStatus.IDLE or (is_rescued and is_wanted)


def a_stamp_ends_what_no_worker_follows(world: World, then_all: Sight, then: Run, now: Run) -> bool:
    """And nothing else: children wait for a report, and a worker that lives may report it."""
    if now.publish_count == then.publish_count or now.claim_no != then.claim_no:
        return True
    some, other = bool(then_all.workers), bool(world.sight.workers)
    if now.status in SUCCEEDED:
        return not now.has_children and not (some and other) and now.started_at is None
    return now.status is not QUEUED or now.has_children or some or other


def only_known_moves_of_a_call_are_made(world: World, then_all: Sight, then: Run, now: Run) -> bool:
    is_same_claim = now.claim_no == then.claim_no
    return not is_same_claim or now.status is then.status or (then.status, now.status) in _MOVES


def only_who_sent_a_call_stamps_it(world: World, then_all: Sight, then: Run, now: Run) -> bool:
    """Nor does any stamp fall into the time of an execution."""
    if now.claim_no != then.claim_no or now.publish_count == then.publish_count:
        return True
    senders = world.broker.senders[Key(now.id, now.claim_no)]
    return world.actor in senders and then.status is QUEUED


def only_a_report_moves_what_has_ended(world: World, then_all: Sight, then: Run, now: Run) -> bool:
    """A late start, the end of a body that was taken for lost, or that its message was discarded."""
    return then.status not in TERMINAL or now == then or world.reported == now.id


def its_outcome_is_known_from_its_last_attempt_only(
    world: World, then_all: Sight, then: Run, now: Run
) -> bool:
    """What ends unreported shows no beginning: it is Published."""
    if now.status not in SUCCEEDED or then.status in TERMINAL:
        return True
    last = [each for each in world.sight.attempts_of(now.id) if each.number == now.executions - 1]
    is_reported = any(each.status is now.status for each in last) and then.status is IN_PROGRESS
    return is_reported == (now.started_at is not None)


def _key(attempt: Row[Any]) -> AttemptKey:
    return AttemptKey(attempt.claim_no, attempt.retries, attempt.number)


OF_A_CALL: tuple[OfACall, ...] = (
    its_executions_are_those_that_were_reported,
    each_reported_end_is_an_attempt,
    celery_counts_its_retries,
    it_holds_its_unique_key_until_it_has_ended,
)
OF_A_CALLS_CHANGE: tuple[OfItsChange, ...] = (
    no_attempt_vanishes,
    it_is_published_again_only_for_a_dead_worker,
    a_stamp_ends_what_no_worker_follows,
    only_known_moves_of_a_call_are_made,
    only_who_sent_a_call_stamps_it,
    only_a_report_moves_what_has_ended,
    its_outcome_is_known_from_its_last_attempt_only,
)
