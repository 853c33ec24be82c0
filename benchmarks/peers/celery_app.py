"""A plain Celery app with a task that does nothing, and the count of what its queue holds.

``BENCHMARK_QUEUE`` names the queue, since a given RabbitMQ has one virtual host for all; with
``BENCHMARK_CALLS`` each call appends a byte to that file, which costs two microseconds and no round trip.
"""

import os
import time
import uuid
from pathlib import Path

from celery import Celery
from kombu import Queue

QUEUE = os.environ.setdefault("BENCHMARK_QUEUE", f"benchmarks-{uuid.uuid4().hex[:12]}")
TASK = "benchmarks.noop"
ARRIVAL_SECONDS = 30.0
KEPT_SECONDS = 600


def plain_app(broker_url: str) -> Celery:
    """Return an app that stores no results, like the runs that it is compared with."""
    app = Celery("benchmarks", broker=broker_url, set_as_current=True)
    app.conf.update(
        task_ignore_result=True,
        task_default_queue=QUEUE,
        task_queues=[Queue(QUEUE, expires=KEPT_SECONDS)],
        broker_connection_retry_on_startup=True,
    )
    app.task(noop, name=TASK)
    return app


def noop() -> None:
    """Do nothing, and count the call if there is a file for it."""
    path = os.environ.get("BENCHMARK_CALLS")
    if path is not None:
        with Path(path).open("ab", buffering=0) as calls:
            calls.write(b".")


def arrived(app: Celery) -> int:
    """Return how many messages are in the queue, as the broker counts them."""
    with app.connection_for_read() as connection:
        declared = connection.default_channel.queue_declare(QUEUE, passive=True)
        return int(declared.message_count)


def wait_for_arrival(app: Celery, count: int) -> int:
    """Return how many messages are in the queue once they are ``count``, or at the latest after some time."""
    deadline = time.monotonic() + ARRIVAL_SECONDS
    while (there := arrived(app)) < count and time.monotonic() < deadline:
        time.sleep(0.005)
    return there


def delete_queue(app: Celery) -> None:
    """Delete the queue with what it holds."""
    with app.connection_for_write() as connection:
        connection.default_channel.queue_delete(QUEUE)
