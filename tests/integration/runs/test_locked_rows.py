"""No process that has other work waits for a row that another has locked: that may be stalled for ever."""

import math
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from tests.inner import Core, DropReason, NodeRegistration
from tests.integration.beats import Beat, pass_lease
from tests.integration.conftest import send
from tests.integration.locking import locked
from tests.integration.making import (
    ON_SERVERS,
    all_rows,
    another_node,
    claim,
    enrolled,
    give_back,
    make_run,
    make_runs,
    rescue,
    row_of,
    started,
    worker_profile,
)
from tests.manual_clock import ManualClock
from tests.tables import cron_tickers, drops, functions, nodes, tickers
from tickerq_celery import RunCondition, TimeTicker
from tickerq_celery.enums import TickerStatus
from tickerq_celery.worker import drop_counts
from tickerq_celery.worker.drop_counts import DropCounter
from tickerq_celery.worker.enrolment import enrol

MakeCore = Callable[..., Core]
# SQLite has one lock for all, and a busy timeout. Elsewhere, who waits in these tests waits for ever.
pytestmark = [pytest.mark.parametrize("store_url", ON_SERVERS, indirect=True), pytest.mark.timeout(60)]


@pytest.fixture
def core(core: Core) -> Core:
    """A core whose function a live worker has."""
    return enrolled(core)


def test_what_a_worker_is_starting_is_not_stamped_and_the_rest_of_the_batch_is(
    core: Core, beat: Beat
) -> None:
    starting, other = make_runs(core, 2)
    batch = claim(core)
    with locked(core, tickers, tickers.c.id == starting):
        beat.dispatcher.publish(batch, until=math.inf)
    assert row_of(core, starting).published_at is None
    assert row_of(core, other).published_at is not None


def test_what_another_process_has_in_hand_is_not_given_back_and_the_rest_of_the_batch_is(core: Core) -> None:
    in_hand, other = make_runs(core, 2)
    batch = claim(core)
    with locked(core, tickers, tickers.c.id == in_hand):
        give_back(core, batch)
    assert row_of(core, in_hand).status is TickerStatus.QUEUED
    assert row_of(core, other).status is TickerStatus.IDLE


def test_a_run_whose_worker_is_stalled_in_its_finish_is_rescued_once_it_is_free(
    core: Core, beat: Beat, clock: ManualClock
) -> None:
    finishing, other = (started(core, run_id).id for run_id in make_runs(core, 2))
    with locked(core, tickers, tickers.c.id == finishing):
        pass_lease(beat, clock)
        beat.sweep()
        assert row_of(core, finishing).status is TickerStatus.IN_PROGRESS
        assert row_of(core, other).rescue_count == 1
    beat.sweep()
    assert row_of(core, finishing).rescue_count == 1


def test_a_node_that_is_stalled_in_a_heartbeat_is_reaped_once_its_row_is_free(
    core: Core, beat: Beat, clock: ManualClock
) -> None:
    def rows() -> int:
        return len(core.database.read(lambda connection: connection.execute(select(nodes).where(mine)).all()))

    mine = nodes.c.id == core.node.id
    with locked(core, nodes, mine):
        pass_lease(beat, clock)
        beat.sweep()
        assert rows() == 1
    beat.sweep()
    assert rows() == 0


@pytest.mark.parametrize(
    ("options", "key", "reason"),
    [({"max_concurrency": 5}, None, "limit"), ({}, "eu", "key"), ({"rate_limit": "10/m"}, None, "rate")],
    ids=["function", "key", "rate"],
)
def test_while_another_claim_counts_a_limited_function_its_runs_are_held_and_others_are_claimed(
    make_core: MakeCore, options: dict[str, Any], key: str | None, reason: str
) -> None:
    core = enrolled(make_core(send(**options), send("Other")))
    beat = Beat(core)
    limited, other = make_run(core, concurrency_key=key), make_run(core, "Other")
    with locked(core, functions, functions.c.name == "Send", functions.c.namespace == core.config.namespace):
        assert [each.id for each in claim(core)] == [other]
        assert row_of(core, limited).held_for == reason
    beat.sweep()
    assert [each.id for each in claim(core)] == [limited]


def test_a_worker_that_says_nothing_new_enrols_past_functions_and_crons_that_are_locked(
    make_core: MakeCore,
) -> None:
    core = enrolled(make_core(send(max_concurrency=5, cron="0 * * * *")))
    again = another_node(core)
    mine = core.config.namespace
    with (
        locked(core, functions, functions.c.namespace == mine),
        locked(core, cron_tickers, cron_tickers.c.namespace == mine),
    ):
        enrol(again, NodeRegistration(worker_profile(again)))


def test_a_worker_counts_its_drops_past_another_that_is_stalled_while_it_counts(
    make_core: MakeCore, clock: ManualClock
) -> None:
    core = make_core()
    other = another_node(core)
    for each in (core, other):
        drop_counts.write(each, one_drop())
    clock.advance(days=31)
    with locked(core, drops, drops.c.node_id == core.node.id):
        drop_counts.write(other, one_drop())
    drop_counts.write(core, one_drop())
    assert drop_counts.recent(core) == {"invalid": 2}


def one_drop() -> DropCounter:
    tally = DropCounter()
    tally.note(DropReason.INVALID)
    return tally


@pytest.mark.parametrize("level", [0, 1], ids=["child", "grandchild"])
def test_a_parent_of_whose_descendants_another_process_has_one_locked_is_rescued_by_a_later_pass(
    make_core: MakeCore, level: int
) -> None:
    core = enrolled(make_core(send(), max_rescues=0))
    below = TimeTicker(function="Send", run_condition=RunCondition.ON_SUCCESS)
    child = TimeTicker(function="Send", run_condition=RunCondition.ON_SUCCESS, children=[below])
    parent = make_run(core, children=[child])
    ids = [row.id for row in all_rows(core) if row.id != parent]
    run = started(core, parent)
    with locked(core, tickers, tickers.c.id == ids[level]):
        assert rescue(core, run) is None
    assert row_of(core, parent).status is TickerStatus.IN_PROGRESS
    assert rescue(core, run) is not None
    assert {row_of(core, each).status for each in ids} == {TickerStatus.SKIPPED}
