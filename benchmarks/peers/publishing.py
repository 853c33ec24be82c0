"""Publishing alone: a loop with ``apply_async``, and what Redis takes from a pipeline."""

import time

from redis import Redis

from benchmarks.measured import Measured, rate
from benchmarks.peers.celery_app import QUEUE, TASK, delete_queue, plain_app, wait_for_arrival

LOOP = "apply_async loop"
PIPELINE = "LPUSH pipeline"


def loop(*, count: int, broker_url: str, confirmed: bool = False) -> tuple[Measured, ...]:
    """Publish messages one by one, on RabbitMQ confirmed by it or, as is Celery's default, not."""
    app = plain_app(broker_url)
    if confirmed:
        app.conf.broker_transport_options = {"confirm_publish": True}
    task = app.tasks[TASK]
    task.apply_async()  # connects, and declares the queue
    wait_for_arrival(app, 1)
    began = time.perf_counter()
    for _ in range(count):
        task.apply_async()
    seconds = time.perf_counter() - began
    there = wait_for_arrival(app, count + 1) - 1
    delete_queue(app)
    broker = "Redis" if broker_url.startswith("redis") else "RabbitMQ"
    subject = f"{LOOP}, confirmed" if confirmed else LOOP
    return (rate(subject, "dispatched", count=there, seconds=seconds, case=broker),)


def pipeline(*, count: int, broker_url: str) -> tuple[Measured, ...]:
    """Push copies of one ready message in one pipeline: no scheduler can be faster on this Redis."""
    app = plain_app(broker_url)
    app.tasks[TASK].apply_async()
    with Redis.from_url(broker_url) as redis:
        message = redis.rpop(QUEUE)
        pushes = redis.pipeline(transaction=False)
        began = time.perf_counter()
        for _ in range(count):
            pushes.lpush(QUEUE, message)
        pushes.execute()
        seconds = time.perf_counter() - began
        there = redis.llen(QUEUE)
    return (rate(PIPELINE, "dispatched", count=there, seconds=seconds, case="Redis"),)
