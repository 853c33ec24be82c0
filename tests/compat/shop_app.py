"""A team's Celery app of plain tasks, and the one line that makes it durable.

JOB_BROKER_URL and JOB_NOTES say where; JOB_CELERY holds Celery's settings and JOB_TICKERQ this package's, as
JSON. Without JOB_STORE_URL the line is left out, and the app is Celery's alone. With SHOP_NAMESPACED the
settings come from an object and begin with CELERY_, as Django's do; with SHOP_TRACKER Sentry's SDK writes its
events to that file, and with SHOP_TRACER a tracer adds to the headers of each call.
"""

import json
import os
import signal
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from celery import Celery

from tests.compat import lines
from tickerq_celery import TickerQ

NOTES = Path(os.environ["JOB_NOTES"])
STORE_URL = os.environ.get("JOB_STORE_URL", "")
TRACKER = os.environ.get("SHOP_TRACKER", "")
PREFIX = "CELERY"


def configure(shop: Celery, own: dict[str, Any]) -> dict[str, Any]:
    """Give the app its settings; return those that are left for TickerQ's keywords."""
    celery = {"broker_url": os.environ["JOB_BROKER_URL"], **json.loads(os.environ.get("JOB_CELERY", "{}"))}
    if "SHOP_NAMESPACED" not in os.environ:
        shop.config_from_object(celery)
        return own
    named = {**celery, **{f"tickerq_{name}": value for name, value in own.items()}}
    settings = {f"{PREFIX}_{name.upper()}": value for name, value in named.items()}
    shop.config_from_object(SimpleNamespace(**settings), namespace=PREFIX)
    return {}


if TRACKER:
    from tests.compat import tracker  # it imports every pool's library, if it is installed

    tracker.start(Path(TRACKER))
app = Celery("shop")
if "SHOP_TRACER" in os.environ:
    from tests.compat import tracker

    tracker.trace(app)
keywords = configure(app, json.loads(os.environ.get("JOB_TICKERQ", "{}")))
tickerq = TickerQ(app, STORE_URL, **keywords) if STORE_URL else None


def note(task: Any, *words: object) -> None:
    """Write down that a body begins: under which name, task id and number of retries."""
    lines.append(NOTES, " ".join(map(str, (task.name, task.request.id, task.request.retries, *words))))


@app.task(bind=True, name="shop.add")
def add(self: Any, x: int, y: int) -> int:
    note(self)
    return x + y


@app.task(bind=True, name="shop.tick")
def tick(self: Any) -> None:
    note(self)


@app.task(bind=True, name="shop.decline")
def decline(self: Any, reason: str) -> None:
    note(self)
    raise LookupError(reason)


@app.task(bind=True, name="shop.charge", max_retries=3)
def charge(self: Any, waits: list[float]) -> str:
    """Be refused as often as there are waits, and be retried by Celery after each."""
    note(self)
    if self.request.retries < len(waits):
        raise self.retry(exc=TimeoutError("no answer yet"), countdown=waits[self.request.retries])
    return "charged"


@app.task(bind=True, name="shop.pack")
def pack(self: Any, order: str, seconds: float = 0) -> None:
    note(self, order)
    time.sleep(seconds)


@app.task(bind=True, name="shop.weigh")
def weigh(self: Any, order: str) -> None:
    """Take a minute at the first time, so that its worker can be killed meanwhile, and none afterwards."""
    if note_and_see_if_first(self, order):
        time.sleep(60)


@app.task(bind=True, name="shop.crash")
def crash(self: Any, order: str) -> None:
    """End the process that executes this, at the first time."""
    if note_and_see_if_first(self, order):
        os.kill(os.getpid(), signal.SIGKILL)


def note_and_see_if_first(task: Any, order: str) -> bool:
    """Note it, and return True if this order was never noted before."""
    before = NOTES.read_text().split() if NOTES.exists() else []
    note(task, order)
    return order not in before
