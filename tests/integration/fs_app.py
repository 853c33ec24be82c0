"""The Celery app whose workers and publishers the tests of the embedded broker start as processes."""

import os
import sys
from pathlib import Path

from celery import Celery

from tickerq_celery.broker.embedded.transport import broker_url, register

FOLDER = Path(os.environ["FS_APP_FOLDER"])

register()
app = Celery("fs_app", broker=broker_url(FOLDER / "broker"))
app.conf.update(
    task_ignore_result=True, worker_prefetch_multiplier=4, broker_connection_retry_on_startup=True
)


@app.task(name="fs_app.note")
def note(number: int) -> None:
    descriptor = os.open(FOLDER / "notes" / str(os.getpid()), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.write(descriptor, f"{number}\n".encode())
    os.close(descriptor)


def publish(first: int, count: int) -> None:
    with app.producer_pool.acquire(block=True) as producer:
        for number in range(first, first + count):
            note.apply_async((number,), producer=producer)


if __name__ == "__main__":
    publish(int(sys.argv[1]), int(sys.argv[2]))
