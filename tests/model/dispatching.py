"""Moves of the two dispatchers, beat and the adding process: claim, hold, publish, give back, stamp."""

from tests.model.guards import Model
from tests.model.state import (
    TERMINAL,
    Dispatcher,
    Move,
    Moves,
    State,
    Status,
    Step,
    fence_holds,
    with_fault,
    with_message,
    with_over,
)

BEAT, ADDER = 0, 1
NAMES = ("beat", "adding process")
ROW_LOCKED = frozenset({Step.HOLDING, Step.UNCOMMITTED})


def _set(state: State, number: int, dispatcher: Dispatcher) -> State:
    first, second = state.dispatchers
    return state._replace(
        dispatchers=(dispatcher, second) if number == BEAT else (first, dispatcher),
    )


def _release(state: State, number: int) -> State:
    # The adding process claims once, right after its commit; beat comes back with every poll.
    return _set(state, number, Dispatcher(Step.READY if number == BEAT else Step.GONE))


def _may_take(model: Model, state: State) -> bool:
    if state.held or state.claim_no >= model.scope.claims:
        return False
    if any(dispatcher.step in ROW_LOCKED for dispatcher in state.dispatchers):
        return False
    if model.protocol.claim_checks_status:
        return state.status is Status.IDLE
    return state.status not in TERMINAL


def _commit_claim(state: State, claim_no: int) -> State:
    return state._replace(status=Status.QUEUED, claim_no=claim_no, check_due=False, check_answered=False)


def claim(model: Model, state: State) -> Moves:
    """A ready dispatcher takes the due run."""
    if not _may_take(model, state) or (state.cause and model.protocol.claim_holds):
        return
    claim_no = state.claim_no + 1 if model.protocol.claim_counts else 1
    for number, dispatcher in enumerate(state.dispatchers):
        if dispatcher.step is not Step.READY:
            continue
        if model.protocol.publish_follows_commit:
            after = _set(_commit_claim(state, claim_no), number, Dispatcher(Step.CLAIMED, claim_no))
            yield Move(f"{NAMES[number]} claims: claim {claim_no}", after, claimed=claim_no)
        else:
            after = _set(with_message(state, claim_no), number, Dispatcher(Step.UNCOMMITTED, claim_no))
            yield Move(f"{NAMES[number]} publishes claim {claim_no} inside its transaction", after)


def commit_late(model: Model, state: State) -> Moves:
    """A dispatcher that published inside its transaction commits it."""
    del model
    for number, (step, claim_no) in enumerate(state.dispatchers):
        if step is Step.UNCOMMITTED:
            after = _set(_commit_claim(state, claim_no), number, Dispatcher(Step.PUBLISHED, claim_no))
            yield Move(f"{NAMES[number]} commits claim {claim_no}", after, claimed=claim_no)


def see_cause(model: Model, state: State) -> Moves:
    """A dispatcher reads that the due run may not run yet; the release may commit before it writes."""
    if not (model.protocol.claim_holds and state.cause and _may_take(model, state)):
        return
    for number, dispatcher in enumerate(state.dispatchers):
        if dispatcher.step is Step.READY:
            after = _set(state, number, Dispatcher(Step.HOLDING))
            yield Move(f"{NAMES[number]} sees that the run may not run", after)


def hold(model: Model, state: State) -> Moves:
    """A dispatcher commits the hold it decided on."""
    del model
    for number, dispatcher in enumerate(state.dispatchers):
        if dispatcher.step is Step.HOLDING:
            yield Move(f"{NAMES[number]} holds the run", _release(state._replace(held=True), number))


def publish(model: Model, state: State) -> Moves:
    """A dispatcher hands its claim to the broker, which takes it, refuses it, or takes it unheard."""
    for number, (step, claim_no) in enumerate(state.dispatchers):
        if step is not Step.CLAIMED:
            continue
        name, refused = NAMES[number], Dispatcher(Step.REFUSED, claim_no)
        has_room = len(state.messages) < model.scope.messages
        if has_room:
            sent = with_message(state, claim_no)
            yield Move(
                f"{name} publishes claim {claim_no}", _set(sent, number, Dispatcher(Step.PUBLISHED, claim_no))
            )
        if state.faults_left:
            failed = _set(with_fault(state), number, refused)
            yield Move(f"{name} cannot publish claim {claim_no}", failed, fault=True)
            if has_room:
                unheard = with_message(failed, claim_no)
                yield Move(f"{name} publishes claim {claim_no} but sees an error", unheard, fault=True)


def give_back(model: Model, state: State) -> Moves:
    """A dispatcher gives back the claim that it could not publish."""
    guards = model.protocol
    for number, (step, claim_no) in enumerate(state.dispatchers):
        if step is not Step.REFUSED:
            continue
        after = _release(state, number)
        if fence_holds(
            state,
            claim_no,
            Status.QUEUED,
            by_claim=guards.give_back_checks_claim,
            by_status=guards.give_back_checks_status,
        ):
            after = with_over(after._replace(status=Status.IDLE, check_due=False), claim_no)
            yield Move(f"{NAMES[number]} gives claim {claim_no} back", after, released=claim_no)
        else:
            yield Move(f"{NAMES[number]} finds claim {claim_no} superseded, gives nothing back", after)


def stamp(model: Model, state: State) -> Moves:
    """A dispatcher stamps what it published, which puts off the sweep's check."""
    for number, (step, claim_no) in enumerate(state.dispatchers):
        if step is not Step.PUBLISHED:
            continue
        after = _release(state, number)
        if not model.protocol.stamp_leaves_status:
            after = after._replace(status=Status.QUEUED)
        elif state.status is Status.QUEUED and state.claim_no == claim_no:
            after = after._replace(check_due=False)
        yield Move(f"{NAMES[number]} stamps claim {claim_no}", after)


def crash(model: Model, state: State) -> Moves:
    """A dispatcher is killed; an open transaction is rolled back, and beat is started anew."""
    del model
    if not state.faults_left:
        return
    for number, (step, claim_no) in enumerate(state.dispatchers):
        if step is Step.GONE or (step is Step.READY and number == BEAT):
            continue
        doing = step if step in {Step.READY, Step.HOLDING} else f"{step}, claim {claim_no}"
        after = _release(with_fault(state), number)
        yield Move(f"{NAMES[number]} is killed ({doing})", after, fault=True)


MOVES = (claim, commit_late, see_cause, hold, publish, give_back, stamp, crash)
