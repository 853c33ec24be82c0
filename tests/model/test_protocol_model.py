"""The protocol as designed keeps every promise, in every order of events within the scopes."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import NamedTuple

import pytest

from tests.model.guards import Model, Protocol, Scope
from tests.model.protocol import CHAIN, CORE, HOLDS
from tests.model.search import Exploration, explore
from tests.model.state import Child, Phase, State, Status
from tests.thoroughness import in_verify


def with_faults(count: int) -> tuple[Scope, ...]:
    return tuple(replace(scope, faults=count, messages=count + 2) for scope in (CORE, HOLDS, CHAIN))


SCOPES = with_faults(2)
# With 3 faults there are half a million states, 25 seconds' work.
each_scope = pytest.mark.parametrize(
    "scope", [*SCOPES, *map(in_verify, with_faults(3))], ids=lambda scope: f"{scope.name}-{scope.faults}"
)


@cache
def explored(scope: Scope) -> Exploration:
    return explore(Model(Protocol(), scope))


def bodies_running(state: State) -> int:
    return sum(worker.phase is Phase.RUNNING for worker in state.workers)


@each_scope
def test_the_protocol_breaks_no_promise(scope: Scope) -> None:
    found = explored(scope)
    print(f"{scope.name}, {scope.faults} faults: {len(found.states)} states, {found.moves} moves")
    broken = "\n".join(str(violation) for violation in found.violations.values())
    assert not broken, broken


@each_scope
def test_claims_are_bounded_by_what_went_wrong_and_not_by_the_scope(scope: Scope) -> None:
    newest = max(state.claim_no for state in explored(scope).states)
    assert newest == 1 + scope.retries + scope.faults < scope.claims


@each_scope
def test_the_broker_has_room_for_every_message(scope: Scope) -> None:
    assert max(len(state.messages) for state in explored(scope).states) < scope.messages


class Reached(NamedTuple):
    """A situation that the model must contain, for its promises would be empty without it."""

    what: str
    is_there: Callable[[State], bool]
    scope: Scope = SCOPES[0]


REACHED = (
    Reached("two bodies at once, after a false death", lambda state: bodies_running(state) == 2),
    Reached(
        "a zombie that outlives the run",
        lambda state: state.status is Status.DONE and bodies_running(state) == 1,
    ),
    Reached("one claim twice in the broker", lambda state: state.messages[:2] == (1, 1)),
    Reached("a dead worker with a prefetched message", lambda state: state.workers[0].phase is Phase.DEAD),
    Reached(
        "a run taken over by the sweep and started meanwhile",
        lambda state: state.sweeping > 0 and state.status is Status.IN_PROGRESS,
    ),
    Reached(
        "a rescue of a claim that ended meanwhile",
        lambda state: state.rescuing > 0 and state.status is not Status.IN_PROGRESS,
    ),
    Reached("a held run", lambda state: state.held and state.cause, SCOPES[1]),
    Reached("a hold that outlived its cause", lambda state: state.held and not state.cause, SCOPES[1]),
    Reached("a child that ran", lambda state: state.child is Child.DONE, SCOPES[2]),
    Reached("a skipped child", lambda state: state.child is Child.SKIPPED, SCOPES[2]),
)


@pytest.mark.parametrize("situation", REACHED, ids=lambda situation: situation.what)
def test_the_model_contains(situation: Reached) -> None:
    assert any(situation.is_there(state) for state in explored(situation.scope).states)


def test_a_counter_example_is_a_numbered_list_of_steps() -> None:
    found = explore(Model(Protocol(sweep_exists=False), replace(CORE, faults=1)))
    assert str(found.violations["no_run_is_lost"]).splitlines() == [
        "no_run_is_lost is violated by:",
        "   1. beat claims: claim 1",
        "   2. beat is killed (claimed, claim 1)",
        "  then: status=Queued, claim_no=1",
    ]
