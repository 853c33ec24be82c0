"""The app of the worker that ``outbox`` measures: a task that says when it starts."""

import os
import time
from functools import cache
from typing import Any

from celery import Celery
from redis import Redis

from tickerq_celery import TickerQ

BROKER, STORE = "BENCH_BROKER", "BENCH_STORE"
TASK, STARTED = "outbox.start", "outbox-started"


def make(*, broker_url: str, store_url: str) -> TickerQ:
    """Return a TickerQ of an app with the task."""
    made = Celery("outbox", broker=broker_url, set_as_current=False)
    made.conf.worker_hijack_root_logger = False
    made.task(name=TASK, ignore_result=True, shared=False)(_start)
    return TickerQ(made, store_url)


@cache
def _redis() -> "Redis[Any]":
    return Redis.from_url(os.environ[BROKER])


def _start() -> None:
    _redis().rpush(STARTED, time.time())


if BROKER in os.environ:
    app = make(broker_url=os.environ[BROKER], store_url=os.environ[STORE]).app
