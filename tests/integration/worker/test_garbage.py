"""What an attempt leaves behind is free at once, and waits for no garbage collection."""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

import pytest
from celery import current_task
from celery._state import _task_stack
from celery.exceptions import Ignore
from kombu.message import Message

from tests.integration.apps import add_run, change_row, messages, ticker_app
from tests.manual_clock import ManualClock
from tests.thoroughness import in_verify
from tickerq_celery import TerminateExecution, TickerCancelled, TickerContext, TickerQ

PACKAGE = "tickerq_celery"
# What is stored of an attempt is another's concern.
pytestmark = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
Body = Callable[[TickerContext[None]], Any]


@pytest.fixture
def tickerq(store_url: str, namespace: str, clock: ManualClock) -> Iterator[TickerQ]:
    with ticker_app(store_url, namespace, clock) as made:
        yield made


def returns(context: TickerContext[None]) -> None:
    """Do nothing."""


def fails(context: TickerContext[None]) -> None:
    raise OSError("no route")


def asks_for_a_retry(context: TickerContext[None]) -> None:
    try:
        fails(context)
    except OSError as error:
        current_task.retry(exc=error, countdown=60)


def skips(context: TickerContext[None]) -> None:
    raise Ignore


def ends_early(context: TickerContext[None]) -> None:
    raise TerminateExecution("enough")


def is_cancelled(context: TickerContext[None]) -> None:
    context.request_cancellation()
    raise TickerCancelled


async def returns_later(context: TickerContext[None]) -> None:
    """Do nothing, on the event loop."""


async def fails_later(context: TickerContext[None]) -> None:
    raise OSError("no route")


BODIES: list[Body] = [
    returns, fails, asks_for_a_retry, skips, ends_early, is_cancelled, returns_later, fails_later,
]  # fmt: skip


@pytest.mark.parametrize("retries", [0, in_verify(1)], ids=["last", "retried"])
@pytest.mark.parametrize("body", BODIES, ids=lambda body: body.__name__)
def test_an_attempt_leaves_no_cycle_of_ours(tickerq: TickerQ, body: Body, retries: int) -> None:
    add_run(tickerq, body, retries=retries)
    (message,) = messages(tickerq)
    assert left_of(lambda: attempt(tickerq, message)) == []


def test_an_attempt_whose_failure_is_not_recorded_leaves_no_cycle_of_ours(tickerq: TickerQ) -> None:
    def loses_its_claim(context: TickerContext[None]) -> None:
        change_row(tickerq, context.id, claim_no=7)
        fails(context)

    add_run(tickerq, loses_its_claim)
    (message,) = messages(tickerq)
    assert left_of(lambda: attempt(tickerq, message)) == []


def attempt(tickerq: TickerQ, message: Message) -> None:
    """Make the attempt of a message without Celery's tracer, whose own frame makes a cycle."""
    task = tickerq.app.tasks[message.headers["task"]]
    task.push_request(id=message.headers["id"], headers=dict(message.headers))
    with current(task), suppress(Exception):
        task()
    task.pop_request()


@contextmanager
def current(task: Any) -> Iterator[None]:
    """Let a task be what ``current_task`` names."""
    _task_stack.push(task)
    yield
    _task_stack.pop()


def left_of(act: Callable[[], None]) -> list[str]:
    """Return what is ours of the garbage that needs a collection after ``act``."""
    gc.collect()
    gc.disable()
    try:
        act()
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        return sorted(filter(None, map(name_of, gc.garbage)))
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()


def name_of(found: object) -> str:
    """Return the name of an object of ours, and of a frame of ours; else nothing."""
    if isinstance(found, FrameType):
        name = str(found.f_globals.get("__name__"))
        return f"{name}:{found.f_code.co_name}" if name.startswith(PACKAGE) else ""
    kind = type(found)
    return f"{kind.__module__}.{kind.__qualname__}" if kind.__module__.startswith(PACKAGE) else ""
