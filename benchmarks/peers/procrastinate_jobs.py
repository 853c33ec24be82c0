"""procrastinate: adding jobs in bulk, and a worker that executes them."""

import os
import time
from contextlib import ExitStack
from types import ModuleType

import psycopg

from benchmarks.measured import Measured, rate
from benchmarks.processes import running, wait_for

SUBJECT = "procrastinate"
WORKER = ("procrastinate", "--app", "benchmarks.peers.procrastinate_app.app", "worker")
CONCURRENCY = 2
WARM_UP = 50


def bulk_add(*, count: int, store_url: str) -> tuple[Measured, ...]:
    """Add jobs by one ``batch_defer``."""
    jobs = made(store_url)
    with jobs.app.open():
        mails = [_mail(number) for number in range(count)]
        began = time.perf_counter()
        jobs.mail.batch_defer(*mails)
        seconds = time.perf_counter() - began
    added = number_of_jobs(jobs.CONNINFO, "todo")
    return (rate(SUBJECT, "added", count=added, seconds=seconds, case="PostgreSQL"),)


def execute(*, count: int, store_url: str, processes: int = 1) -> tuple[Measured, ...]:
    """Defer jobs in bulk to warm workers, two at a time in all; wait until the last has succeeded."""
    jobs = made(store_url)
    environment = {"BENCHMARK_WORKER": "1"}
    arguments = (*WORKER, "--concurrency", str(CONCURRENCY // processes))
    with ExitStack() as stack:
        for _ in range(processes):
            stack.enter_context(running(*arguments, environment=environment))
        connection = stack.enter_context(psycopg.connect(jobs.CONNINFO, autocommit=True))
        stack.enter_context(jobs.app.open())

        def done() -> int:
            return count_in(connection, "succeeded")

        jobs.noop.batch_defer(*[{"number": number} for number in range(WARM_UP)])
        wait_for(done, WARM_UP, look_every=0.05)
        began = time.perf_counter()
        jobs.noop.batch_defer(*[{"number": number} for number in range(count)])
        executed = wait_for(done, WARM_UP + count, look_every=0.05) - WARM_UP
        seconds = time.perf_counter() - began
    workers = "one process" if processes == 1 else f"{processes} processes"
    return (rate(f"{SUBJECT}, {workers}", "executed", count=executed, seconds=seconds, case="PostgreSQL"),)


def made(store_url: str) -> ModuleType:
    """Return the module with the app, its tables made."""
    os.environ["BENCHMARK_STORE_URL"] = store_url
    from benchmarks.peers import procrastinate_app  # it reads the address when it is imported

    with procrastinate_app.app.open():
        procrastinate_app.app.schema_manager.apply_schema()
    return procrastinate_app


def _mail(number: int) -> dict[str, object]:
    """Return the arguments of a job: the request of about 100 bytes that our tickers have, too."""
    subject = "Your weekly summary is ready for you"
    return {
        "user_id": number,
        "address": f"user{number}@example.org",
        "subject": subject,
        "is_urgent": False,
    }


def number_of_jobs(conninfo: str, status: str) -> int:
    with psycopg.connect(conninfo) as connection:
        return count_in(connection, status)


def count_in(connection: psycopg.Connection, status: str) -> int:
    """Return how many jobs have a status."""
    query = "SELECT count(*) FROM procrastinate_jobs WHERE status = %s::procrastinate_job_status"
    row = connection.execute(query, [status]).fetchone()
    assert row is not None
    return int(row[0])
