"""What must be true after every step: of all rows, each change of one, and what stands beside them."""

from collections.abc import Sequence

from tests.inner import slot_of
from tests.stateful.bodies import LIMITS, SLOTS_OF_A_KEY
from tests.stateful.calls import is_call
from tests.stateful.invariants_of_a_call import OF_A_CALL, OF_A_CALLS_CHANGE
from tests.stateful.invariants_of_a_change import OF_A_CHANGE, OF_A_FUNCTIONS_CHANGE, OfAChange
from tests.stateful.invariants_of_a_run import OF_A_FUNCTIONS_RUN, OF_A_RUN, OfARun
from tests.stateful.sight import LEASED, Sight
from tests.stateful.world import World
from tickerq_celery.enums import HoldReason, OverlapPolicy, TickerStatus

# Not manual runs, nor those that gave way to them: they wait whatever the policy.
_MOST_WAITING = {
    OverlapPolicy.ALLOW: 0,
    OverlapPolicy.SKIP: 0,
    OverlapPolicy.BUFFER_ONE: 1,
    OverlapPolicy.CANCEL_OTHER: 1,
}

PROMISES: Sequence[OfARun | OfAChange] = (
    *OF_A_RUN,
    *OF_A_FUNCTIONS_RUN,
    *OF_A_CALL,
    *OF_A_CHANGE,
    *OF_A_FUNCTIONS_CHANGE,
    *OF_A_CALLS_CHANGE,
)


def check(world: World, then: Sight) -> None:
    """Hold what is seen now against every promise, and against what was seen before."""
    for run_id, run in world.sight.runs.items():
        for promise in (*OF_A_RUN, *(OF_A_CALL if is_call(run) else OF_A_FUNCTIONS_RUN)):
            assert promise(world, run), f"not so: {promise.__name__}, of {world.shown(run)}"
        before = then.runs.get(run_id)
        if before is not None:
            of_its_kind = OF_A_CALLS_CHANGE if is_call(run) else OF_A_FUNCTIONS_CHANGE
            for change in (*OF_A_CHANGE, *of_its_kind):
                assert change(world, then, before, run), (
                    f"not so: {change.__name__}, from {world.shown(before)} to {world.shown(run)}"
                )
    for run_id in then.runs.keys() - world.sight.runs.keys():
        assert world.may_be_gone(run_id), f"{world.label(run_id)} is gone, and was not deleted"
    _check_limits(world)
    _check_overlaps(world, then)
    _check_bodies(world)
    _check_reaps(world, then)
    _check_broker(world)
    _check_crons(world, then)


def _check_limits(world: World) -> None:
    for function, limit in LIMITS.items():
        assert world.sight.leased(function) <= limit, f"more than {limit} runs of {function} are leased"
    for slot in {slot_of(run.function, run.concurrency_key) for run in world.sight.runs.values()} - {None}:
        assert world.sight.leased_of(slot) <= SLOTS_OF_A_KEY, f"too many runs of {slot} are leased"
    for queue in {run.queue for run in world.sight.runs.values()}:
        assert world.sight.queued(queue) <= world.core.config.max_queued, f"queue {queue} is overfull"


def _check_overlaps(world: World, then: Sight) -> None:
    for cron_id, cron in world.sight.crons.items():
        runs = [run for run in world.sight.runs.values() if run.cron_ticker_id == cron_id]
        # A call that begins once more after its end has given its lock up.
        leased = [run for run in runs if run.status in LEASED and not world.life_of(run.id).is_revised]
        assert cron.overlap == OverlapPolicy.ALLOW or len(leased) <= 1, (
            f"occurrences overlap: {[world.shown(run) for run in leased]}"
        )
        waiting = [run for run in runs if run.held_for == HoldReason.OVERLAP and run.instant is not None]
        had_lock = {run.id for run in then.runs.values() if run.active_key == f"cron:{cron_id}"}
        world.stepped_back |= had_lock & {run.id for run in waiting}
        waiting = [run for run in waiting if run.id not in world.stepped_back]
        most = _MOST_WAITING.get(OverlapPolicy(cron.overlap), len(waiting))
        assert len(waiting) <= most, f"too many wait: {[world.shown(run) for run in waiting]}"


def _check_bodies(world: World) -> None:
    """A body whose worker gives signs of life is the one that its run is InProgress for."""
    for worker in world.workers:
        for body in worker.bodies:
            key = body.message.key
            run = world.sight.runs.get(key.run_id)
            if run is None or body.is_doubted or key in world.revoked:
                continue
            standing = (run.status, run.claim_no, run.running_on)
            assert standing == (TickerStatus.IN_PROGRESS, key.number, worker.id), (
                f"claim {key.number} was taken from a living worker: {world.shown(run)}"
            )


def _check_reaps(world: World, then: Sight) -> None:
    """A beat reaps no node that gave a sign of life since it looked."""
    for beat in [beat for beat in world.beats if beat.process.name == world.actor]:
        for worker in world.workers:
            is_reaped = worker.id in then.nodes and worker.id not in world.sight.nodes
            assert not is_reaped or worker.woke_at <= beat.swept_from, "reaped though it gave a sign of life"


def _check_broker(world: World) -> None:
    for (key, was_cancelled), calls in world.broker.calls.items():
        made = [attempt.claim_no for attempt in world.sight.attempts_of(key.run_id)]
        is_over = key.number in made or world.may_be_gone(key.run_id)
        if was_cancelled and not is_over:
            is_over = world.sight.runs[key.run_id].status is TickerStatus.CANCELLED
        assert calls == 1, f"{calls} calls of the handler for {world.label(key.run_id)}, claim {key.number}"
        assert is_over, f"the handler is called for an attempt that has not ended: {world.label(key.run_id)}"


def _check_crons(world: World, then: Sight) -> None:
    new = [world.sight.runs[run_id] for run_id in world.sight.runs.keys() - then.runs.keys()]
    for cron_id, row in world.sight.crons.items():
        if world.crons[cron_id].is_being_deleted:
            continue
        occurrences = [run for run in new if run.cron_ticker_id == cron_id]
        world.crons[cron_id].follow(then.crons.get(cron_id), row, occurrences, moment=world.clock.now())
