"""The app of a worker without a TickerQ, on the broker of ``job_app``, with that app's plain Celery task."""

import os
import time
from typing import Any

from celery import Celery

from tickerq_celery.broker.embedded import transport

transport.register()
app = Celery("plain_app", broker=os.environ["JOB_BROKER_URL"])


@app.task(name="job_app.work", bind=True, shared=False)
def work(task: Any, way: str = "returns", seconds: float = 0) -> None:
    """Note the execution, as ``job_app.work`` does."""
    time.sleep(seconds)
    note(f"works {task.request.id}\nplain {task.request.id}")


@app.task(name="job_app.entry", bind=True, shared=False)
def entry(task: Any, word: str) -> None:
    """Note the call of a beat entry."""
    note(f"{word} {task.request.id}")


def note(text: str) -> None:
    """Append lines, whole even where several processes write at once."""
    descriptor = os.open(os.environ["JOB_NOTES"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.write(descriptor, f"{text}\n".encode())
    os.close(descriptor)
