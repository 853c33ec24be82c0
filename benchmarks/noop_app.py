"""The app of the workers and beats that are measured: a function that does nothing."""

import os

from celery import Celery

from tickerq_celery import TickerContext, TickerQ

BROKER, STORE, QUEUE = "BENCHMARK_BROKER_URL", "BENCHMARK_STORE_URL", "BENCHMARK_QUEUE"
FUNCTION = "Nothing"


def noop_app(store_url: str, broker_url: str, queue: str) -> TickerQ:
    """Return a TickerQ with the function, whose runs go to a queue of their own."""
    made = Celery("benchmarks", broker=broker_url, set_as_current=False)
    made.conf.update(task_default_queue=queue, broker_connection_retry_on_startup=True)
    bound = TickerQ(made, store_url)
    bound.function(FUNCTION)(_nothing)
    return bound


def _nothing(context: TickerContext[None]) -> None:
    """Do nothing."""


if STORE in os.environ:
    tickerq = noop_app(os.environ[STORE], os.environ[BROKER], os.environ[QUEUE])
    app = tickerq.app
