"""The application whose worker ``full_queue`` measures: a function and a task, both of which do nothing."""

import os

from celery import Celery

from tickerq_celery import TickerContext, TickerQ

BROKER, QUEUE, STORE = "BENCH_BROKER", "BENCH_QUEUE", "BENCH_STORE"
FUNCTION, TASK = "Nothing", "nothing"


def celery_app(broker_url: str, queue: str) -> Celery:
    """Return an app with the task alone."""
    made = Celery("full_queue", broker=broker_url)
    made.conf.task_default_queue = queue
    made.conf.worker_enable_remote_control = False
    made.task(name=TASK, ignore_result=True)(_do_nothing)
    return made


def with_tickers(made: Celery, store_url: str) -> TickerQ:
    """Give an app the function."""
    tickerq = TickerQ(made, store_url)
    tickerq.function(FUNCTION)(_nothing)
    return tickerq


def _do_nothing() -> None:
    pass


def _nothing(context: TickerContext[None]) -> None:
    pass


if BROKER in os.environ:
    app = celery_app(os.environ[BROKER], os.environ[QUEUE])
    if os.environ[STORE]:
        tickerq = with_tickers(app, os.environ[STORE])
