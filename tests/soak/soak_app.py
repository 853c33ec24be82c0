"""The app of the soak's workers: bodies note their start and their end, and misbehave as they are asked to.

SOAK_STORE_URL, SOAK_BROKER_URL and SOAK_BODIES say where; SOAK_TICKERQ and SOAK_CELERY hold settings as JSON.
"""

import json
import os
import signal
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from celery import Celery, current_task

from tests.soak import body_file
from tests.soak.workload import LIMIT, Death
from tickerq_celery import TickerContext, TickerQ
from tickerq_celery.beat import rollup
from tickerq_celery.stats import rolling

# No process is stopped for so long within a transaction; and a minute shall hold many rounds.
rolling.HELD_BACK = timedelta(seconds=20)
rollup._IDLE = timedelta(seconds=2)
BODIES = Path(os.environ["SOAK_BODIES"])

app = Celery("soak", broker=os.environ["SOAK_BROKER_URL"])
app.conf.update(json.loads(os.environ["SOAK_CELERY"]))
tickerq = TickerQ(app, store_url=os.environ["SOAK_STORE_URL"], **json.loads(os.environ["SOAK_TICKERQ"]))


class PlannedFailure(Exception):  # noqa: N818 - it is no error
    """A body fails because it was asked to."""


@tickerq.function("Work")
def work(context: TickerContext[dict[str, Any]]) -> None:
    """Sleep, die or fail as the request says."""
    run_body(context)


@tickerq.function("Limited", max_concurrency=LIMIT)
def limited(context: TickerContext[dict[str, Any]]) -> None:
    """Do the same, with few others at once."""
    run_body(context)


@tickerq.function("Keyed")
def keyed(context: TickerContext[dict[str, Any]]) -> None:
    """Do the same, one at once for each concurrency key."""
    run_body(context)


def run_body(context: TickerContext[dict[str, Any]]) -> None:
    order = context.request
    note(context, body_file.START)
    time.sleep(order["sleep"])
    if order["death"] and claim_number() == 1:
        die(Death(order["death"]))
    if context.retry_count < order["fails"]:
        note(context, body_file.FAILED)
        raise PlannedFailure(f"attempt {context.retry_count} of {order['fails']} that fail")
    note(context, body_file.DONE)


def note(context: TickerContext[Any], word: str) -> None:
    body_file.append(BODIES, word, task_id=task_id(), function=context.function_name)


def claim_number() -> int:
    return int(task_id().partition(":")[2])


def task_id() -> str:
    """Return Celery's word for what runs: ``<ticker id>:<claim number>``."""
    return str(current_task.request.id)


def die(death: Death) -> None:
    """End the process in which the body runs: a child of the pool, or a worker with a pool of threads."""
    if death is Death.EXIT:
        os._exit(3)
    os.kill(os.getpid(), signal.SIGKILL)
