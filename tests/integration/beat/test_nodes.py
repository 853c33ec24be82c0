"""Signs of life: who counts as dead, and which runs a worker has lost without dying."""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from uuid import UUID

import pytest
from celery.concurrency.prefork import TaskPool
from celery.worker import state

from tests.inner import Core, NodeRegistration, Started, Transaction, succeeded
from tests.integration.apps import add_run, execute, ticker_app
from tests.integration.making import MANY_MESSAGES, enrolled, finish, make_run, started, worker_profile
from tests.manual_clock import START, ManualClock
from tests.statements import nodes
from tickerq_celery import TickerQ
from tickerq_celery.beat.dead_nodes import LivenessObserver
from tickerq_celery.errors import StoreError
from tickerq_celery.store.nodes.nodes import Node
from tickerq_celery.tickers.node_views import consumed_queues
from tickerq_celery.worker.enrolment import enrol
from tickerq_celery.worker.heartbeat import Heartbeat
from tickerq_celery.worker.held_requests import held_claims

LEASE = timedelta(seconds=30)


@pytest.fixture
def core(core: Core) -> Core:
    """A core whose function a live worker has."""
    return enrolled(core)


def present(core: Core) -> list[Node]:
    return core.read(nodes.list_nodes)


def beat(core: Core) -> bool:
    return core.write(nodes.beat, core.node.id)


class Watch:
    """An observer with its own monotonic time."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._observer = LivenessObserver(LEASE)

    def dead(self) -> list[UUID]:
        found = self._observer.dead_among(present(self._core), monotonic=self._core.clock.monotonic())
        return [node.id for node in found]

    def dead_after(self, clock: ManualClock, seconds: float) -> list[UUID]:
        """Let this time pass, looking four times, the last time at the end."""
        for _ in range(3):
            clock.advance(seconds=seconds / 4)
            self.dead()
        clock.advance(seconds=seconds / 4)
        return self.dead()


class Worker:
    """A worker's heartbeat, with the task ids that its process has and the runs it misses."""

    def __init__(self, core: Core) -> None:
        self.held: set[str] = set()
        self.missed: list[Started] = []
        self.asked: list[Started] = []
        self._core = core
        self.presence = NodeRegistration(worker_profile(core))
        self.heartbeat = Heartbeat(
            core,
            self.presence,
            held_claims=lambda: self.held,
            on_missing=self.missed.append,
            on_request=self.asked.append,
        )

    def beats(self, count: int) -> int:
        """Beat ``count`` times, and return how many runs were missed in all so far."""
        for _ in range(count):
            self.heartbeat.beat()
        return len(self.missed)

    def beats_after_a_reap(self, count: int) -> None:
        """Lose the row to an observer that took this worker for dead, and beat on."""
        self._core.write(nodes.remove, self._core.node.id)
        self.beats(count)


def test_a_node_is_dead_when_its_counter_was_unchanged_for_one_lease(core: Core, clock: ManualClock) -> None:
    watch = Watch(core)
    assert watch.dead() == []
    assert watch.dead_after(clock, 29.5) == []
    assert watch.dead_after(clock, 0.5) == [core.node.id]


def test_a_time_in_which_the_observer_could_not_look_makes_no_node_dead(
    core: Core, clock: ManualClock
) -> None:
    watch = Watch(core)
    watch.dead()
    clock.advance(minutes=10)
    assert watch.dead() == []
    clock.advance(seconds=10)
    beat(core)
    assert watch.dead_after(clock, 29) == []


def test_an_observer_that_has_just_begun_takes_no_node_for_dead(core: Core, clock: ManualClock) -> None:
    clock.advance(days=2)
    assert Watch(core).dead() == []


def test_a_heartbeat_begins_the_lease_anew(core: Core, clock: ManualClock) -> None:
    watch = Watch(core)
    watch.dead()
    assert watch.dead_after(clock, 29) == []
    beat(core)
    assert watch.dead() == []
    assert watch.dead_after(clock, 29) == []


@pytest.mark.parametrize("step", [timedelta(hours=5), timedelta(hours=-5)])
def test_a_step_of_the_wall_clock_makes_no_node_dead(core: Core, clock: ManualClock, step: timedelta) -> None:
    watch = Watch(core)
    watch.dead()
    clock.set(clock.now() + step)
    assert watch.dead() == []
    beat(core)
    assert watch.dead() == []


def test_a_dead_node_stays_dead_though_the_wall_clock_stepped_back(core: Core, clock: ManualClock) -> None:
    watch = Watch(core)
    watch.dead()
    watch.dead_after(clock, 29)
    clock.advance(seconds=1)
    clock.set(clock.now() - timedelta(hours=5))
    assert watch.dead() == [core.node.id]


def test_a_node_that_left_and_came_back_gets_a_whole_lease(core: Core, clock: ManualClock) -> None:
    watch = Watch(core)
    watch.dead()
    core.write(nodes.remove, core.node.id)
    watch.dead_after(clock, 20)
    enrolled(core)
    assert watch.dead_after(clock, 20) == []


def test_a_dead_nodes_row_stays_when_it_has_beaten_since(core: Core) -> None:
    (seen,) = present(core)
    beat(core)
    assert core.write(nodes.remove_dead, seen, found_by="beat") is False
    (seen,) = present(core)
    assert core.write(nodes.remove_dead, seen, found_by="beat") is True
    assert present(core) == []


def test_a_node_that_was_reaped_registers_anew_with_its_next_beat(core: Core) -> None:
    core.write(nodes.remove, core.node.id)
    assert beat(core) is False
    Worker(core).beats(1)
    (node,) = present(core)
    assert (node.id, node.queues, node.prefetch) == (core.node.id, ("celery",), MANY_MESSAGES)


def test_a_node_that_was_reaped_alive_keeps_the_moment_of_its_first_start(
    core: Core, clock: ManualClock
) -> None:
    worker = Worker(core)
    enrol(core, worker.presence)
    for _ in range(2):
        clock.advance(minutes=1)
        worker.beats_after_a_reap(1)
        (node,) = present(core)
        assert (node.started_at, node.seen_at) == (START, clock.now())


def test_a_node_that_registered_again_is_alive_to_those_who_did_not_see_it_reaped(
    core: Core, clock: ManualClock
) -> None:
    worker, watch = Worker(core), Watch(core)
    enrol(core, worker.presence)
    worker.beats(1)
    watch.dead()
    assert watch.dead_after(clock, 29) == []
    (seen,) = present(core)
    # As many signs of life as the row had that was reaped.
    worker.beats_after_a_reap(2)
    clock.advance(seconds=1)
    assert watch.dead() == []
    assert core.write(nodes.remove_dead, seen, found_by="beat") is False


def test_a_sign_of_life_whose_commit_failed_is_counted_all_the_same(core: Core) -> None:
    worker = Worker(core)
    enrol(core, worker.presence)
    worker.beats(1)
    (before,) = present(core)

    def fail(tx: Transaction) -> None:
        worker.presence.beat(tx)
        raise StoreError("gone")

    with pytest.raises(StoreError):
        core.write(fail)
    worker.beats_after_a_reap(1)
    (node,) = present(core)
    assert node.counter > before.counter + 1


def test_a_node_is_seen_in_its_own_namespace_only(make_core: Callable[..., Core], namespace: str) -> None:
    enrolled(make_core(namespace=f"{namespace}-b"))
    assert present(make_core()) == []


def test_a_run_that_its_worker_does_not_have_is_missed_after_two_beats_in_a_row(core: Core) -> None:
    run_id = make_run(core)
    started(core, run_id)
    worker = Worker(core)
    assert worker.beats(1) == 0
    assert worker.beats(1) == 1
    assert worker.missed[0].id == run_id


def test_a_run_that_its_worker_has_is_not_missed(core: Core) -> None:
    run = started(core, make_run(core))
    worker = Worker(core)
    worker.held = {f"{run.id}:{run.claim_no}"}
    assert worker.beats(3) == 0


def test_a_run_that_was_missing_for_one_beat_only_is_not_missed(core: Core) -> None:
    run = started(core, make_run(core))
    worker = Worker(core)
    for _ in range(3):
        worker.held = set()
        worker.beats(1)
        worker.held = {f"{run.id}:{run.claim_no}"}
        worker.beats(1)
    assert worker.missed == []


def test_a_run_that_ended_between_two_beats_is_not_missed(core: Core) -> None:
    run = started(core, make_run(core))
    worker = Worker(core)
    worker.beats(1)
    finish(core, run, succeeded(run.standing))
    assert worker.beats(2) == 0


def test_a_message_of_an_older_claim_does_not_hide_a_lost_run(core: Core) -> None:
    run = started(core, make_run(core))
    worker = Worker(core)
    worker.held = {f"{run.id}:{run.claim_no - 1}"}
    assert worker.beats(2) == 1


def nothing() -> None: ...


def becoming_a_node(tickerq: TickerQ) -> None:
    """Do what a worker of this app does first."""
    for step in tickerq.app.steps["worker"]:
        step(SimpleNamespace(pool_cls=TaskPool, time_limit=None, hostname="w1@shop"))


def test_workers_that_a_script_forks_are_nodes_of_their_own(store_url: str, namespace: str) -> None:
    with ticker_app(store_url, namespace) as tickerq:
        of_the_script = replace(tickerq.core, node=replace(tickerq.core.node, pid=1))
        names = {of_the_script.node.name}
        for _ in range(2):
            tickerq._process.rebuild(of_the_script)
            becoming_a_node(tickerq)
            run = add_run(tickerq, nothing)
            execute(tickerq)
            (attempt,) = tickerq.runs.get(run.id).attempts
            assert (tickerq.core.node.pid, tickerq.core.node.name) == (os.getpid(), attempt.node)
            names.add(attempt.node)
        assert len(names) == 3


def test_a_worker_has_its_own_name_and_one_that_was_not_forked_keeps_its_id(
    store_url: str, namespace: str
) -> None:
    with ticker_app(store_url, namespace, node_identifier=None) as tickerq:
        before = tickerq.core
        becoming_a_node(tickerq)
        assert tickerq.core.node.id == before.node.id
        assert tickerq.core.node.name.startswith("w1@shop:")
    with ticker_app(store_url, namespace, node_identifier="eu") as tickerq:
        becoming_a_node(tickerq)
        assert tickerq.core.node.name.startswith("eu@")


class Request:
    """All that Celery's bookkeeping asks of a request."""

    def __init__(self, task_id: str) -> None:
        self.id = task_id
        self.name = "tickerq.Send"
        self.request_dict: dict[str, object] = {}


@pytest.mark.parametrize("step", [state.task_reserved, state.task_accepted])
def test_a_second_message_of_a_claim_that_is_dropped_does_not_hide_the_running_one(
    step: Callable[[Request], None],
) -> None:
    running, second = Request("a:1"), Request("a:1")
    step(running)
    state.task_reserved(second)
    state.task_ready(second)
    assert "a:1" in held_claims()
    state.task_ready(running)
    assert "a:1" not in held_claims()


def test_a_request_that_comes_meanwhile_does_not_keep_a_worker_from_naming_what_it_has(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Changing(list[Request]):
        has_changed = False

        def __iter__(self) -> Iterator[Request]:
            if not self.has_changed:
                self.has_changed = True
                raise RuntimeError("Set changed size during iteration")
            return super().__iter__()

    monkeypatch.setattr(state, "active_requests", Changing([Request("a:1")]))
    assert "a:1" in held_claims()


def test_a_worker_that_leaves_takes_its_row_along(core: Core) -> None:
    Worker(core).heartbeat.leave()
    assert present(core) == []


def test_a_worker_that_leaves_runs_behind_keeps_its_row_so_that_they_are_found(core: Core) -> None:
    started(core, make_run(core))
    Worker(core).heartbeat.leave()
    assert [node.id for node in present(core)] == [core.node.id]


def test_a_worker_that_stops_says_since_when_and_takes_no_more_runs(core: Core, clock: ManualClock) -> None:
    worker = Worker(core)
    worker.heartbeat.beat()
    [node] = present(core)
    assert node.takes_runs
    assert core.read(nodes.worker_hashes)
    assert consumed_queues([node]) == {"celery"}

    worker.heartbeat.stop()
    worker.heartbeat.beat()
    stopped_at = clock.now()
    clock.advance(seconds=10)
    worker.heartbeat.beat()
    [node] = present(core)
    assert (node.takes_runs, node.stopping_since) == (False, stopped_at)
    assert core.read(nodes.worker_hashes) == frozenset()
    assert consumed_queues([node]) == frozenset()


def test_a_worker_that_stops_goes_on_to_say_so_when_it_registers_again(core: Core) -> None:
    worker = Worker(core)
    worker.heartbeat.stop()
    worker.beats_after_a_reap(2)
    assert [node.takes_runs for node in present(core)] == [False]


def test_a_worker_that_stops_is_alive_and_so_are_its_runs(core: Core, clock: ManualClock) -> None:
    worker, watch = Worker(core), Watch(core)
    run = started(core, make_run(core))
    worker.held = {f"{run.id}:1"}
    worker.heartbeat.stop()
    for _ in range(10):
        clock.advance(seconds=10)
        assert worker.beats(1) == 0
        assert watch.dead() == []
