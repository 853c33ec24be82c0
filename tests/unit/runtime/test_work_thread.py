"""The thread of beat's work: in order, one at a time, and never in the way of a signal."""

import signal
import threading
from collections.abc import Iterator
from types import FrameType

import pytest

from tickerq_celery.runtime.work_thread import WorkThread

SOON = 0.05
FOR_EVER = 30.0


@pytest.fixture
def begun() -> list[threading.Thread]:
    return []


@pytest.fixture
def thread(begun: list[threading.Thread]) -> Iterator[WorkThread]:
    made = WorkThread(lambda: begun.append(threading.current_thread()), name="work")
    yield made
    made.end()


@pytest.fixture
def hangs() -> Iterator[threading.Event]:
    """What work waits for as for a server that is frozen; it thaws after the test."""
    frozen = threading.Event()
    yield frozen
    frozen.set()


@pytest.fixture
def alarm() -> Iterator[None]:
    """Raise SystemExit in the main thread at SIGALRM, as Celery's handler of SIGTERM does."""

    def leave(number: int, frame: FrameType | None) -> None:
        raise SystemExit

    handler = signal.signal(signal.SIGALRM, leave)
    yield
    signal.signal(signal.SIGALRM, handler)


def test_a_call_happens_in_the_thread_that_was_begun(
    thread: WorkThread, begun: list[threading.Thread]
) -> None:
    assert thread.call(threading.current_thread) is thread.call(threading.current_thread) is begun[0]
    assert begun[0] is not threading.current_thread()
    assert len(begun) == 1


def test_what_a_call_raises_is_raised_and_the_next_call_is_made(thread: WorkThread) -> None:
    def fail() -> None:
        raise LookupError("no such thing")

    with pytest.raises(LookupError, match="no such thing"):
        thread.call(fail)
    assert thread.call(lambda: "done") == "done"


@pytest.mark.usefixtures("alarm")
def test_a_signal_reaches_its_handler_while_a_call_hangs(thread: WorkThread, hangs: threading.Event) -> None:
    main = threading.get_ident()

    def work() -> None:
        hangs.wait(SOON)  # so that the main thread waits for this
        signal.pthread_kill(main, signal.SIGALRM)
        hangs.wait(FOR_EVER)

    with pytest.raises(SystemExit):
        thread.call(work)


@pytest.mark.usefixtures("alarm")
def test_a_signal_that_another_thread_received_reaches_its_handler_too(
    thread: WorkThread, hangs: threading.Event
) -> None:
    ended: list[bool] = []

    def work() -> None:
        signal.raise_signal(signal.SIGALRM)
        ended.append(hangs.wait(FOR_EVER))

    with pytest.raises(SystemExit):
        thread.call(work)
    assert ended == []


def test_a_handler_may_call_and_waits_for_the_call_it_interrupts(thread: WorkThread) -> None:
    steps: list[str] = []
    main, interrupted = threading.get_ident(), threading.Event()

    def work() -> None:
        signal.pthread_kill(main, signal.SIGALRM)
        assert interrupted.wait(FOR_EVER)
        steps.append("the batch ended")

    def leave(number: int, frame: FrameType | None) -> None:
        interrupted.set()
        thread.call(lambda: steps.append("left"))
        raise SystemExit

    handler = signal.signal(signal.SIGALRM, leave)
    try:
        with pytest.raises(SystemExit):
            thread.call(work)
    finally:
        signal.signal(signal.SIGALRM, handler)
    assert steps == ["the batch ended", "left"]


def test_a_call_that_hangs_is_left_behind_at_its_limit(thread: WorkThread, hangs: threading.Event) -> None:
    ended: list[object] = []
    with pytest.raises(TimeoutError, match=r"no answer in 0\.05 s"):
        thread.call(lambda: ended.append(hangs.wait(FOR_EVER)), limit=SOON)
    # Nor is what follows it waited for any longer.
    with pytest.raises(TimeoutError):
        thread.call(lambda: ended.append("done"), limit=SOON)
    assert ended == []


def test_the_thread_ends_when_it_has_done_what_was_asked(
    thread: WorkThread, begun: list[threading.Thread]
) -> None:
    assert thread.call(lambda: "done", limit=FOR_EVER) == "done"
    assert begun[0].daemon
    thread.end()
    begun[0].join(FOR_EVER)
    assert not begun[0].is_alive()
