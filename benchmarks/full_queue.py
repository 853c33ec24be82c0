"""How many no-op runs a second a worker executes whose messages wait already, and what each costs in CPU.

Celery's own tasks are measured in the same way, with two children. What is done is counted: in the store the
ends, in Celery's queue what is gone from it.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from uuid import uuid4

import psutil
from celery import Celery
from redis import Redis
from sqlalchemy import func, select

from benchmarks import full_queue_app
from benchmarks.dispatch import arrived
from benchmarks.measured import Measured, Unit, rate
from benchmarks.processes import end
from benchmarks.subjects import OURS
from tests.integration.apps import dispatch_due, enrol_worker
from tests.tables import tickers
from tickerq_celery import TickerQ, TimeTicker

CHILDREN = 2
_ADDED_AT_ONCE = 1_000
# Until then a worker starts its children, and they open their connections.
_WARM = 0.2
_LOOK = 0.02
_LONGEST = 60
_LEAN = ("--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "INFO")


def measure(*, count: int, store_url: str, broker_url: str, case: str) -> tuple[Measured, ...]:
    """Return how fast no-op runs end whose messages wait already; ``case`` names the database."""
    queue = f"full-queue-{uuid4().hex[:8]}"
    app = full_queue_app.celery_app(broker_url, queue)
    with closing(full_queue_app.with_tickers(app, store_url)) as tickerq:
        tickerq.create_schema()
        enrol_worker(tickerq)
        batch = [TimeTicker(function=full_queue_app.FUNCTION)] * _ADDED_AT_ONCE
        for first in range(0, count, len(batch)):
            tickerq.time_tickers.add_batch(batch[: count - first])
        # A queue takes no more than its bound.
        count = _filled(tickerq, queue)
        worked = _worked(app, queue, store_url, count, partial(_ended, tickerq))
        return worked.measured(OURS, case)


def measure_tasks(*, count: int, broker_url: str) -> tuple[Measured, ...]:
    """Return how fast no-op tasks of Celery end whose messages wait already."""
    queue = f"full-queue-{uuid4().hex[:8]}"
    app = full_queue_app.celery_app(broker_url, queue)
    with app.producer_or_acquire() as producer:
        for _ in range(count):
            app.send_task(full_queue_app.TASK, producer=producer, ignore_result=True)
    with Redis.from_url(broker_url) as redis:
        # A worker takes some before it executes them: too few to matter.
        worked = _worked(app, queue, "", count, lambda: count - redis.llen(queue))
        return worked.measured("raw Celery", "no store")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Worked:
    """What a worker executed in some seconds, and the CPU seconds of its children and its main process."""

    executed: int
    seconds: float
    children: float
    main: float

    def measured(self, subject: str, case: str) -> tuple[Measured, ...]:
        cpu = {"CPU of a child, a run": self.children, "CPU of the main process, a run": self.main}
        return (
            rate(subject, "executed", count=self.executed, seconds=self.seconds, case=case),
            *(
                Measured(
                    subject=subject,
                    quantity=quantity,
                    value=seconds / self.executed * 1000,
                    unit=Unit.MILLISECONDS,
                    case=case,
                )
                for quantity, seconds in cpu.items()
            ),
        )


def _filled(tickerq: TickerQ, queue: str) -> int:
    """Dispatch until that brings no more messages, and return how many of any priority there are."""
    before, there = -1, 0
    while there > before:
        dispatch_due(tickerq)
        before, there = there, arrived(tickerq.app, queue)
    return there


def _ended(tickerq: TickerQ) -> int:
    statement = select(func.count()).select_from(tickers).where(tickers.c.ended_at.is_not(None))
    return tickerq.core.database.read(lambda connection: connection.scalar(statement)) or 0


def _worked(app: Celery, queue: str, store_url: str, count: int, done: Callable[[], int]) -> _Worked:
    with _worker(app, queue, store_url) as worker:
        first = _reached(done, round(count * _WARM))
        began, children, main = time.monotonic(), _cpu(worker.children()), _cpu([worker])
        last = _reached(done, count)
        return _Worked(
            executed=last - first,
            seconds=time.monotonic() - began,
            children=_cpu(worker.children()) - children,
            main=_cpu([worker]) - main,
        )


@contextmanager
def _worker(app: Celery, queue: str, store_url: str) -> Iterator[psutil.Process]:
    environ = {
        **os.environ,
        full_queue_app.BROKER: app.conf.broker_url,
        full_queue_app.QUEUE: queue,
        full_queue_app.STORE: store_url,
    }
    command = [
        sys.executable,
        "-m",
        "celery",
        "-A",
        "benchmarks.full_queue_app",
        "worker",
        "-c",
        str(CHILDREN),
    ]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen([*command, *_LEAN], env=environ, stdout=log, stderr=log, process_group=0)
        try:
            yield psutil.Process(process.pid)
        finally:
            end(process)


def _reached(done: Callable[[], int], wanted: int) -> int:
    until = time.monotonic() + _LONGEST
    while (count := done()) < wanted:
        if time.monotonic() > until:
            raise TimeoutError(f"{count} of {wanted} were executed in {_LONGEST} s")
        time.sleep(_LOOK)
    return count


def _cpu(processes: list[psutil.Process]) -> float:
    return sum(times.user + times.system for times in (each.cpu_times() for each in processes))
