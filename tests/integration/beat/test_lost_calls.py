"""Calls of Celery tasks whose message was lost: published again where the team has chosen at least once."""

from uuid import UUID

import pytest

from tests.inner import Core, NodeRegistration
from tests.integration.beats import Beat
from tests.integration.making import enrolled, row_of, worker_profile
from tests.integration.runs.calls import alter_run, make_call
from tests.manual_clock import ManualClock
from tests.statements import nodes
from tickerq_celery.enums import OnLost, TickerStatus
from tickerq_celery.store.nodes.vitals import Vitals
from tickerq_celery.store.runs.publications import NEVER


@pytest.fixture
def core(core: Core) -> Core:
    """A core whose worker reports what becomes of calls."""
    return enrolled(core)


@pytest.fixture
def beat(core: Core) -> Beat:
    return Beat(core)


def published(core: Core, beat: Beat, on_lost: OnLost, **columns: object) -> UUID:
    run_id = make_call(core, columns={"on_lost": on_lost.value, **columns})
    beat.dispatch()
    assert row_of(core, run_id).status is TickerStatus.QUEUED
    return run_id


def look(core: Core, beat: Beat, clock: ManualClock, *, is_idle: bool = True) -> list[tuple[object, int]]:
    """Let a heartbeat pass, in which the worker says whether it has a message, and sweep."""
    clock.advance(seconds=core.config.heartbeat.total_seconds())
    me = NodeRegistration(worker_profile(core), lambda: Vitals(is_idle=lambda: is_idle))
    me.measure()
    core.write(me.beat)
    return beat.sweep()


def test_a_lost_call_is_published_again_by_the_same_claim_under_on_lost_retry(
    core: Core, beat: Beat, clock: ManualClock
) -> None:
    run_id = published(core, beat, OnLost.RETRY)
    beat.sizes["celery"] = 0
    clock.advance(seconds=30)
    # By the first look the queue is empty; by the second no worker has had it since.
    assert look(core, beat, clock) == []
    assert look(core, beat, clock) == [(run_id, 1)]
    row = row_of(core, run_id)
    assert (row.status, row.published_at, row.publish_count) == (TickerStatus.QUEUED, clock.now(), 2)
    assert look(core, beat, clock) == []


def test_it_may_be_with_a_worker_that_has_not_said_anything_since_its_queue_was_empty(
    core: Core, beat: Beat, clock: ManualClock
) -> None:
    run_id = published(core, beat, OnLost.RETRY)
    beat.sizes["celery"] = 0
    clock.advance(seconds=30)
    assert look(core, beat, clock) == []
    clock.advance(seconds=10)
    assert beat.sweep() == []
    assert look(core, beat, clock, is_idle=False) == []
    assert row_of(core, run_id).publish_count == 1


@pytest.mark.parametrize("is_asked", [False, True], ids=["before it is asked", "once it has been asked"])
def test_a_worker_that_takes_it_during_a_heartbeat_has_it(
    core: Core, beat: Beat, clock: ManualClock, is_asked: bool
) -> None:
    run_id = published(core, beat, OnLost.RETRY)
    beat.sizes["celery"] = 1
    clock.advance(seconds=30)

    def take() -> None:
        """Let the worker take the message, and a beat see that the queue is empty."""
        beat.sizes["celery"] = 0
        beat.losses.look()
        clock.advance(seconds=1)

    def is_idle() -> bool:
        has_none = beat.sizes["celery"] == 1
        if is_asked:
            take()
        return has_none

    me = NodeRegistration(worker_profile(core), lambda: Vitals(is_idle=is_idle))
    me.measure()
    if not is_asked:
        take()
    core.write(me.beat)
    clock.advance(seconds=9)
    assert beat.sweep() == []
    assert row_of(core, run_id).publish_count == 1


def test_without_it_the_call_ends_as_published(core: Core, beat: Beat, clock: ManualClock) -> None:
    run_id = published(core, beat, OnLost.FAIL)
    beat.sizes["celery"] = 0
    clock.advance(minutes=4)
    assert [look(core, beat, clock) for _ in range(3)] == [[], [], []]
    clock.advance(minutes=1)
    assert look(core, beat, clock) == []
    assert row_of(core, run_id).status is TickerStatus.DONE


def test_one_that_waits_in_its_queue_is_covered_for_an_hour(
    core: Core, beat: Beat, clock: ManualClock
) -> None:
    run_id = published(core, beat, OnLost.RETRY)
    beat.sizes["celery"] = 3
    clock.advance(minutes=58)
    assert beat.sweep() == []
    assert row_of(core, run_id).status is TickerStatus.QUEUED
    beat.sizes["celery"] = 0
    assert look(core, beat, clock) == []
    assert look(core, beat, clock) == [(run_id, 1)]


def test_of_which_nothing_is_known_ends_as_published(core: Core, beat: Beat, clock: ManualClock) -> None:
    run_id = published(core, beat, OnLost.RETRY)
    # Nothing says where it is: the broker does not say how long the queue is.
    clock.advance(minutes=5)
    assert look(core, beat, clock) == []
    assert row_of(core, run_id).status is TickerStatus.DONE


def test_it_is_not_lost_where_workers_may_have_taken_it_that_the_store_does_not_know(
    core: Core, beat: Beat, clock: ManualClock
) -> None:
    run_id = published(core, beat, OnLost.RETRY)
    core.write(nodes.remove, core.node.id)
    beat.sizes["celery"] = 0
    clock.advance(minutes=4)
    assert beat.sweep() == []
    assert row_of(core, run_id).publish_count == 1


def test_one_with_children_that_was_taken_for_lost_in_vain_waits_for_its_report_again(
    core: Core, beat: Beat, clock: ManualClock
) -> None:
    run_id = published(core, beat, OnLost.RETRY, has_children=True)
    assert row_of(core, run_id).check_at == NEVER
    alter_run(core, run_id, check_at=clock.now())
    assert beat.sweep() == []
    row = row_of(core, run_id)
    assert (row.status, row.check_at) == (TickerStatus.QUEUED, NEVER)
