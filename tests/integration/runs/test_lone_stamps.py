"""On PostgreSQL one statement stamps a published call, and commits itself: its start waits for it."""

import math
from datetime import timedelta

import pytest
from sqlalchemy import event

from tests.inner import Core
from tests.integration.beats import Beat
from tests.integration.making import claim, enrolled, row_of
from tests.integration.runs.calls import alter_run, make_call
from tests.manual_clock import ManualClock
from tests.statements import publications
from tickerq_celery.enums import TickerStatus

pytestmark = pytest.mark.parametrize("store_url", ["postgres"], indirect=True)


@pytest.mark.parametrize("columns", [{}, {"has_children": True}], ids=["followed", "a parent"])
def test_one_call_is_stamped_by_a_statement_that_commits_itself(
    core: Core, beat: Beat, clock: ManualClock, columns: dict[str, bool]
) -> None:
    enrolled(core)
    run_id = make_call(core, columns=columns)
    batch = claim(core)
    in_a_transaction: list[str] = []
    event.listen(
        core.database.engine, "before_cursor_execute", lambda *args: in_a_transaction.append(args[2])
    )
    beat.dispatcher.publish(batch, until=math.inf)
    row = row_of(core, run_id)
    after = publications.NEVER if columns else clock.now() + core.config.republish_after
    assert (row.status, row.published_at, row.publish_count) == (TickerStatus.QUEUED, clock.now(), 1)
    assert row.check_at == after
    assert [each for each in in_a_transaction if "UPDATE" in each] == []


def test_a_retry_of_the_task_that_was_published_before_the_stamp_is_not_stamped_over(
    core: Core, beat: Beat, clock: ManualClock
) -> None:
    enrolled(core)
    run_id = make_call(core)
    batch = claim(core)
    at = clock.now() - timedelta(seconds=1)
    alter_run(core, run_id, published_at=at, publish_count=2)
    beat.dispatcher.publish(batch, until=math.inf)
    row = row_of(core, run_id)
    assert (row.published_at, row.publish_count) == (at, 2)


def test_a_call_that_no_worker_reports_on_ends_with_its_stamp(core: Core, beat: Beat) -> None:
    run_id = make_call(core)
    beat.dispatcher.publish(claim(core), until=math.inf)
    assert row_of(core, run_id).status is TickerStatus.DONE
