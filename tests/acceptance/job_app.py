"""The app under test: what its functions do is asked for in their requests, and noted in a file.

JOB_STORE_URL, JOB_BROKER_URL and JOB_NOTES say where; JOB_TICKERQ and JOB_CELERY hold settings as JSON;
JOB_FUNCTIONS names the set of functions that this process has; JOB_CLOCK_OFFSET is by how many seconds its
clock is wrong; JOB_POOL_UPKEEP is how many seconds pass until Celery looks again for children that have died;
with JOB_POOL_FORGETS the pool forgets its jobs when the broker's connection is lost, as Celery 5.6's does;
with JOB_SLOW_QUEUE a child keeps the lock of the queue of results for so many seconds after it has written;
JOB_TASK_CLASS, if it is set, gives the app a task class of its own.
"""

import asyncio
import ctypes
import gc
import json
import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from weakref import WeakSet

from billiard.queues import SimpleQueue
from celery import Celery, Task, current_task
from celery.concurrency.asynpool import AsynPool
from celery.exceptions import SoftTimeLimitExceeded

from tests.soak import body_file
from tickerq_celery import TerminateExecution, TickerContext, TickerQ, settings
from tickerq_celery.clock import SystemClock

NOTES = Path(os.environ["JOB_NOTES"])
CLOCK_OFFSET = timedelta(seconds=float(os.environ.get("JOB_CLOCK_OFFSET", "0")))


class WrongClock(SystemClock):
    """What this machine's clock would say if it had not been set."""

    def now(self) -> datetime:
        return super().now() + CLOCK_OFFSET


if CLOCK_OFFSET:
    settings.SystemClock = WrongClock
if "JOB_POOL_UPKEEP" in os.environ:
    AsynPool.timers = property(lambda pool: {pool.maintain_pool: float(os.environ["JOB_POOL_UPKEEP"])})
if "JOB_POOL_FORGETS" in os.environ:
    AsynPool.flush = lambda pool: pool._cache.clear()
if "JOB_SLOW_QUEUE" in os.environ:

    def send_slowly(queue: Any, value: bytes) -> None:
        with queue._wlock:
            queue._writer.send_bytes(value)
            time.sleep(float(os.environ["JOB_SLOW_QUEUE"]))

    SimpleQueue.send_payload = send_slowly


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A request with a type."""

    number: int
    due: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """What ``traced`` does: sleep, then die under the first claim, then fail in so many attempts."""

    seconds: float = 0
    dies: bool = False
    failures: int = 0


class Handler:
    """Notes what it is given."""

    def handle_exception(self, exception: BaseException, ticker_id: object, ticker_type: object) -> None:
        note(f"handler {ticker_id} {type(exception).__name__}")

    def handle_final_failure(self, exception: BaseException, ticker_id: object, ticker_type: object) -> None:
        note(f"final {ticker_id} {type(exception).__name__}")

    def handle_canceled_exception(
        self, exception: BaseException, ticker_id: object, ticker_type: object
    ) -> None:
        note(f"cancelled {ticker_id}")


class OwnTask(Task):  # type: ignore[type-arg]  # Celery 5.6 cannot subscript it
    """A task class of the app's own: it notes what Celery and this package call."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        token = IN_CLASS.set(True)
        try:
            return super().__call__(*args, **kwargs)
        finally:
            IN_CLASS.reset(token)

    def on_success(self, retval: Any, task_id: str, args: Any, kwargs: Any) -> None:
        note(f"on_success {task_id} {retval}")


IN_CLASS: ContextVar[bool] = ContextVar("IN_CLASS", default=False)
app = Celery(
    "job_app",
    broker=os.environ["JOB_BROKER_URL"],
    task_cls=OwnTask if "JOB_TASK_CLASS" in os.environ else None,
)
app.conf.update(json.loads(os.environ.get("JOB_CELERY", "{}")))
tickerq = TickerQ(
    app,
    store_url=os.environ["JOB_STORE_URL"],
    exception_handler=Handler,
    **json.loads(os.environ.get("JOB_TICKERQ", "{}")),
)


def note(text: str) -> None:
    """Append one line, whole even where several processes write at once."""
    descriptor = os.open(NOTES, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.write(descriptor, f"{text}\n".encode())
    os.close(descriptor)


def plain(context: TickerContext[Any]) -> None:
    note(f"ran {context.id} {context.scheduled_for} {context.retry_count}")


def typed(context: TickerContext[Order]) -> None:
    assert isinstance(context.request, Order)
    late = (datetime.now(UTC) - context.request.due).total_seconds()
    note(f"order {context.request.number} {late:.3f}")


def fails(context: TickerContext[int]) -> None:
    """Fail in as many attempts as the request says."""
    note(f"attempt {context.id} {context.retry_count}")
    if context.retry_count < context.request:
        raise ValueError(f"attempt {context.retry_count} was to fail")


def mail(context: TickerContext[Any]) -> None:
    """Fail until a file says that the mail server is back."""
    if not NOTES.with_name("mended").exists():
        raise ConnectionRefusedError("no route to the mail server")
    note(f"sent {context.id}")


class LeftError(Exception):
    """A failure that is garbage once its task has ended."""


LEFT_ERRORS: WeakSet[LeftError] = WeakSet()


def leaves(context: TickerContext[None]) -> None:
    """Note how many failures before this one are still in memory where Python collects none by itself."""
    gc.disable()
    note(f"left {len(LEFT_ERRORS)}")
    error = LeftError()
    LEFT_ERRORS.add(error)
    raise error


def sleeps(context: TickerContext[float]) -> None:
    note(f"asleep {context.id}")
    time.sleep(context.request)
    note(f"awake {context.id}")


def waits(context: TickerContext[float]) -> None:
    """Wait for a cancellation, for as many seconds as the request says."""
    note(f"waits {context.id}")
    until = time.monotonic() + context.request
    while time.monotonic() < until:
        if context.cancellation_requested:
            note(f"notified {context.id} {time.time()}")
        context.raise_if_cancelled()
        time.sleep(0.02)
    note(f"waited {context.id}")


async def awaits(context: TickerContext[float]) -> None:
    """Do the same on an event loop, which does not ask."""
    note(f"waits {context.id}")
    try:
        await asyncio.sleep(context.request)
    except asyncio.CancelledError:
        note(f"notified {context.id} {time.time()}")
        raise
    note(f"waited {context.id}")


def arrows(context: TickerContext[str]) -> None:
    """Report, and end as the request says, with a text that not every database takes."""
    note(f"arrows {context.id}")
    context.report_progress(0.5, "a → b")
    raise TerminateExecution("a → b") if context.request == "skip" else ValueError("a → b")


def in_class(context: TickerContext[Any]) -> str:
    note(f"in class {context.id} {IN_CLASS.get()}")
    return str(current_task.request.id)


async def in_class_on_the_loop(context: TickerContext[Any]) -> str:
    note(f"in class {context.id} {IN_CLASS.get()}")
    return "from the loop"


def deaf(context: TickerContext[float]) -> None:
    """Wait, whatever is asked."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    note(f"waits {context.id}")
    time.sleep(context.request)
    note(f"waited {context.id}")


def alone(context: TickerContext[Any]) -> None:
    context.skip_if_already_running()
    note(f"alone {context.id} {time.time()}")
    time.sleep(1.5)
    note(f"left {context.id} {time.time()}")


def timed(context: TickerContext[float]) -> None:
    """Note how the first attempt is interrupted as it takes too long."""
    note(f"timed {context.id} {context.retry_count}")
    if context.retry_count == 0:
        try:
            time.sleep(context.request)
        except SoftTimeLimitExceeded:
            note(f"interrupted {context.id}")
            raise


def dies(context: TickerContext[str]) -> None:
    """End the process in the first attempt, in the way that the request says."""
    is_first = f"dies {context.id}" not in NOTES.read_text().splitlines() if NOTES.exists() else True
    note(f"dies {context.id}")
    if is_first:
        WAYS_TO_DIE[context.request]()
    note(f"lives {context.id}")


async def dies_on_the_loop(context: TickerContext[str]) -> None:
    """End the process in the first attempt, in a coroutine or in a task that it creates, and then wait."""
    note(f"dies {context.id}")
    if NOTES.read_text().splitlines().count(f"dies {context.id}") == 1:
        await WAYS_TO_DIE_ON_THE_LOOP[context.request]()
        await asyncio.sleep(60)
    note(f"lives {context.id} {id(asyncio.get_running_loop())}")


async def exits() -> None:
    sys.exit(3)


async def interrupts() -> None:
    raise KeyboardInterrupt


async def exits_in_a_task() -> None:
    LEFT.append(asyncio.create_task(exits()))


async def reports(context: TickerContext[float]) -> None:
    """Report on the process's loop, then wait, and clean up whatever ends it."""
    note(f"loop {os.getpid()} {id(asyncio.get_running_loop())}")
    context.report_progress(0.5, "half")
    logging.getLogger("job_app").warning("logged by %s", context.function_name)
    try:
        await asyncio.sleep(context.request)
    finally:
        note(f"cleaned up {context.id}")


def stubborn(context: TickerContext[Any]) -> None:
    """Run into the hard time limit in the first attempt."""
    note(f"stubborn {context.id} {context.retry_count}")
    if context.retry_count == 0:
        time.sleep(60)


def holds_the_interpreter(context: TickerContext[int]) -> None:
    """Keep the interpreter's lock for as many seconds as the request says."""
    note(f"holds {context.id}")
    ctypes.PyDLL(None).sleep(context.request)
    note(f"lets go {context.id}")


def traced(context: TickerContext[Steps | None]) -> None:
    """Note under which claim it begins and ends, and do in between what the request says."""
    claim = current_task.request.id
    steps = context.request or Steps()
    trace = partial(body_file.append, NOTES, task_id=claim, function=context.function_name)
    trace(body_file.START)
    time.sleep(steps.seconds)
    if steps.dies and claim == f"{context.id}:1":
        os.kill(os.getpid(), signal.SIGKILL)
    if context.retry_count < steps.failures:
        trace(body_file.FAILED)
        raise ValueError(f"attempt {context.retry_count} was to fail")
    trace(body_file.DONE)


@app.task(name="job_app.entry", shared=False)
def entry(word: str) -> None:
    """Note the call of a beat entry: this is no ticker function, but a task as Celery knows it."""
    note(f"{word} {current_task.request.id}")


@app.task(name="job_app.work", bind=True, shared=False)
def work(task: Any, way: str = "returns", seconds: float = 0) -> str:
    """Note each execution of a plain Celery task; the first one ends in the way that is asked for."""
    name = f"works {task.request.id}"
    executed = NOTES.read_text().splitlines().count(name) if NOTES.exists() else 0
    note(name)
    if executed == 0:
        WAYS_TO_WORK[way](task, seconds)
    note(f"worked {task.request.id}")
    return way


def raises(task: Any, seconds: float) -> None:
    raise ValueError("was to fail")


def retries(task: Any, seconds: float) -> None:
    raise task.retry(countdown=seconds, exc=ValueError("once more"))


def interrupted(task: Any, seconds: float) -> None:
    """Note that a soft limit strikes."""
    try:
        time.sleep(seconds)
    except SoftTimeLimitExceeded:
        note(f"interrupted {task.request.id}")
        raise


WAYS_TO_WORK: dict[str, Callable[[Any, float], Any]] = {
    "returns": lambda task, seconds: time.sleep(seconds),
    "raises": raises,
    "retries": retries,
    "interrupted": interrupted,
    "SIGKILL": lambda task, seconds: os.kill(os.getpid(), signal.SIGKILL),
    "sys.exit": lambda task, seconds: sys.exit(3),
}
WAYS_TO_DIE: dict[str, Callable[[], Any]] = {
    "sys.exit": lambda: sys.exit(3),
    "os._exit": lambda: os._exit(3),
    "SIGKILL": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "outside": lambda: time.sleep(60),
}

WAYS_TO_DIE_ON_THE_LOOP: dict[str, Callable[[], Any]] = {
    "sys.exit": exits,
    "KeyboardInterrupt": interrupts,
    "sys.exit in a task": exits_in_a_task,
}
LEFT: list[asyncio.Task[None]] = []

ALL: dict[str, Callable[..., Any]] = {
    "Plain": plain,
    "Typed": typed,
    "Fails": fails,
    "Sleeps": sleeps,
    "Dies": dies,
    "DiesOnTheLoop": dies_on_the_loop,
    "Reports": reports,
    "Stubborn": stubborn,
    "HoldsTheInterpreter": holds_the_interpreter,
    "Traced": traced,
    "Limited": traced,
    "Waits": waits,
    "Awaits": awaits,
    "Deaf": deaf,
    "Arrows": arrows,
    "InClass": in_class,
    "InClassOnTheLoop": in_class_on_the_loop,
    "Alone": alone,
    "Timed": timed,
}
OPTIONS: dict[str, dict[str, Any]] = {"Limited": {"max_concurrency": 1}}
CRONS = 20


MORE: dict[str, dict[str, tuple[Callable[..., Any], dict[str, Any]]]] = {
    "crons": {f"Cron{number}": (plain, {"cron": f"0 {number} 3 * * *"}) for number in range(CRONS)},
    "every second": {"EverySecond": (traced, {"cron": "* * * * * *"})},
    "alone": {"AloneEverySecond": (alone, {"cron": "* * * * * *"})},
    "limited": {name: (plain, {"timeout": 5}) for name in ("SlowReport", "SlowExport")},
    "mail": {"Mail": (mail, {})},
    "garbage": {"Leaves": (leaves, {})},
    "other crons": {"OtherCron": (plain, {"cron": "0 0 4 * * *"})},
}


def register(chosen: str) -> None:
    for name in ("Plain",) if chosen == "plain" else ALL:
        tickerq.function(name, **OPTIONS.get(name, {}))(ALL[name])
    for name, (body, options) in MORE.get(chosen, {}).items():
        tickerq.function(name, **options)(body)


register(os.environ.get("JOB_FUNCTIONS", "all"))
