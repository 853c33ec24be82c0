"""How Hypothesis walks through the machine: afresh each time, or the same way every time."""

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.internal.conjecture.providers import AVAILABLE_PROVIDERS, HypothesisProvider
from hypothesis.stateful import run_state_machine_as_test

from tests.inner import Database
from tests.stateful.machine import StoreMachine

STEPS = 50
_SEED = 1
_SEEDED = "seeded-walks"


class SeededProvider(HypothesisProvider):
    """Hypothesis's own, but that it draws no constants: it finds these in whatever modules are imported."""

    def _maybe_draw_constant(self, *_: Any, **__: Any) -> None:
        return None


# Hypothesis's default spends two thirds of the examples on variations of earlier ones: here they are walks to
# the same few situations. It does so only under its own name, so the same provider gets another one.
AVAILABLE_PROVIDERS[_SEEDED] = SeededProvider


def walk(database: Database, *, examples: int, drawn_by: str | None) -> None:
    """Walk so many times, as never before; a failure is shrunk and can be reproduced.

    What is ``drawn_by`` the same text goes the same ways again.
    """
    phases = (Phase.reuse, Phase.generate, Phase.shrink)
    usual = settings(_SETTINGS, max_examples=examples, print_blob=True, phases=phases)
    # A failure's @reproduce_failure(…) goes before this class.
    machine = _machine_on(database)
    if drawn_by is None:
        run_state_machine_as_test(machine, settings=settings(usual, backend="hypothesis-urandom"))
        return
    run_state_machine_as_test(
        seed(drawn_by)(machine), settings=settings(usual, backend=_SEEDED, database=None)
    )


def walk_again(database: Database, *, examples: int) -> None:
    """Walk at most so many times, each time the same ways, up to the first failure, and do not shrink it."""
    run_state_machine_as_test(
        seed(_SEED)(_machine_on(database)),
        settings=settings(
            _SETTINGS,
            max_examples=examples,
            backend=_SEEDED,
            database=None,
            report_multiple_bugs=False,
            phases=(Phase.generate,),
        ),
    )


def lead(database: Database, along: Callable[[StoreMachine], None]) -> None:
    """Lead a machine along one way, and let every run end, rather than walk where chance leads."""

    @settings(_SETTINGS, max_examples=1)
    @given(st.none())
    def walk_along(_: None) -> None:
        machine = StoreMachine(database)
        try:
            along(machine)
        finally:
            machine.teardown()

    walk_along()


_SETTINGS = settings(stateful_step_count=STEPS, deadline=None, suppress_health_check=list(HealthCheck))


def _machine_on(database: Database) -> type[StoreMachine]:
    class Machine(StoreMachine):
        def __init__(self) -> None:
            super().__init__(database)

    return Machine
