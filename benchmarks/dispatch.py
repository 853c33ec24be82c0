"""How many due runs a second arrive in the broker, by a beat that ticks in this process."""

import time
import uuid
from contextlib import closing
from datetime import UTC, datetime, timedelta

from celery import Celery

from benchmarks.claims import take_from_queue
from benchmarks.end_to_end import add
from benchmarks.measured import Measured, rate
from benchmarks.noop_app import noop_app
from benchmarks.subjects import OURS
from tickerq_celery.enums import NodeKind
from tickerq_celery.runtime.node import NodeRegistration, profile
from tickerq_celery.scheduler import TickerScheduler
from tickerq_celery.worker.enrolment import enrol

# Enough to add them before they are due.
AHEAD_SECONDS = 1.5
MOST_SECONDS = 50.0


def measure(*, count: int, store_url: str, broker_url: str, case: str = "Redis") -> tuple[Measured, ...]:
    """Let ``count`` runs be due, and tick until all are in the queue."""
    queue = f"benchmarks-{uuid.uuid4().hex[:12]}"
    with closing(noop_app(store_url, broker_url, queue)) as tickerq:
        tickerq.create_schema()
        enrol(tickerq.core, NodeRegistration(profile(tickerq.core, NodeKind.WORKER, queues=[queue])))
        beat = TickerScheduler(tickerq.app)
        beat.tick()
        due = datetime.now(UTC) + timedelta(seconds=AHEAD_SECONDS)
        add(tickerq, count, due)
        time.sleep(max(0.0, (due - datetime.now(UTC)).total_seconds()))
        began, seconds, there = time.perf_counter(), 0.0, 0
        while there < count and time.perf_counter() - began < MOST_SECONDS:
            before = time.perf_counter()
            beat.tick()
            seconds += time.perf_counter() - before
            # As workers do, beside the time that is measured: a queue that is full takes no more.
            take_from_queue(tickerq.core)
            there = arrived(tickerq.app, queue)
        beat.close()
        delete(tickerq.app, queue)
    return (rate(OURS, "dispatched", count=there, seconds=seconds, case=case),)


def arrived(app: Celery, queue: str) -> int:
    """Return how many messages are in the queue, as the broker counts them."""
    with app.connection_for_read() as connection:
        # As Celery declares it; Redis knows no empty queue, so that it cannot be asked for one.
        declared = connection.default_channel.queue_declare(queue, durable=True, auto_delete=False)
        return int(declared.message_count)


def delete(app: Celery, queue: str) -> None:
    """Delete the queue with what it holds."""
    with app.connection_for_write() as connection:
        connection.default_channel.queue_delete(queue)
