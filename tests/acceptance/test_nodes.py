"""What real workers and beats say of themselves, and what is known of one that is stopped and goes on."""

import signal
from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.acceptance.jobs import Jobs, due_in
from tests.acceptance.pairs import on_files
from tests.acceptance.waiting import wait_until
from tests.thoroughness import in_verify
from tickerq_celery.enums import NodeKind
from tickerq_celery.views import NodeState, NodeView

pytestmark = pytest.mark.acceptance
QUICK = {"heartbeat": 0.5, "lease": 4.0, "poll_interval": 0.2}
# Less than an interpreter with Celery and SQLAlchemy holds, in bytes.
ONE_PROCESS = 20_000_000


def one(jobs: Jobs, kind: NodeKind) -> NodeView | None:
    return next(iter(jobs.tickerq.nodes.find(kind=kind)), None)


def is_now(jobs: Jobs, kind: NodeKind, state: NodeState) -> bool:
    node = one(jobs, kind)
    return node is not None and node.state is state


@on_files
def test_a_worker_and_a_beat_say_what_they_are_and_what_they_do(
    make_jobs: Callable[..., Jobs], store_url: str, broker_url: str
) -> None:
    jobs = make_jobs(store_url, broker_url, **QUICK)
    jobs.worker(pool="prefork", concurrency=2)
    jobs.beat()
    beat = wait_until(
        lambda: next((each for each in jobs.tickerq.nodes.find(kind="beat") if each.ticked_at), None),
        jobs.logs,
    )
    # In a moment, so that the beat claims them, and not the process that adds them.
    jobs.wait_for_all(jobs.add_many(3, execution_time=due_in(0.5)))
    wait_until(lambda: is_now(jobs, NodeKind.WORKER, NodeState.ALIVE), jobs.logs)
    worker = one(jobs, NodeKind.WORKER)
    assert worker is not None
    assert (worker.pool, worker.concurrency) == ("prefork", 2)
    assert (worker.ticked_at, worker.claimed) == (None, None)
    assert worker.memory is not None
    # Of two children, too.
    assert worker.memory > 3 * ONE_PROCESS
    assert (beat.pool, beat.concurrency, beat.running) == (None, None, 0)
    assert beat.memory is not None
    assert beat.memory > ONE_PROCESS
    assert beat.ticked_at is not None
    assert timedelta(0) <= beat.seen_at - beat.ticked_at < timedelta(seconds=30)
    first = beat.ticked_at

    def has_gone_on() -> bool:
        now = one(jobs, NodeKind.BEAT)
        return now is not None and now.ticked_at is not None and now.ticked_at > first and now.claimed == 3

    wait_until(has_gone_on, jobs.logs)
    assert abs(beat.clock_offset) < timedelta(seconds=5)
    assert [each.nodes for each in jobs.tickerq.functions.find(prefix="Plain", limit=1)] == [(worker.name,)]


@on_files
@pytest.mark.parametrize("pool", ["solo", in_verify("threads"), in_verify("gevent"), in_verify("eventlet")])
def test_a_worker_that_is_stopped_is_silent_then_lost_and_back_when_it_goes_on(
    make_jobs: Callable[..., Jobs], store_url: str, broker_url: str, pool: str
) -> None:
    jobs = make_jobs(store_url, broker_url, **QUICK)
    worker = jobs.worker(pool=pool, concurrency=1)
    jobs.beat()
    wait_until(lambda: is_now(jobs, NodeKind.BEAT, NodeState.ALIVE), jobs.logs)
    before = one(jobs, NodeKind.WORKER)
    assert before is not None
    assert before.pool == pool
    worker.signal(signal.SIGSTOP)
    wait_until(lambda: is_now(jobs, NodeKind.WORKER, NodeState.SILENT), jobs.logs)
    [lost] = wait_until(jobs.tickerq.nodes.lost, jobs.logs)
    beat = one(jobs, NodeKind.BEAT)
    assert beat is not None
    assert (lost.name, lost.pid, lost.found_by, lost.returned_at) == (
        before.name, worker.pid, beat.name, None,
    )  # fmt: skip
    assert lost.found_at - lost.seen_at >= timedelta(seconds=QUICK["lease"]) - timedelta(seconds=1)
    assert one(jobs, NodeKind.WORKER) is None
    worker.signal(signal.SIGCONT)
    wait_until(lambda: is_now(jobs, NodeKind.WORKER, NodeState.ALIVE), jobs.logs)
    again = one(jobs, NodeKind.WORKER)
    assert again is not None
    assert (again.id, again.started_at) == (before.id, before.started_at)
    [lost] = jobs.tickerq.nodes.lost()
    assert lost.returned_at is not None
    jobs.wait_for_all(jobs.add_many(1))


@on_files
def test_a_beat_without_a_broker_beats_and_does_not_tick(
    make_jobs: Callable[..., Jobs], store_url: str, broker_url: str
) -> None:
    jobs = make_jobs(store_url, broker_url, **QUICK)
    unreachable = {"broker_url": "redis://127.0.0.1:1/0"}
    jobs.beat(celery=unreachable)
    wait_until(lambda: is_now(jobs, NodeKind.BEAT, NodeState.ALIVE), jobs.logs)
    started = one(jobs, NodeKind.BEAT)
    assert started is not None

    def has_beaten() -> NodeView | None:
        node = one(jobs, NodeKind.BEAT)
        return node if node is not None and node.seen_at - started.seen_at > timedelta(seconds=2) else None

    beaten = wait_until(has_beaten, jobs.logs)
    assert (beaten.state, beaten.ticked_at, beaten.claimed) == (NodeState.ALIVE, None, 0)
