"""The app of a beat and a worker that benchmarks start: two functions that do nothing, or take their time."""

import os
import time

from celery import Celery

from tickerq_celery import TickerQ

BROKER, STORE, POLL = "BENCHMARK_BROKER", "BENCHMARK_STORE", "BENCHMARK_POLL"
# How many seconds a run of the crowd takes.
BODY = "BENCHMARK_BODY"
CROWD, OTHER = "Crowd", "Other"


def make(*, broker_url: str, store_url: str, poll_interval: float = 1.0) -> TickerQ:
    """Return a TickerQ with both functions on Celery's default queue."""
    app = Celery("fleet", broker=broker_url, set_as_current=False)
    app.conf.update(tickerq_poll_interval=poll_interval, worker_hijack_root_logger=False)
    tickerq = TickerQ(app, store_url)
    tickerq.function(CROWD)(crowd)
    tickerq.function(OTHER)(lambda: None)
    return tickerq


def crowd() -> None:
    """Take as long as the environment says."""
    time.sleep(float(os.environ.get(BODY, "0")))


if POLL in os.environ:
    app = make(
        broker_url=os.environ[BROKER],
        store_url=os.environ[STORE],
        poll_interval=float(os.environ[POLL]),
    ).app
