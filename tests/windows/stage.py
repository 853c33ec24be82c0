"""The processes and runs of a window's test."""

import signal
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from types import MappingProxyType
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from tests.acceptance.jobs import Jobs
from tests.acceptance.processes import CeleryProcess
from tests.acceptance.waiting import wait_until
from tests.inner import Claim
from tests.soak import body_file
from tests.tables import nodes, tickers
from tests.windows.outages import is_write_locked
from tests.windows.traps import Trap, wait_until_stopped
from tickerq_celery.broker.publisher import CeleryPublisher

QUICK: Mapping[str, object] = {
    "poll_interval": 0.2,
    "heartbeat": 0.3,
    # Long: a process that only stalls, as it may on a busy machine, must not be taken for dead.
    "lease": 60.0,
    "publish_check": 0.5,
    "republish_after": 1.0,
}
# For tests in which a node has to be found dead.
SHORT_LEASE = 2.0
# What else a worker does beside its messages takes time.
_LEAN = ("--without-gossip", "--without-heartbeat")


def start_worker(
    jobs: Jobs,
    *arguments: str,
    trap: Trap | None = None,
    pool: str = "solo",
    celery: Mapping[str, object] | None = None,
    clock_offset: float = 0,
    **options: Any,
) -> CeleryProcess:
    """Start a worker that runs one body at a time, and do not wait for it."""
    return jobs.worker(
        *_LEAN,
        *arguments,
        pool=pool,
        concurrency=1,
        ready=False,
        celery=_celery(jobs, celery or {}),
        environ={"JOB_POOL_UPKEEP": "0.3", "JOB_CLOCK_OFFSET": str(clock_offset)},
        **_set(trap),
        **options,
    )


def start_beat(
    jobs: Jobs, *, trap: Trap | None = None, clock_offset: float = 0, **options: Any
) -> CeleryProcess:
    """Start a beat, and do not wait for it."""
    environ = {"JOB_CLOCK_OFFSET": str(clock_offset)}
    return jobs.beat(ready=False, celery=_celery(jobs), environ=environ, **_set(trap), **options)


def start_adder(jobs: Jobs, *, trap: Trap) -> CeleryProcess:
    """Start a process that adds one run and ends."""
    return jobs.script("tests.windows.adding", celery=_celery(jobs), **_set(trap))


def start_canceller(jobs: Jobs, run_id: UUID, *, trap: Trap) -> CeleryProcess:
    """Start a process that cancels one run and ends."""
    environ = {"JOB_CANCEL": str(run_id)}
    return jobs.script("tests.windows.cancelling", celery=_celery(jobs), environ=environ, **_set(trap))


def start_pruner(jobs: Jobs, archive: Path, *, trap: Trap) -> CeleryProcess:
    """Start a process that prunes and ends."""
    environ = {"JOB_ARCHIVE": str(archive)}
    return jobs.script("tests.windows.pruning", celery=_celery(jobs), environ=environ, **_set(trap))


def start_hand_back(jobs: Jobs, *, trap: Trap | None = None) -> CeleryProcess:
    """Start the command that hands all calls back to Celery."""
    return jobs.start_command("hand-back", "--apply", celery=_celery(jobs), **_set(trap))


def _set(trap: Trap | None) -> dict[str, str]:
    return {} if trap is None else {"failpoint": trap.text}


def _celery(jobs: Jobs, more: Mapping[str, object] = MappingProxyType({})) -> dict[str, object]:
    return {
        # How long Celery waits before it believes that a child is lost.
        "worker_lost_wait": 0.5,
        "worker_enable_remote_control": False,
        # Tests share a virtual host of RabbitMQ, as making one takes seconds.
        "task_default_queue": jobs.namespace,
        **more,
    }


def wait_for_nodes(jobs: Jobs, *, workers: int = 0, beats: int = 0) -> None:
    """Return once so many workers and beats have given a sign of life that is not their first."""
    statement = (
        select(nodes.c.kind, func.count())
        .where(nodes.c.namespace == jobs.namespace, nodes.c.counter > 0)
        .group_by(nodes.c.kind)
    )

    def are_there() -> bool:
        rows = jobs.tickerq.core.database.read(lambda connection: connection.execute(statement).all())
        counts = dict(map(tuple, rows))
        return counts.get("worker", 0) >= workers and counts.get("beat", 0) >= beats

    wait_until(are_there, jobs.logs)


def add(
    jobs: Jobs, count: int = 1, request: object = None, *, function: str = "Traced", **options: Any
) -> list[UUID]:
    """Store runs, which have one retry, in one transaction, and return their ids."""
    return jobs.add_many(
        count, function=function, request=request, **{"retries": 1, "retry_intervals": [0.2], **options}
    )


def with_children(jobs: Jobs, *run_ids: UUID) -> list[UUID]:
    """Return the ids of runs, and of their children."""
    find = jobs.tickerq.time_tickers.find
    return [*run_ids, *(child.id for run_id in run_ids for child in find(parent_id=run_id))]


def publish_again(jobs: Jobs, run_id: UUID, *, times: int = 1) -> None:
    """Send the message of a run's first claim, as a broker does that delivers it more than once."""
    with closing(_publisher(jobs)) as publisher:
        for _ in range(times):
            publisher.publish(Claim(id=run_id, number=1, function="Traced", queue=None))


def messages_in_queue(jobs: Jobs) -> int | None:
    """Return how many messages wait in the queue of the test."""
    with closing(_publisher(jobs)) as publisher:
        return publisher.queue_size(jobs.namespace)


def _publisher(jobs: Jobs) -> CeleryPublisher:
    core = jobs.tickerq.core
    publisher = CeleryPublisher(jobs.tickerq.app, core.codec, lease=core.config.lease, connect_timeout=5)
    publisher.connect()
    return publisher


def wait_for_start(jobs: Jobs, run_id: UUID, *, claim_no: int) -> None:
    """Return once the body of a claim has begun."""
    wait_until(lambda: jobs.notes(f"{body_file.START} {run_id} {claim_no} "), jobs.logs)


def freeze(jobs: Jobs, process: CeleryProcess) -> None:
    """Stop a process with SIGSTOP, at a moment at which it does not have the write lock of SQLite."""
    store_url = jobs.tickerq.core.config.store_url
    while True:
        process.signal(signal.SIGSTOP)
        wait_until_stopped(process)
        if not store_url.startswith("sqlite") or not is_write_locked(store_url):
            return
        process.signal(signal.SIGCONT)


def pass_all_messages(jobs: Jobs) -> None:
    """Return once the only worker has dealt with each message that was sent: one more run's comes last."""
    [last] = add(jobs)
    jobs.wait_for_status(last)


def assert_handler_was_called(jobs: Jobs, run_id: UUID, *, times: int, beat: CeleryProcess) -> None:
    """Check how often the exception handler was called for an ended run, once no call can be on its way."""
    word = f"handler {run_id} "
    wait_until(lambda: len(jobs.notes(word)) >= times, jobs.logs)
    assert beat.stop() == 0, beat.log
    pass_all_messages(jobs)
    assert len(jobs.notes(word)) == times, jobs.logs()


def wait_for_rest(jobs: Jobs) -> None:
    """Return once every run has ended."""
    wait_until(
        lambda: jobs.count() > 0 and jobs.count(tickers.c.ended_at.is_(None)) == 0,
        lambda: f"{jobs.count(tickers.c.ended_at.is_(None))} runs have not ended\n{jobs.logs()}",
    )
