"""Moves of the broker and the two workers: deliver, lose, repeat, start, finish, die."""

from tests.model.guards import Model
from tests.model.state import (
    FREE,
    TERMINAL,
    Child,
    Move,
    Moves,
    Phase,
    State,
    Status,
    Worker,
    fence_holds,
    with_child_moved,
    with_fault,
    with_message,
    with_over,
    with_worker,
    without_message,
)


def deliver(model: Model, state: State) -> Moves:
    """A free worker receives a message, which the broker may keep and deliver again."""
    del model
    if FREE not in state.workers:
        return
    number = state.workers.index(FREE)
    for claim_no in sorted(set(state.messages)):
        received = with_worker(state, number, Worker(Phase.PREFETCHED, claim_no))
        yield Move(f"a worker receives claim {claim_no}", without_message(received, claim_no))
        if state.faults_left:
            again = with_fault(received)
            yield Move(f"a worker receives claim {claim_no}, the broker keeps it", again, fault=True)


def lose(model: Model, state: State) -> Moves:
    """The broker loses a message."""
    del model
    if not state.faults_left:
        return
    for claim_no in sorted(set(state.messages)):
        after = with_fault(without_message(state, claim_no))
        yield Move(f"the broker loses claim {claim_no}", after, fault=True)


def start(model: Model, state: State) -> Moves:
    """A worker starts the claim that its message names, or drops the message."""
    guards = model.protocol
    for number, (phase, claim_no) in enumerate(state.workers):
        if phase is not Phase.PREFETCHED:
            continue
        if not fence_holds(
            state,
            claim_no,
            Status.QUEUED,
            by_claim=guards.start_checks_claim,
            by_status=guards.start_checks_status,
        ):
            yield Move(f"a worker drops claim {claim_no}", with_worker(state, number, FREE))
            continue
        after = with_worker(state, number, Worker(Phase.RUNNING, claim_no))._replace(
            status=Status.IN_PROGRESS,
            check_due=False,
            bodies=tuple(sorted({*state.bodies, claim_no})),
        )
        yield Move(f"a worker starts the body of claim {claim_no}", after, started=claim_no)


def finish(model: Model, state: State) -> Moves:
    """A worker's body ends, well or not, and the worker writes that if its claim still stands."""
    guards = model.protocol
    for number, (phase, claim_no) in enumerate(state.workers):
        if phase is not Phase.RUNNING:
            continue
        accepted = fence_holds(
            state,
            claim_no,
            Status.IN_PROGRESS,
            by_claim=guards.finish_checks_claim,
            by_status=guards.finish_checks_status,
        )
        for outcome in (Status.DONE, Status.FAILED):
            if accepted:
                yield _accepted_finish(model, state, number, outcome)
            else:
                yield _fenced_finish(model, state, number, outcome)


def _accepted_finish(model: Model, state: State, number: int, outcome: Status) -> Move:
    claim_no = state.workers[number].claim_no
    ended = with_over(with_worker(state, number, FREE), claim_no)
    if outcome is Status.FAILED and state.retries_used < model.scope.retries:
        retry = ended._replace(status=Status.IDLE, retries_used=state.retries_used + 1)
        return Move(f"a worker finishes claim {claim_no}: to be retried", retry, finished=claim_no)
    after = ended._replace(status=outcome)
    if model.protocol.finish_moves_child:
        after = with_child_moved(model, after, outcome)
    elif state.child is Child.WAITING:
        after = with_worker(after, after.workers.index(FREE), Worker(Phase.ENDING, claim_no))
    return Move(f"a worker finishes claim {claim_no}: {outcome}", after, finished=claim_no)


def _fenced_finish(model: Model, state: State, number: int, outcome: Status) -> Move:
    after = with_worker(state, number, FREE)
    if not model.protocol.fenced_finish_rolls_back:
        after = with_child_moved(model, after, outcome)
    return Move(f"a worker's finish of claim {state.workers[number].claim_no} finds no row", after)


def move_child_late(model: Model, state: State) -> Moves:
    """A worker that finished without moving the child does so in a transaction of its own."""
    for number, (phase, claim_no) in enumerate(state.workers):
        if phase is Phase.ENDING:
            after = with_child_moved(model, with_worker(state, number, FREE), state.status)
            yield Move(f"the worker that finished claim {claim_no} moves the child", after)


def die(model: Model, state: State) -> Moves:
    """A worker is killed; with late acknowledgement the broker delivers its message again."""
    if not state.faults_left:
        return
    for number, (phase, claim_no) in enumerate(state.workers):
        if phase in {Phase.FREE, Phase.DEAD}:
            continue
        name = f"the {phase} worker of claim {claim_no} is killed"
        successor = Worker(Phase.DEAD, claim_no) if phase is Phase.PREFETCHED else FREE
        yield Move(name, with_worker(with_fault(state), number, successor), fault=True)
        if len(state.messages) < model.scope.messages:
            redelivered = with_message(with_worker(with_fault(state), number, FREE), claim_no)
            yield Move(f"{name}, its message is redelivered", redelivered, fault=True)


def run_child(model: Model, state: State) -> Moves:
    """The activated child runs; its own claims follow the same protocol and are not modelled again."""
    del model
    if state.child is Child.IDLE:
        after = state._replace(child=Child.DONE)
        parent = "ended" if state.status in TERMINAL else f"is {state.status}"
        yield Move(f"the child runs, its parent {parent}", after, child_started=True)


MOVES = (deliver, lose, start, finish, move_child_late, die, run_child)
