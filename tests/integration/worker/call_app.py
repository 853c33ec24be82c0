"""Apps with Celery tasks whose messages a test executes as a worker would, in this process."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from celery.app.trace import trace_task
from kombu.message import Message

from tests.integration.apps import dispatch_due, messages
from tests.integration.runs.calls import alter_run
from tickerq_celery import Run, TickerQ, TimeTicker
from tickerq_celery.enums import TickerKind
from tickerq_celery.payload.celery_call import CeleryCall
from tickerq_celery.worker.following import Follower


@contextmanager
def followed(tickerq: TickerQ) -> Iterator[None]:
    """Let this process follow the tasks of an app, as its worker does."""
    follower = Follower(tickerq._process)
    follower.listen()
    try:
        yield
    finally:
        follower.close()


def add_call(tickerq: TickerQ, task: Any, *args: Any, **fields: Any) -> UUID:
    """Store the call of a task that is due, and publish it as a beat does."""
    options = fields.pop("options", {})
    on_lost = fields.pop("on_lost", None)
    ticker = TimeTicker(function=task.name, **fields)
    # Past the process that would publish it as a function's.
    run = tickerq.time_tickers.add(ticker, allow_unknown=True)
    packed = tickerq.core.codec.pack(CeleryCall(args=args, options=options).encoded())
    alter_run(
        tickerq.core, run.id, kind=TickerKind.CELERY_TASK.value, on_lost=on_lost,
        request=packed.data, encoding=packed.encoding, held_for=None, hold_key=None,
        due_at=tickerq.core.clock.now(),
    )  # fmt: skip
    dispatch_due(tickerq)
    return run.id


def deliver_call(tickerq: TickerQ, message: Message) -> Any:
    """Execute one message as a worker's pool does; return what Celery makes of it."""
    headers: Any = message.headers
    task = tickerq.app.tasks[headers["task"]]
    args, kwargs, embed = message.decode()
    queue = tickerq.app.conf.task_default_queue
    delivery = {"exchange": "", "routing_key": queue, "priority": 0, "redelivered": False}
    request = {
        **headers, **embed, "args": args, "kwargs": kwargs, "is_eager": False, "delivery_info": delivery,
        "hostname": "here", "reply_to": None, "correlation_id": headers["id"],
        "properties": message.properties,
    }  # fmt: skip
    return trace_task(task, headers["id"], args, kwargs, request, app=tickerq.app)


def deliver_all(tickerq: TickerQ) -> list[Any]:
    """Execute what waits in the app's queue, and what that sends, until nothing is left."""
    done = []
    while found := messages(tickerq):
        done += [deliver_call(tickerq, message) for message in found]
    return done


def run_of(tickerq: TickerQ, run_id: UUID) -> Run:
    """Return a run with its attempts."""
    return tickerq.runs.get(run_id)
