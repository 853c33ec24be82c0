"""The words of the model: what one run, its broker and its processes can look like."""

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from tests.model.guards import Model, Scope


class Status(StrEnum):
    """Where the run stands; Done stands for DueDone too."""

    IDLE = "Idle"
    QUEUED = "Queued"
    IN_PROGRESS = "InProgress"
    DONE = "Done"
    FAILED = "Failed"


TERMINAL = frozenset({Status.DONE, Status.FAILED})


class Child(StrEnum):
    """Where the run's one child stands; its run condition is "on success"."""

    NONE = "none"
    WAITING = "waiting"
    IDLE = "idle"
    DONE = "done"
    SKIPPED = "skipped"


class Step(StrEnum):
    """How far a dispatcher is with the claim in its hands."""

    READY = "ready"
    HOLDING = "holding"
    UNCOMMITTED = "uncommitted"
    CLAIMED = "claimed"
    REFUSED = "refused"
    PUBLISHED = "published"
    GONE = "gone"


class Phase(StrEnum):
    """What a worker is doing."""

    FREE = "free"
    PREFETCHED = "prefetched"
    RUNNING = "running"
    ENDING = "ending"
    DEAD = "dead"


class Dispatcher(NamedTuple):
    """A process that claims and publishes, and the claim in its hands."""

    step: Step
    claim_no: int = 0

    def __repr__(self) -> str:
        return f"{self.step} {self.claim_no or ''}".rstrip()


class Worker(NamedTuple):
    """A worker and the claim it was given by a message."""

    phase: Phase
    claim_no: int = 0

    def __repr__(self) -> str:
        return f"{self.phase} {self.claim_no or ''}".rstrip()


FREE = Worker(Phase.FREE)


class State(NamedTuple):
    """One moment of the world; ``bodies`` and ``over`` are its history, which no process reads."""

    status: Status = Status.IDLE
    claim_no: int = 0
    held: bool = False
    check_due: bool = False
    check_answered: bool = False
    child: Child = Child.NONE
    dispatchers: tuple[Dispatcher, ...] = (Dispatcher(Step.READY), Dispatcher(Step.READY))
    messages: tuple[int, ...] = ()
    workers: tuple[Worker, ...] = (FREE, FREE)
    sweeping: int = 0
    rescuing: int = 0
    cause: bool = False
    causes_left: int = 0
    retries_used: int = 0
    rescues_used: int = 0
    faults_left: int = 0
    falsely_dead: bool = False
    bodies: tuple[int, ...] = ()
    over: tuple[int, ...] = ()

    def __str__(self) -> str:
        usual = State()
        shown = [
            f"{name}={value}"
            for name, value, default in zip(self._fields, self, usual, strict=True)
            if value != default or name == "status"
        ]
        return ", ".join(shown)


class Move(NamedTuple):
    """One atomic step to ``after``; the numbers name the claim that did what the field says, or are 0."""

    label: str
    after: State
    fault: bool = False
    claimed: int = 0
    started: int = 0
    finished: int = 0
    released: int = 0
    swept: int = 0
    reaped: int = 0
    child_started: bool = False


Moves = Iterator[Move]


def initial(scope: Scope) -> State:
    """Return the world just after the adding process's transaction has committed the run."""
    child = Child.WAITING if scope.chain else Child.NONE
    return State(child=child, causes_left=scope.holds, faults_left=scope.faults)


def with_message(state: State, claim_no: int) -> State:
    """Return the world with one more message for the claim in the broker."""
    return state._replace(messages=tuple(sorted((*state.messages, claim_no))))


def without_message(state: State, claim_no: int) -> State:
    """Return the world with one message for the claim less in the broker."""
    at = state.messages.index(claim_no)
    return state._replace(messages=state.messages[:at] + state.messages[at + 1 :])


def with_worker(state: State, number: int, worker: Worker) -> State:
    """Return the world with one worker changed; workers are kept sorted, for either may be the first."""
    others = state.workers[:number] + state.workers[number + 1 :]
    return state._replace(workers=tuple(sorted((*others, worker))))


def with_over(state: State, claim_no: int) -> State:
    """Return the world in which the claim is over: finished, rescued or given back."""
    return state._replace(over=tuple(sorted({*state.over, claim_no})))


def with_fault(state: State) -> State:
    """Return the world with one fault less to come."""
    return state._replace(faults_left=state.faults_left - 1)


def with_child_moved(model: Model, state: State, end: Status) -> State:
    """Return the world with a waiting child activated or skipped, as the parent's end says."""
    if state.child is not Child.WAITING:
        return state
    runs = end is Status.DONE or not model.protocol.child_obeys_condition
    return state._replace(child=Child.IDLE if runs else Child.SKIPPED)


def fence_holds(state: State, claim_no: int, status: Status, *, by_claim: bool, by_status: bool) -> bool:
    """Return True if a write's WHERE clause finds the row, given which of its two conditions it has."""
    return (not by_claim or state.claim_no == claim_no) and (not by_status or state.status is status)
