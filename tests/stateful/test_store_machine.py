"""The store, whatever happens in whatever order: no promise is broken, and nothing is stuck."""

import pytest

from tests.conftest import DATABASES
from tests.inner import Database
from tests.stateful.adding import Draft
from tests.stateful.bodies import PLAIN, TASK
from tests.stateful.calls import CallRequest
from tests.stateful.cron_lives import EXPRESSION
from tests.stateful.machine import StoreMachine
from tests.stateful.troubles import How, Trouble
from tests.stateful.walks import lead, walk
from tests.stateful.world import PUBLISH_CHECK_SECONDS
from tests.thoroughness import in_proof, in_verify
from tickerq_celery import CronTicker
from tickerq_celery.enums import HoldReason, OverlapPolicy, TickerStatus

# The proof: a thousand examples on each database.
WALKS = [
    ("sqlite", 3, 0),
    *(in_verify(kind, 20, 0) for kind in DATABASES),
    *(in_proof(kind, 100, series) for series in range(10) for kind in DATABASES),
]
_NEW_CALL = Draft(TASK, delay=0, retries=0, queue=None, key=None)
_DIES_BEFORE_ITS_STAMP = (Trouble(4, How.DIES),)
_STOPS_BEFORE_ITS_FIRST_STAMP = (Trouble(7, How.STOPS),)


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("store_url", "examples", "series"), WALKS, indirect=["store_url"])
def test_the_store_keeps_its_promises_in_every_order_of_events(
    database: Database, examples: int, series: int, pytestconfig: pytest.Config
) -> None:
    given: str | None = pytestconfig.getoption("hypothesis_seed")
    # Else the same ways on each database, and in each series.
    drawn_by = None if given is None else f"{given} {series} {database.url.get_backend_name()}"
    walk(database, examples=examples, drawn_by=drawn_by)


def test_a_run_now_in_a_pause_admits_and_publishes_the_manual_run_before_it(database: Database) -> None:
    def ask_twice(machine: StoreMachine) -> None:
        machine.hire_worker(is_full=True)
        machine.add_cron(CronTicker(function=PLAIN, expression=EXPRESSION, overlap=OverlapPolicy.BUFFER_ALL))
        machine.look()
        machine.ask_in_a_pause(cron=0, was_asked=True)

        first, second = [run for run in machine.world.sight.runs.values() if run.instant is None]
        assert first.status is TickerStatus.QUEUED
        assert second.held_for == HoldReason.OVERLAP

    lead(database, ask_twice)


def test_a_sweep_that_stalls_in_its_batch_may_repeat_a_call_that_began_meanwhile(database: Database) -> None:
    def stall_in_a_batch(machine: StoreMachine) -> None:
        worker, beat = machine.hire_worker(is_full=True), machine.world.beats[0]
        for _ in range(2):
            machine.add(app=0, batch=[_NEW_CALL], troubles=_DIES_BEFORE_ITS_STAMP)
        machine.pass_time(PUBLISH_CHECK_SECONDS)
        machine.sweep(beat, _STOPS_BEFORE_ITS_FIRST_STAMP)
        _, message, repeated = machine.world.broker.messages
        worker.calls.append(CallRequest(message))
        machine.begin_body(machine.waiting_calls()[0])
        machine.pass_time(1)
        machine.go_on_with(beat.process)
        machine.look()

        assert repeated.key != message.key
        assert machine.world.broker.messages[-1] == message

    lead(database, stall_in_a_batch)
