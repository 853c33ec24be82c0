"""Ways to situations that random walks get to once in hundreds of examples, or not at all."""

from tests.stateful.adding import Draft
from tests.stateful.bodies import PLAIN
from tests.stateful.machine import StoreMachine

_KEYED = Draft(PLAIN, delay=0, retries=0, queue=None, key="eu")


def delete_what_has_the_keys_slot(machine: StoreMachine) -> None:
    """No end of a run hands the slot on: the next sweep does, or nobody."""
    machine.hire_worker(is_full=True)
    for _ in range(2):
        machine.add(app=0, batch=[_KEYED], troubles=())
    machine.delete(run=_first_unheld(machine))
    machine.look()
    machine.sweep(machine.world.beats[0])


def _first_unheld(machine: StoreMachine) -> int:
    return [run.held_for for run in machine.world.time_tickers()].index(None)
