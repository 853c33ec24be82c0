"""The app of processes under load: with a TickerQ, or plain Celery without.

BENCH_BROKER and BENCH_STORE say where; without BENCH_STORE nothing of ours is imported.
"""

import os
from datetime import timedelta

from celery import Celery

from benchmarks.load import FUNCTION, PLAIN_TASK

store = os.environ.get("BENCH_STORE")
app = Celery("load_app", broker=os.environ["BENCH_BROKER"], set_as_current=False)
app.conf.task_default_queue = "ours" if store else "plain"


def work(is_failing: bool) -> None:
    """Do nothing, or fail."""
    if is_failing:
        raise OSError("no route to the server")


if store:
    from tickerq_celery import TickerQ

    tickerq = TickerQ(app, store)
    tickerq.function(FUNCTION)(work)
else:
    app.task(name=PLAIN_TASK, ignore_result=True, shared=False)(work)
    app.conf.beat_schedule = {
        "idle": {"task": PLAIN_TASK, "schedule": timedelta(seconds=1), "args": (False,)}
    }
