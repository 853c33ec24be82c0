"""What must be true of the rows after every step: of each run, and of each change of one."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Row

from tests.stateful.bodies import FRAIL, LIMITS, LOST, RETRIED
from tests.stateful.broker import Key
from tests.stateful.sight import Sight
from tests.stateful.world import World
from tickerq_celery.enums import TERMINAL, TickerStatus

Run = Row[Any]
OfARun = Callable[[World, Run], bool]
OfAChange = Callable[[World, Sight, Run, Run], bool]

IDLE, QUEUED, IN_PROGRESS = TickerStatus.IDLE, TickerStatus.QUEUED, TickerStatus.IN_PROGRESS
# Within one claim; a step of the machine may stay where it is, too.
_MOVES = frozenset(
    {
        (IDLE, IDLE),
        (QUEUED, QUEUED),
        (IN_PROGRESS, IN_PROGRESS),
        (QUEUED, IDLE),
        (QUEUED, IN_PROGRESS),
        (QUEUED, TickerStatus.CANCELLED),
        (IN_PROGRESS, IDLE),
        *((IN_PROGRESS, end) for end in TERMINAL),
    }
)


def it_is_due_or_held_only_while_idle(world: World, run: Run) -> bool:
    """An Idle run is either due at some moment or held for a reason; another is neither."""
    ways = (run.due_at is not None) + (run.held_for is not None)
    return ways == (run.status is IDLE) and (run.held_for is None) == (run.hold_key is None)


def it_is_checked_only_while_queued(world: World, run: Run) -> bool:
    return (run.check_at is not None) == (run.status is QUEUED)


def it_runs_on_a_node_only_while_in_progress(world: World, run: Run) -> bool:
    return (run.running_on is not None) == (run.status is IN_PROGRESS)


def it_ended_only_if_terminal(world: World, run: Run) -> bool:
    return (run.ended_at is not None, run.ended_status) == (
        (True, run.status) if run.status in TERMINAL else (False, None)
    )


def it_is_in_progress_where_its_claim_was_started(world: World, run: Run) -> bool:
    return run.status is not IN_PROGRESS or world.starts.get(Key(run.id, run.claim_no)) == run.running_on


def each_started_claim_that_ended_has_one_attempt(world: World, run: Run) -> bool:
    """Nor has any other claim one."""
    started = {key.number for key in world.starts if key.run_id == run.id}
    ended = started - {run.claim_no} if run.status is IN_PROGRESS else started
    made = world.sight.attempts_of(run.id)
    in_order = [attempt.number for attempt in made] == list(range(len(made)))
    return {attempt.claim_no for attempt in made} == ended and in_order


def its_end_is_that_of_its_last_attempt(world: World, run: Run) -> bool:
    """A run that ends without an attempt was skipped, or cancelled while it waited."""
    made = world.sight.attempts_of(run.id)
    if run.status not in TERMINAL:
        return True
    if not made or made[-1].claim_no != run.claim_no:
        return run.status in {TickerStatus.SKIPPED, TickerStatus.CANCELLED}
    return bool(made[-1].status is run.status)


def retries_are_counted(world: World, run: Run) -> bool:
    """Each failed attempt uses up a retry but the one that finds none left."""
    made = world.sight.attempts_of(run.id)
    failed = sum(attempt.exception_type in RETRIED for attempt in made)
    if _ended_by(world, run, RETRIED):
        return bool(run.retry_count == failed - 1 == run.retries)
    return bool(run.retry_count == failed <= run.retries)


def rescues_are_counted(world: World, run: Run) -> bool:
    """A lost attempt uses up a rescue and no retry; too many end the run."""
    made = world.sight.attempts_of(run.id)
    lost = sum(attempt.exception_type == LOST for attempt in made)
    most = 0 if run.function == FRAIL else world.core.config.max_rescues
    if _ended_by(world, run, {LOST}):
        return bool(run.rescue_count == lost - 1 == most)
    return bool(run.rescue_count == lost <= most)


def _ended_by(world: World, run: Run, types: frozenset[str] | set[str]) -> bool:
    made = world.sight.attempts_of(run.id)
    is_last = bool(made) and made[-1].claim_no == run.claim_no
    return run.status is TickerStatus.FAILED and is_last and made[-1].exception_type in types


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
    was_due = then.status is IDLE and then.due_at is not None and then.due_at <= world.clock.now()
    is_known = then.function in then_all.known_functions
    cron = None if then.instant is None else then_all.crons.get(then.cron_ticker_id)
    is_paused = cron is not None and not cron.is_enabled
    return was_due and is_known and not is_paused and now.status in {IDLE, QUEUED}


def only_known_moves_are_made(world: World, then_all: Sight, then: Run, now: Run) -> bool:
    is_same_claim = now.claim_no == then.claim_no
    return not is_same_claim or now == then or (then.status, now.status) in _MOVES


def only_who_made_a_claim_gives_it_back(world: World, then_all: Sight, then: Run, now: Run) -> bool:
    """Or who found out that its message can never be taken."""
    is_given_back = (then.status, now.status) == (QUEUED, IDLE) and now.claim_no == then.claim_no
    is_its_own = then.lock_holder == world.actor
    return not is_given_back or is_its_own or Key(then.id, then.claim_no) in world.released


def lateness_is_decided_once(world: World, then_all: Sight, then: Run, now: Run) -> bool:
    """The first claim says whether a run is late."""
    return bool(then.claim_no == 0 or now.is_due == then.is_due)


OF_A_RUN: tuple[OfARun, ...] = (
    it_is_due_or_held_only_while_idle,
    it_is_checked_only_while_queued,
    it_runs_on_a_node_only_while_in_progress,
    it_ended_only_if_terminal,
    it_is_in_progress_where_its_claim_was_started,
    each_started_claim_that_ended_has_one_attempt,
    its_end_is_that_of_its_last_attempt,
    retries_are_counted,
    rescues_are_counted,
)
OF_A_CHANGE: tuple[OfAChange, ...] = (
    the_end_is_the_end,
    claims_are_counted,
    only_what_is_due_and_may_run_is_claimed,
    only_known_moves_are_made,
    only_who_made_a_claim_gives_it_back,
    lateness_is_decided_once,
)


def check(world: World, then: Sight) -> None:
    """Hold what is seen now against every promise, and against what was seen before."""
    for run_id, run in world.sight.runs.items():
        for promise in OF_A_RUN:
            assert promise(world, run), f"not so: {promise.__name__}, of {shown(world, run)}"
        before = then.runs.get(run_id)
        if before is not None:
            for change in OF_A_CHANGE:
                assert change(world, then, before, run), (
                    f"not so: {change.__name__}, from {shown(world, before)} to {shown(world, run)}"
                )
    for run_id in then.runs.keys() - world.sight.runs.keys():
        assert world.may_be_gone(run_id), f"{world.label(run_id)} is gone, and nobody deleted it"
    _check_limits(world)
    _check_bodies(world)
    _check_broker(world)
    _check_crons(world, then)


def shown(world: World, run: Run) -> str:
    """Return what is worth reading of a run's row."""
    names = (
        "function", "status", "claim_no", "due_at", "held_for", "check_at", "running_on", "retries",
        "retry_count", "rescue_count", "ended_at", "exception_type", "skipped_reason",
    )  # fmt: skip
    values = {name: getattr(run, name) for name in names}
    told = ", ".join(f"{name}={value}" for name, value in values.items() if value is not None)
    made = [
        (each.claim_no, each.status.name, each.exception_type) for each in world.sight.attempts_of(run.id)
    ]
    return f"{world.label(run.id)} ({told}, attempts={made})"


def _check_limits(world: World) -> None:
    for function, limit in LIMITS.items():
        assert world.sight.leased(function) <= limit, f"more than {limit} runs of {function} are leased"
    for queue in {run.queue for run in world.sight.runs.values()}:
        assert world.sight.queued(queue) <= world.core.config.max_queued, f"queue {queue} is overfull"


def _check_bodies(world: World) -> None:
    """A body whose worker gives signs of life is the one that its run is InProgress for."""
    for worker in world.workers:
        for body in worker.bodies:
            key = body.message.key
            run = world.sight.runs.get(key.run_id)
            if run is None or body.is_doubted or key in world.revoked:
                continue
            place = (run.status, run.claim_no, run.running_on)
            assert place == (IN_PROGRESS, key.number, worker.id), (
                f"claim {key.number} was taken from a living worker: {shown(world, run)}"
            )


def _check_broker(world: World) -> None:
    for key, calls in world.broker.calls.items():
        made = [attempt.claim_no for attempt in world.sight.attempts_of(key.run_id)]
        is_over = key.number in made or world.may_be_gone(key.run_id)
        assert calls == 1, f"{calls} calls of the handler for {world.label(key.run_id)}, claim {key.number}"
        assert is_over, f"the handler is called for an attempt that has not ended: {world.label(key.run_id)}"


def _check_crons(world: World, then: Sight) -> None:
    new = [world.sight.runs[run_id] for run_id in world.sight.runs.keys() - then.runs.keys()]
    for cron_id, row in world.sight.crons.items():
        if world.crons[cron_id].is_being_deleted:
            continue
        occurrences = [run for run in new if run.cron_ticker_id == cron_id]
        world.crons[cron_id].follow(then.crons.get(cron_id), row, occurrences, moment=world.clock.now())
