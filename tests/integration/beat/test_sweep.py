"""The sweep: lost messages are published again, and what a dead worker had goes on elsewhere."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.inner import Core, NodeRegistration, profile, succeeded
from tests.integration.beats import Beat, pass_lease
from tests.integration.conftest import send
from tests.integration.making import (
    another_node,
    at_once,
    attempts_of,
    claim,
    enrolled,
    finish,
    make_run,
    make_runs,
    processes,
    row_of,
    start,
    started,
    worker_profile,
)
from tests.integration.runs.calls import alter_run
from tests.manual_clock import ManualClock
from tests.statements import nodes
from tickerq_celery.enums import NodeKind, OnLost, TickerStatus
from tickerq_celery.errors import PublishError
from tickerq_celery.store.nodes.vitals import Vitals

MakeCore = Callable[..., Core]


@pytest.fixture
def core(core: Core) -> Core:
    """A core whose function a live worker has."""
    return enrolled(core)


def test_a_run_whose_message_was_never_sent_is_published_by_the_same_claim(
    core: Core, beat: Beat, clock: ManualClock
) -> None:
    run_id = make_run(core)
    claim(core)
    clock.advance(seconds=9)
    assert beat.sweep() == []
    clock.advance(seconds=1)
    assert beat.sweep() == [(run_id, 1)]
    row = row_of(core, run_id)
    assert (row.status, row.claim_no, row.publish_count) == (TickerStatus.QUEUED, 1, 1)


def test_a_run_that_merely_waits_is_published_again_each_five_minutes(
    core: Core, beat: Beat, clock: ManualClock
) -> None:
    run_id = make_run(core)
    beat.dispatch()
    for _ in range(4):
        assert row_of(core, run_id).check_at == clock.now() + timedelta(minutes=5)
        clock.advance(minutes=5, seconds=-1)
        assert beat.sweep() == []
        clock.advance(seconds=1)
        assert beat.sweep() == [(run_id, 1)]
    assert row_of(core, run_id).publish_count == 1


def test_one_whose_queue_is_not_empty_is_published_again_after_an_hour(
    core: Core, beat: Beat, clock: ManualClock
) -> None:
    run_id = make_run(core)
    beat.dispatch()
    beat.sizes["celery"] = 1
    clock.advance(minutes=5)
    assert beat.sweep() == []
    assert row_of(core, run_id).check_at == clock.now() + timedelta(minutes=55)
    clock.advance(minutes=54)
    assert beat.sweep() == []
    clock.advance(minutes=1)
    assert beat.sweep() == [(run_id, 1)]


def make_idle(core: Core, clock: ManualClock, *, seconds: float) -> None:
    """Let the only worker say for so long that it has no message."""
    idle = NodeRegistration(worker_profile(core), lambda: Vitals(is_idle=lambda: True))
    idle.measure()
    for _ in range(2):
        core.write(idle.beat)
        clock.advance(seconds=seconds / 2)
    core.write(idle.beat)


def test_a_message_was_lost_if_a_worker_of_its_queue_has_been_idle_for_a_lease(
    core: Core, beat: Beat, clock: ManualClock
) -> None:
    run_id = make_run(core)
    beat.dispatch()
    make_idle(core, clock, seconds=29)
    assert beat.sweep() == []
    clock.advance(seconds=10)
    assert beat.sweep() == [(run_id, 1)]
    assert row_of(core, run_id).publish_count == 2
    assert row_of(core, run_id).check_at == clock.now() + timedelta(minutes=10)


def test_a_message_was_lost_if_its_queue_is_empty_and_no_worker_has_one(
    core: Core, beat: Beat, clock: ManualClock
) -> None:
    run_id = make_run(core)
    beat.dispatch()
    clock.advance(seconds=30)
    core.write(nodes.remove, core.node.id)
    beat.sizes["celery"] = 0
    assert beat.sweep() == [(run_id, 1)]


def test_a_worker_that_has_messages_may_have_this_one(core: Core, beat: Beat, clock: ManualClock) -> None:
    make_run(core)
    beat.dispatch()
    beat.sizes["celery"] = 0
    clock.advance(seconds=40)
    assert beat.sweep() == []


def test_what_a_dead_worker_had_prefetched_is_published_again_beside_a_backlog(
    core: Core, beat: Beat, clock: ManualClock
) -> None:
    run_id = make_run(core)
    beat.dispatch()
    beat.sizes["celery"] = 3
    pass_lease(beat, clock)
    assert beat.sweep() == [(run_id, 1)]


def test_each_loss_that_was_seen_doubles_the_time_to_the_next_up_to_an_hour(
    core: Core, beat: Beat, clock: ManualClock
) -> None:
    make_run(core)
    beat.dispatch()
    core.write(nodes.remove, core.node.id)
    beat.sizes["celery"] = 0
    for wait in (30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600):
        clock.advance(seconds=wait - 15)
        assert not beat.sweep()
        clock.advance(seconds=15)
        assert beat.sweep()


def test_very_many_flows_are_published_again_a_batch_after_the_other(
    core: Core, beat: Beat, clock: ManualClock
) -> None:
    ids = make_runs(core, 1_100)
    beat.dispatch(), beat.dispatch(), beat.dispatch()
    for number, run_id in enumerate(ids):
        alter_run(core, run_id, function=f"Send {number}")
    core.write(nodes.remove, core.node.id)
    beat.sizes["celery"] = 0
    clock.advance(seconds=30)
    found = []
    for _ in range(3):
        found += beat.sweep()
    assert sorted(run_id for run_id, _ in found) == sorted(ids)


def test_what_was_published_after_a_look_is_not_lost_by_it(
    core: Core, beat: Beat, clock: ManualClock
) -> None:
    first = make_run(core)
    beat.dispatch()
    core.write(nodes.remove, core.node.id)
    beat.sizes["celery"] = 0
    clock.advance(seconds=30)
    assert beat.sweep() == [(first, 1)]
    second = make_run(core)
    enrolled(core)
    beat.dispatch()
    alter_run(core, second, check_at=clock.now())
    assert beat.sweep() == [(second, 1)]
    assert row_of(core, second).publish_count == 1


def test_a_run_that_started_is_not_published_again(core: Core, beat: Beat, clock: ManualClock) -> None:
    started(core, make_run(core))
    clock.advance(seconds=29)
    assert beat.sweep() == []


def test_a_sweep_takes_over_in_its_own_namespace_only(
    make_core: MakeCore, beat: Beat, clock: ManualClock, namespace: str
) -> None:
    other = enrolled(make_core(send(), namespace=f"{namespace}-b"))
    make_run(other)
    claim(other)
    clock.advance(minutes=1)
    assert beat.sweep() == []


def test_a_sweep_takes_over_no_more_than_a_batch(make_core: MakeCore, clock: ManualClock) -> None:
    core = enrolled(make_core(send(), batch_size=3))
    make_runs(core, 5)
    claim(core), claim(core)
    clock.advance(seconds=10)
    beat = Beat(another_node(core))
    assert [len(beat.sweep()) for _ in range(3)] == [3, 2, 0]


@pytest.mark.row_locks
def test_sweeps_at_once_share_no_run(core: Core, clock: ManualClock) -> None:
    ids = make_runs(core, 400)
    claim(core)
    clock.advance(seconds=10)
    with processes(core, 3) as cores:
        taken = at_once(*(Beat(each).sweep for each in cores))
        taken += [Beat(cores[0]).sweep()]
    assert sorted(run_id for part in taken for run_id, _ in part) == sorted(ids)


def test_what_a_sweep_could_not_publish_stays_queued_until_its_next_check(
    core: Core, clock: ManualClock
) -> None:
    run_id = make_run(core)
    claim(core)
    clock.advance(seconds=10)
    unreachable = Beat(another_node(core), takes=0)
    with pytest.raises(PublishError):
        unreachable.sweep()
    assert row_of(core, run_id).status is TickerStatus.QUEUED
    clock.advance(minutes=5)
    assert Beat(another_node(core)).sweep() == [(run_id, 1)]


def test_the_runs_of_a_dead_worker_start_again_and_its_row_goes(
    core: Core, beat: Beat, clock: ManualClock
) -> None:
    run_id = make_run(core)
    started(core, run_id)
    pass_lease(beat, clock)
    beat.sweep()
    row = row_of(core, run_id)
    assert (row.status, row.rescue_count) == (TickerStatus.IDLE, 1)
    assert core.node.name in attempts_of(core, run_id)[0].exception_message
    assert _nodes(core) == []


def _nodes(core: Core) -> list[nodes.Node]:
    return core.read(nodes.list_nodes)


def test_a_worker_is_asked_to_call_the_handler_for_each_lost_attempt(
    core: Core, beat: Beat, clock: ManualClock
) -> None:
    run_id = make_run(core)
    started(core, run_id)
    pass_lease(beat, clock)
    beat.sweep()
    ((lost_id, message),) = beat.publisher.lost
    assert lost_id == run_id
    assert core.node.name in message


@pytest.mark.row_locks
def test_beats_that_reap_at_once_rescue_each_run_once(core: Core, clock: ManualClock) -> None:
    ids = make_runs(core, 20)
    for each in claim(core):
        start(core, each)
    with processes(core, 3) as cores:
        beats = [Beat(each) for each in cores]
        for _ in range(4):
            for beat in beats:
                beat.sweep()
            clock.advance(seconds=7.5)
        at_once(*(beat.sweep for beat in beats))
    assert {row_of(core, run_id).rescue_count for run_id in ids} == {1}
    assert sorted(run_id for beat in beats for run_id, _ in beat.publisher.lost) == sorted(ids)


def test_the_runs_of_a_living_worker_are_left_alone_however_long_they_take(
    core: Core, beat: Beat, clock: ManualClock
) -> None:
    run_id = make_run(core)
    run = started(core, run_id)
    for _ in range(10):
        core.write(nodes.beat, core.node.id)
        for _ in range(3):
            beat.sweep()
            clock.advance(seconds=9.5)
    assert finish(core, run, succeeded(run.standing))


def test_a_functions_option_that_lost_runs_fail_is_obeyed(make_core: MakeCore, clock: ManualClock) -> None:
    core = enrolled(make_core(send(on_lost=OnLost.FAIL)))
    run_id = make_run(core)
    started(core, run_id)
    beat = Beat(another_node(make_core()))
    pass_lease(beat, clock)
    beat.sweep()
    assert row_of(core, run_id).status is TickerStatus.FAILED


def test_what_a_dead_worker_may_have_prefetched_is_published_again_at_most_its_window(
    make_core: MakeCore, clock: ManualClock
) -> None:
    core = make_core(send())
    beat = Beat(another_node(core))
    enrolled(core, prefetch=3)
    ids = _published_in_order(core, beat, clock, 5)
    core.write(nodes.beat, core.node.id)
    pass_lease(beat, clock)
    assert sorted(beat.sweep()) == sorted((run_id, 1) for run_id in ids[:3])
    assert beat.sweep() == []


def _published_in_order(core: Core, beat: Beat, clock: ManualClock, count: int) -> list[object]:
    ids = []
    for _ in range(count):
        ids.append(make_run(core))
        beat.dispatch()
        clock.advance(seconds=1)
    return ids


@pytest.mark.parametrize(("seconds", "count"), [(30, 1), (30.000001, 0)])
def test_what_was_published_a_lease_after_a_workers_last_sign_of_life_was_not_prefetched_by_it(
    core: Core, beat: Beat, clock: ManualClock, seconds: float, count: int
) -> None:
    clock.advance(seconds=seconds)
    make_run(core)
    beat.dispatch()
    pass_lease(beat, clock)
    assert len(beat.sweep()) == count


@pytest.mark.parametrize(
    ("queues", "expected"),
    [
        (("celery",), {None}),
        (("mail",), {None, "mail"}),
        (("mail", "other"), {None, "mail", "other"}),
        ((), set()),
    ],
)
def test_a_dead_worker_prefetched_from_its_own_queues_and_what_celery_may_have_routed_there(
    make_core: MakeCore, clock: ManualClock, queues: tuple[str, ...], expected: set[str | None]
) -> None:
    core = enrolled(make_core(send()), queues=queues)
    ids = {queue: make_run(core, queue=queue) for queue in (None, "mail", "other")}
    beat = Beat(another_node(core))
    beat.dispatch()
    pass_lease(beat, clock)
    assert {run_id for run_id, _ in beat.sweep()} == {ids[queue] for queue in expected}


def test_a_run_that_a_reaped_worker_still_started_is_rescued_after_a_lease(
    core: Core, beat: Beat, clock: ManualClock
) -> None:
    run_id = make_run(core)
    core.write(nodes.remove, core.node.id)
    enrolled(another_node(core))
    started(core, run_id)
    pass_lease(beat, clock)
    assert row_of(core, run_id).status is TickerStatus.IN_PROGRESS
    beat.sweep()
    assert (row_of(core, run_id).status, row_of(core, run_id).rescue_count) == (TickerStatus.IDLE, 1)


def test_a_dead_beat_is_reaped_without_touching_any_run(core: Core, beat: Beat, clock: ManualClock) -> None:
    dead = another_node(core)
    core.write(NodeRegistration(profile(dead, NodeKind.BEAT)).register)
    run_id = make_run(core)
    beat.dispatch()
    pass_lease(beat, clock)
    core.write(nodes.beat, core.node.id)
    assert beat.sweep() == []
    assert [node.id for node in _nodes(core)] == [core.node.id]
    assert row_of(core, run_id).publish_count == 1


def test_a_row_with_more_runs_than_one_pass_rescues_stays_until_all_are_rescued(
    core: Core, beat: Beat, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tickerq_celery.beat.sweeper._AT_ONCE", 2)
    make_runs(core, 3)
    for each in claim(core):
        start(core, each)
    pass_lease(beat, clock)
    beat.sweep()
    assert len(_nodes(core)) == 1
    beat.sweep()
    assert _nodes(core) == []
    assert len(beat.publisher.lost) == 3
