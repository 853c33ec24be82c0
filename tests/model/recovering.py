"""Moves that repair: the sweep, the rescue of lost runs, the reaping of dead workers, released holds."""

from tests.model.guards import Model
from tests.model.state import (
    FREE,
    Move,
    Moves,
    Phase,
    State,
    Status,
    Step,
    Worker,
    fence_holds,
    with_child_moved,
    with_fault,
    with_message,
    with_over,
    with_worker,
)

UNPUBLISHED = frozenset({Step.CLAIMED, Step.REFUSED})


def _is_active(state: State) -> bool:
    """Return True if the broker, a worker, a dispatcher or the sweep still has the newest claim."""
    claim_no = state.claim_no
    return (
        claim_no in state.messages
        or claim_no == state.sweeping
        or Worker(Phase.PREFETCHED, claim_no) in state.workers
        or any(d.claim_no == claim_no and d.step in UNPUBLISHED for d in state.dispatchers)
    )


def check_falls_due(model: Model, state: State) -> Moves:
    """A Queued run's check falls due; if its message is merely slow, that is a fault."""
    del model
    if state.status is not Status.QUEUED or state.check_due:
        return
    due = state._replace(check_due=True, check_answered=False)
    if not _is_active(state):
        yield Move(f"the check of claim {state.claim_no} falls due", due)
    elif state.faults_left:
        label = f"the check of claim {state.claim_no} falls due while its message is on its way"
        yield Move(label, with_fault(due), fault=True)


def take_over(model: Model, state: State) -> Moves:
    """The sweep takes the run whose check is due, putting off the next check."""
    guards, claim_no = model.protocol, state.claim_no
    is_due = state.check_due and state.status is Status.QUEUED and not state.sweeping
    if not (guards.sweep_exists and is_due):
        return
    if not guards.sweep_keeps_claim:
        after = state._replace(status=Status.IDLE, check_due=False)
        yield Move(f"the sweep makes the run of claim {claim_no} Idle", after)
    elif guards.take_over_commits_first:
        after = state._replace(check_due=False, sweeping=claim_no)
        yield Move(f"the sweep takes claim {claim_no} over", after)
    elif len(state.messages) < model.scope.messages:
        after = with_message(state._replace(check_answered=True, sweeping=claim_no), claim_no)
        yield Move(f"the sweep publishes claim {claim_no} inside its transaction", after, swept=claim_no)


def end_sweep(model: Model, state: State) -> Moves:
    """The sweep publishes what it took over, or is killed before."""
    claim_no = state.sweeping
    if not claim_no:
        return
    after = state._replace(sweeping=0)
    if not model.protocol.take_over_commits_first:
        yield Move(f"the sweep commits its take-over of claim {claim_no}", after._replace(check_due=False))
    elif len(state.messages) < model.scope.messages:
        yield Move(
            f"the sweep publishes claim {claim_no} again", with_message(after, claim_no), swept=claim_no
        )
    if state.faults_left:
        yield Move(f"the sweep is killed with claim {claim_no}", with_fault(after), fault=True)


def find_lost(model: Model, state: State) -> Moves:
    """The rescuer reads a run InProgress whose worker is dead, or seems so."""
    if state.status is not Status.IN_PROGRESS or state.rescuing or not model.protocol.rescue_exists:
        return
    after = state._replace(rescuing=state.claim_no)
    if Worker(Phase.RUNNING, state.claim_no) not in state.workers:
        yield Move(f"the rescuer finds claim {state.claim_no} lost", after)
    elif state.faults_left:
        label = f"the rescuer takes the paused worker of claim {state.claim_no} for dead"
        yield Move(label, with_fault(after._replace(falsely_dead=True)), fault=True)


def rescue(model: Model, state: State) -> Moves:
    """The rescuer ends the lost attempt: the run starts again, or fails once it was lost too often."""
    guards, claim_no = model.protocol, state.rescuing
    if not claim_no:
        return
    after = state._replace(rescuing=0)
    if state.faults_left:
        yield Move(f"the rescuer is killed with claim {claim_no}", with_fault(after), fault=True)
    if not fence_holds(
        state,
        claim_no,
        Status.IN_PROGRESS,
        by_claim=guards.rescue_checks_claim,
        by_status=guards.rescue_checks_status,
    ):
        yield Move(f"the rescuer finds claim {claim_no} ended, changes nothing", after)
        return
    after = with_over(after, claim_no)
    if state.rescues_used < model.scope.rescues:
        after = after._replace(status=Status.IDLE, rescues_used=state.rescues_used + 1)
    else:
        after = after._replace(status=Status.FAILED)
        after = with_child_moved(model, after, Status.FAILED) if guards.rescue_moves_child else after
    yield Move(f"the rescuer ends claim {claim_no}: {after.status}", after, released=claim_no)


def reap(model: Model, state: State) -> Moves:
    """A worker found dead is reaped, and the Queued runs it may have prefetched are published again."""
    has_room = len(state.messages) < model.scope.messages
    for number, (phase, claim_no) in enumerate(state.workers):
        if phase is not Phase.DEAD or not has_room:
            continue
        after = with_worker(state, number, FREE)
        if model.protocol.reap_publishes_prefetched and state.status is Status.QUEUED:
            after = with_message(after, state.claim_no)
        yield Move(f"the dead worker that had prefetched claim {claim_no} is reaped", after, reaped=claim_no)


def reap_alive(model: Model, state: State) -> Moves:
    """A worker that is merely paused is reaped: what it prefetched is published a second time."""
    is_prefetched = Worker(Phase.PREFETCHED, state.claim_no) in state.workers
    has_room = len(state.messages) < model.scope.messages
    if is_prefetched and has_room and state.faults_left and state.status is Status.QUEUED:
        after = with_fault(with_message(state, state.claim_no))
        yield Move(f"the paused worker with claim {state.claim_no} is reaped alive", after, fault=True)


def raise_cause(model: Model, state: State) -> Moves:
    """Something comes up that forbids the run to start: a pause, a full limit."""
    del model
    if state.causes_left and not state.cause:
        after = state._replace(cause=True, causes_left=state.causes_left - 1)
        yield Move("a cause to hold the run comes up", after)


def release(model: Model, state: State) -> Moves:
    """The cause goes, and what ends it makes the held run due in the same transaction."""
    if not state.cause:
        return
    after = state._replace(cause=False)
    if model.protocol.release_frees_held:
        after = after._replace(held=False)
    yield Move("the cause goes", after)


def sweep_holds(model: Model, state: State) -> Moves:
    """The sweep makes a held run due whose cause is gone."""
    if state.held and not state.cause and model.protocol.sweep_releases_holds:
        yield Move("the sweep releases a hold without a cause", state._replace(held=False))


MOVES = (
    check_falls_due,
    take_over,
    end_sweep,
    find_lost,
    rescue,
    reap,
    reap_alive,
    raise_cause,
    release,
    sweep_holds,
)
