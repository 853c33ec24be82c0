"""Raw Celery: a worker that executes calls of a task that does nothing while they are published."""

import os
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from benchmarks.measured import Measured, rate
from benchmarks.peers.celery_app import TASK, plain_app
from benchmarks.processes import running, wait_for

SUBJECT = "raw Celery"
WORKER = ("celery", "-A", "benchmarks.peers.worker_app", "worker", "-c", "2", "--loglevel", "WARNING")
WARM_UP = 50


def execute(*, count: int, broker_url: str) -> tuple[Measured, ...]:
    """Publish in a loop to a warm worker with two children, and wait for the last call."""
    with ExitStack() as stack:
        calls = Path(stack.enter_context(tempfile.TemporaryDirectory()), "calls")
        calls.touch()
        os.environ["BENCHMARK_CALLS"] = str(calls)
        app = plain_app(broker_url)
        stack.enter_context(running(*WORKER, environment={"BENCHMARK_BROKER_URL": broker_url}))
        task = app.tasks[TASK]
        for _ in range(WARM_UP):
            task.apply_async()
        wait_for(lambda: calls.stat().st_size, WARM_UP, look_every=0.02)
        began = time.perf_counter()
        for _ in range(count):
            task.apply_async()
        made = wait_for(lambda: calls.stat().st_size, WARM_UP + count, look_every=0.005) - WARM_UP
        seconds = time.perf_counter() - began
    return (rate(SUBJECT, "executed", count=made, seconds=seconds, case="Redis"),)
