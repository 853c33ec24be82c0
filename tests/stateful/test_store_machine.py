"""The store, whatever happens in whatever order: no promise is broken, and nothing is stuck."""

import pytest

from tests.conftest import DATABASES
from tests.stateful.bodies import PLAIN
from tests.stateful.cron_lives import EXPRESSION
from tests.stateful.machine import StoreMachine
from tests.stateful.walks import lead, walk
from tests.thoroughness import in_proof, in_verify
from tickerq_celery.enums import HoldReason, OverlapPolicy, TickerStatus
from tickerq_celery.store.database.database import Database
from tickerq_celery.tickers.inputs import CronTicker

# The proof: a thousand examples on each database.
WALKS = [
    ("sqlite", 3, 0),
    *(in_verify(kind, 20, 0) for kind in DATABASES),
    *(in_proof(kind, 100, series) for series in range(10) for kind in DATABASES),
]


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("store_url", "examples", "series"), WALKS, indirect=["store_url"])
def test_the_store_keeps_its_promises_in_every_order_of_events(
    database: Database, examples: int, series: int
) -> None:
    walk(database, examples=examples)


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
