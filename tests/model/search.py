"""The explorer: visit every reachable world breadth first, and keep the shortest way to each violation."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.model.guards import Model
from tests.model.invariants import INVARIANTS, NO_RUN_IS_LOST
from tests.model.protocol import has_ended, moves
from tests.model.state import Move, State, initial


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A broken promise and the shortest way there."""

    invariant: str
    labels: tuple[str, ...]
    state: State

    def __str__(self) -> str:
        steps = [f"  {number:2}. {label}" for number, label in enumerate(self.labels, start=1)]
        return "\n".join([f"{self.invariant} is violated by:", *steps, f"  then: {self.state}"])


@dataclass(slots=True)
class Exploration:
    """Every world met, in order of distance, with the way back and what was violated."""

    states: list[State]
    moves: int = 0
    violations: dict[str, Violation] = field(default_factory=dict)
    _number: dict[State, int] = field(default_factory=dict)
    _came_by: list[tuple[int, str]] = field(default_factory=list)
    _calm_before: list[list[int]] = field(default_factory=list)

    def visit(self, state: State, *, origin: int, label: str) -> int:
        """Return the number of the world, giving it one if it is new."""
        number = self._number.setdefault(state, len(self._came_by))
        if number == len(self._came_by):
            self._came_by.append((origin, label))
            self._calm_before.append([])
            if number:
                self.states.append(state)
        return number

    def take(self, origin: int, move: Move) -> None:
        """Follow one move and note each promise that it breaks for the first time."""
        self.moves += 1
        number = self.visit(move.after, origin=origin, label=move.label)
        if not move.fault:
            self._calm_before[number].append(origin)
        before = self.states[origin]
        for invariant in INVARIANTS:
            if not invariant(before, move) and invariant.__name__ not in self.violations:
                labels = (*self._way_to(origin), move.label)
                self._note(invariant.__name__, labels, move.after)

    def look_for_lost(self) -> None:
        """Note the nearest world from which the run cannot end any more, even if no further fault comes."""
        hopeful = self._leads_to(n for n, state in enumerate(self.states) if has_ended(state))
        for number, state in enumerate(self.states):
            if number not in hopeful:
                self._note(NO_RUN_IS_LOST, self._way_to(number), state)
                return

    def _leads_to(self, goals: Iterable[int]) -> set[int]:
        found = set(goals)
        open_ends = list(found)
        while open_ends:
            for earlier in self._calm_before[open_ends.pop()]:
                if earlier not in found:
                    found.add(earlier)
                    open_ends.append(earlier)
        return found

    def _way_to(self, number: int) -> tuple[str, ...]:
        labels = []
        while number:
            number, label = self._came_by[number]
            labels.append(label)
        return tuple(reversed(labels))

    def _note(self, invariant: str, labels: tuple[str, ...], state: State) -> None:
        self.violations[invariant] = Violation(invariant=invariant, labels=labels, state=state)


def explore(model: Model, *, until: str | None = None) -> Exploration:
    """Explore the model within its scope, stopping early once the promise ``until`` is broken."""
    first = initial(model.scope)
    found = Exploration(states=[first])
    found.visit(first, origin=0, label="")
    # The list grows while it is walked: that is the queue of a breadth-first search.
    for number, state in enumerate(found.states):
        for move in moves(model, state):
            found.take(number, move)
        if until in found.violations:
            return found
    found.look_for_lost()
    return found
