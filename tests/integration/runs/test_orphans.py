"""Which runs are in progress on nodes that give no sign of life."""

from datetime import timedelta
from uuid import UUID

import pytest

from tests.inner import Core, new_id
from tests.integration.making import make_run
from tests.integration.runs.calls import alter_run
from tests.manual_clock import START
from tests.statements import orphans
from tickerq_celery.enums import TickerStatus
from tickerq_celery.store.health.orphans import OrphanedRun


@pytest.mark.every_database
def test_of_a_node_that_is_not_present_the_first_run_is_shown_and_how_many_there_are(core: Core) -> None:
    here, gone, other = new_id(), new_id(), new_id()

    def running(node: UUID, minutes: int, description: str | None = None) -> UUID:
        run_id = make_run(core, description=description)
        begun = {"started_at": START + timedelta(minutes=minutes), "locked_at": START, "claim_no": 1}
        fields = {"status": TickerStatus.IN_PROGRESS, "due_at": None, "lock_holder": str(node)}
        alter_run(core, run_id, running_on=node, **begun, **fields)
        return run_id

    running(here, 0)
    running(gone, 2)
    first = running(gone, 1, "orders of Lyon")
    running(other, 3)
    [on_gone, on_other] = core.read(orphans.running_on, present={here}, most=5)
    assert (on_gone.node_id, on_gone.runs, on_other.runs) == (gone, 2, 1)
    assert on_gone.first == OrphanedRun(
        id=first, function="Send", description="orders of Lyon", started_at=START + timedelta(minutes=1)
    )
    assert len(core.read(orphans.running_on, present=(), most=2)) == 2
    assert core.read(orphans.running_on, present={here, gone, other}, most=5) == []
