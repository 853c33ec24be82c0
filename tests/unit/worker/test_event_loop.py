"""One event loop for a process, whichever thread asks; interruptions and forks included."""

import asyncio
import gc
import inspect
import logging
import os
import signal
import threading
import warnings
from collections.abc import Callable, Coroutine, Iterator
from contextvars import ContextVar
from types import FrameType
from typing import Any

import pytest

from tickerq_celery.worker.event_loop import EventLoop

Seen = list[object]
LABEL: ContextVar[str] = ContextVar("LABEL", default="none")


@pytest.fixture
def loop() -> Iterator[EventLoop]:
    made = EventLoop()
    yield made
    made.close()


async def running_loop() -> asyncio.AbstractEventLoop:
    return asyncio.get_running_loop()


def test_every_coroutine_of_a_process_runs_on_one_loop(loop: EventLoop) -> None:
    loops: list[asyncio.AbstractEventLoop] = [loop.run(running_loop())]
    threads = [threading.Thread(target=lambda: loops.append(loop.run(running_loop()))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(loops) == 4
    assert len(set(loops)) == 1


def test_coroutines_of_several_threads_run_side_by_side(loop: EventLoop) -> None:
    met = threading.Event()

    async def wait_for_the_other() -> None:
        while not met.is_set():
            await asyncio.sleep(0)

    async def meet() -> None:
        met.set()

    thread = threading.Thread(target=lambda: loop.run(wait_for_the_other()))
    thread.start()
    loop.run(meet())
    thread.join(5)
    assert not thread.is_alive()


def test_a_coroutine_sees_the_context_variables_of_its_caller(loop: EventLoop) -> None:
    async def label() -> str:
        await asyncio.sleep(0)
        return LABEL.get()

    token = LABEL.set("mine")
    assert loop.run(label()) == "mine"
    LABEL.reset(token)
    assert loop.run(label()) == "none"


@pytest.mark.parametrize(
    "error", [OSError("no"), SystemExit(3), KeyboardInterrupt(), asyncio.CancelledError()]
)
def test_what_a_coroutine_raises_reaches_its_caller_and_leaves_the_loop_alone(
    loop: EventLoop, error: BaseException
) -> None:
    async def raises() -> None:
        raise error

    before = loop.run(running_loop())
    with pytest.raises(type(error)):
        loop.run(raises())
    assert loop.run(running_loop()) is before


EXITS = pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt()], ids=repr)


async def exits(error: BaseException) -> None:
    raise error


async def awaits_its_task(error: BaseException) -> None:
    await asyncio.create_task(exits(error))


async def gathers(error: BaseException) -> None:
    await asyncio.gather(exits(error), asyncio.Event().wait())


async def has_a_group(error: BaseException) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(exits(error))
        await asyncio.Event().wait()


async def looks_away(error: BaseException) -> None:
    task = asyncio.create_task(awaits_its_task(error))
    await asyncio.Event().wait()
    await task


@EXITS
@pytest.mark.parametrize("body", [awaits_its_task, gathers, has_a_group, looks_away])
def test_an_exit_of_a_task_ends_the_call_that_created_it_and_no_other(
    loop: EventLoop, body: Callable[[BaseException], Coroutine[Any, Any, None]], error: BaseException
) -> None:
    before = loop.run(running_loop())
    begun, goes_on = threading.Event(), asyncio.Event()
    ended: Seen = []

    async def other() -> str:
        begun.set()
        await goes_on.wait()
        return "went on"

    thread = threading.Thread(target=lambda: ended.append(loop.run(other())))
    thread.start()
    begun.wait(5)
    with pytest.raises(type(error)) as caught:
        loop.run(body(error))
    before.call_soon_threadsafe(goes_on.set)
    thread.join(5)
    assert (caught.value is error, ended) == (True, ["went on"])
    assert loop.run(running_loop()) is before


def test_tasks_of_two_bodies_that_exit_at_once_end_both(loop: EventLoop) -> None:
    caught: list[object] = []
    both: list[asyncio.Future[None]] = []

    async def exits(code: int) -> None:
        both.append(asyncio.get_running_loop().create_future())
        if len(both) == 2:
            both[0].set_result(None)
        else:
            await both[0]
        await asyncio.sleep(0)
        raise SystemExit(code)

    async def body(code: int) -> None:
        tasks.append(asyncio.create_task(exits(code)))
        await asyncio.Event().wait()

    def run(code: int) -> None:
        with pytest.raises(SystemExit) as raised:
            loop.run(body(code))
        caught.append(raised.value.code)

    tasks: list[asyncio.Task[None]] = []
    threads = [threading.Thread(target=run, args=(code,), daemon=True) for code in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert sorted(map(str, caught)) == ["1", "2"]


def test_a_body_that_stops_the_loop_goes_on_like_all_others(
    loop: EventLoop, caplog: pytest.LogCaptureFixture
) -> None:
    async def stops() -> str:
        asyncio.get_running_loop().stop()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return "went on"

    before = loop.run(running_loop())
    assert loop.run(stops()) == "went on"
    assert loop.run(running_loop()) is before
    assert caplog.messages == ["the event loop was stopped by what runs on it, and goes on"]


@EXITS
def test_an_exit_of_a_task_whose_call_has_ended_is_logged(
    loop: EventLoop, caplog: pytest.LogCaptureFixture, error: BaseException
) -> None:
    left: list[asyncio.Task[None]] = []

    async def leaves_a_task() -> None:
        left.append(asyncio.create_task(exits_later(asyncio.current_task())))

    async def exits_later(parent: asyncio.Task[None] | None) -> None:
        while parent is not None and not parent.done():
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        raise error

    async def looks() -> bool:
        return all(task.done() for task in left)

    before = loop.run(running_loop())
    loop.run(leaves_a_task())
    while not loop.run(looks()):
        pass
    assert loop.run(running_loop()) is before
    assert caplog.messages == [f"ignored an exit on the event loop that belongs to no run: {error!r}"]


def test_a_task_that_failed_and_that_no_one_asked_for_its_error_is_still_logged(
    loop: EventLoop, caplog: pytest.LogCaptureFixture
) -> None:
    async def fails() -> None:
        raise OSError("no route")

    async def looks_away_from_a_failure() -> None:
        asyncio.create_task(fails())  # noqa: RUF006 - it ends before the body does
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    with caplog.at_level(logging.ERROR, "asyncio"):
        loop.run(looks_away_from_a_failure())
    assert "Task exception was never retrieved" in caplog.text


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_loop_that_broke_fails_its_callers_and_is_not_used_again(
    loop: EventLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise OSError("the selector is closed")

    async def breaks() -> None:
        own = asyncio.get_running_loop()
        monkeypatch.setattr(own, "run_forever", fail)
        own.stop()
        await asyncio.Event().wait()

    with pytest.raises(RuntimeError, match="the event loop ended before"):
        loop.run(breaks())
    assert loop.run(running_loop()).is_running()
    gc.collect()  # here, and in no other test, asyncio logs the task that did not end


def test_an_interrupted_caller_goes_on_once_its_coroutine_has_ended(loop: EventLoop) -> None:
    seen: Seen = []

    async def body() -> None:
        try:
            os.kill(os.getpid(), signal.SIGUSR1)
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            seen.append("cleaned up")

    # No OSError: those of its writes to its own pipe, asyncio swallows.
    def interrupt(number: int, frame: FrameType | None) -> None:
        raise ArithmeticError("soft limit")

    before = signal.signal(signal.SIGUSR1, interrupt)
    try:
        with pytest.raises(ArithmeticError, match="soft limit"):
            loop.run(body())
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert seen == ["cleaned up"]


def test_a_caller_interrupted_before_its_coroutine_began_goes_on_without_it(
    loop: EventLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = loop.run(running_loop())
    hand_over = own.call_soon_threadsafe

    def interrupt(*_: object) -> None:
        monkeypatch.setattr(own, "call_soon_threadsafe", hand_over)
        raise ArithmeticError("soft limit")

    monkeypatch.setattr(own, "call_soon_threadsafe", interrupt)
    coroutine = running_loop()
    with pytest.raises(ArithmeticError, match="soft limit"):
        loop.run(coroutine)
    assert inspect.getcoroutinestate(coroutine) == inspect.CORO_CLOSED


def test_waiting_on_the_loop_for_the_loop_is_refused(loop: EventLoop) -> None:
    async def outer() -> None:
        loop.run(running_loop())

    with pytest.raises(RuntimeError, match="await it"):
        loop.run(outer())


def test_closing_cancels_what_runs_and_lets_it_clean_up(loop: EventLoop) -> None:
    seen: Seen = []
    tasks = []

    async def background() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            seen.append("cleaned up")

    async def leaves_a_task() -> None:
        tasks.append(asyncio.create_task(background()))
        await asyncio.sleep(0)

    loop.run(leaves_a_task())
    before = loop.run(running_loop())
    assert seen == []
    loop.close()
    assert (seen, before.is_closed()) == (["cleaned up"], True)
    assert loop.run(running_loop()) is not before


def test_a_forked_child_has_a_loop_of_its_own(loop: EventLoop) -> None:
    loop.run(running_loop())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 warns of threads at a fork
        child = os.fork()
    if child == 0:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)  # pytest has put a handler of its own there
        signal.alarm(60)
        own = loop.run(running_loop())
        loop.close()
        os._exit(0 if own.is_closed() else 1)
    assert os.waitpid(child, 0)[1] == 0
