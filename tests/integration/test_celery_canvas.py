"""A function, or a call of it, in Celery's canvas: refused in words, whichever way it came in."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from celery import Celery, chain, chord, group
from kombu.exceptions import EncodeError

from tickerq_celery import TickerQ, TimeTicker
from tickerq_celery.broker.plain_json import plain
from tickerq_celery.errors import CallError, NoCeleryTaskError, TickerValidationError
from tickerq_celery.tickers.task_work import checked_task_work

Canvas = Callable[[Any, Any], object]
REFUSED: dict[str, Canvas] = {
    "chain": lambda call, task: chain(call, task.s()),
    "end of a chain": lambda call, task: chain(task.s(), call),
    "chain of one": lambda call, task: chain(call).apply_async(),
    "pipe": lambda call, task: call | task.s(),
    "pipe from a task": lambda call, task: task.s() | call,
    "pipe from a chain": lambda call, task: chain(task.s(), task.s()) | call,
    "pipe from a group": lambda call, task: (group(task.s()) | call).apply_async(),
    "group": lambda call, task: group(call, task.s()).apply_async(),
    "group of a list": lambda call, task: group([task.s(), call])(),
    "group of one": lambda call, task: group(call).apply_async(),
    "group of an iterator": lambda call, task: group(each for each in (call,)).apply_async(),
    "head of a chord": lambda call, task: chord([call, task.s()])(task.s()),
    "body of a chord": lambda call, task: chord([task.s()])(call),
    "body of a chord by name": lambda call, task: chord([task.s()], call).apply_async(),
    "link": lambda call, task: task.apply_async(link=call),
    "link of a signature": lambda call, task: task.s().set(link=[call]).apply_async(),
    "link_error": lambda call, task: task.apply_async(link_error=call),
    "apply_async": lambda call, task: call.apply_async(),
    "delay": lambda call, task: call.delay(),
    "set": lambda call, task: call.set(countdown=3),
    "map": lambda call, task: call.map([1, 2]),
    "starmap": lambda call, task: call.starmap([(1,), (2,)]),
    "chunks": lambda call, task: call.chunks([(1,), (2,)], 2),
    "link of its own": lambda call, task: call.link(task.s()),
}


@pytest.fixture
def task() -> Iterator[Any]:
    with Celery("canvas", broker="memory://", backend="cache+memory://", set_as_current=False) as app:

        @app.task(name="shop.refresh", shared=False)
        def refresh() -> None: ...

        yield refresh


@pytest.fixture(params=["call", "function"])
def ours(request: pytest.FixtureRequest, task: Any) -> Any:
    """What names a run of a function: a call of it, or the function itself."""
    send = TickerQ(task.app).function("Send")(lambda user_id: None)
    return send.s(user_id=3) if request.param == "call" else send


@pytest.mark.parametrize("canvas", REFUSED.values(), ids=REFUSED.keys())
def test_neither_a_function_nor_a_call_of_it_is_part_of_a_canvas(
    canvas: Canvas, ours: Any, task: Any
) -> None:
    # What goes into a message is refused by the serializer, in the same words.
    with pytest.raises(
        (NoCeleryTaskError, CallError, EncodeError), match=r"Send is no Celery task.*(children=|schedule)"
    ) as caught:
        canvas(ours, task)
    # What Celery asked for says nothing to who wrote a group.
    assert not re.search(r"\.(__\w+__|clone|get|options) ", str(caught.value))


def test_a_link_to_one_in_the_options_of_a_ticker_is_refused_in_the_same_words(ours: Any) -> None:
    ticker = TimeTicker(task="shop.add", options={"link": ours})
    with pytest.raises(TickerValidationError, match=r"options\.link: .*Send is no Celery task.*children="):
        checked_task_work(ticker, namespace="shop", priority_queues={}, plain=plain)
