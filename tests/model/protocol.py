"""The model: every move that some process, the broker or bad luck can make next."""

from tests.model import dispatching, executing, recovering
from tests.model.guards import Model, Scope
from tests.model.state import TERMINAL, Child, Moves, State

# Bad luck comes as one budget shared by every kind of fault, so that each mixture of them is explored;
# the parts are explored in scopes of their own, for together they would be millions of worlds.
CORE = Scope(name="core", faults=2)
HOLDS = Scope(name="holds", faults=2, holds=1, retries=0)
CHAIN = Scope(name="chain", faults=2, retries=0, chain=True)

_MOVES = (*dispatching.MOVES, *executing.MOVES, *recovering.MOVES)


def moves(model: Model, state: State) -> Moves:
    """Yield every move that is possible now."""
    for possible in _MOVES:
        yield from possible(model, state)


def has_ended(state: State) -> bool:
    """Return True if the run, and its child if it has one, are terminal."""
    return state.status in TERMINAL and state.child not in {Child.WAITING, Child.IDLE}
