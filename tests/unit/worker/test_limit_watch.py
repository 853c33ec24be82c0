"""Time limits interrupt the body of an attempt in a pool's child, and neither its start nor its end."""

import os
import select
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from queue import SimpleQueue
from typing import Any
from uuid import uuid4

import pytest
from billiard.process import current_process
from celery.exceptions import SoftTimeLimitExceeded

from tests.acceptance.waiting import wait_until
from tests.inner import SignalKind, SignalReport, task_id
from tests.unit.worker.pool_child import child
from tickerq_celery.tickers.timeouts import TimeLimits
from tickerq_celery.worker import child_marks
from tickerq_celery.worker.body_limits import BodyLimits
from tickerq_celery.worker.child_marks import ChildMarks
from tickerq_celery.worker.limit_watch import LimitWatch

RUN = uuid4()


class Watched:
    """The marks of a pool, and the watch over them."""

    def __init__(self) -> None:
        self.marks = ChildMarks()
        self.reports: SimpleQueue[SignalReport] = SimpleQueue()
        self.killed: dict[str, float] = {}
        self.check = LimitWatch(self.marks, self.reports, self.killed).check


@pytest.fixture
def watched() -> Watched:
    return Watched()


def body(limits: TimeLimits, *, ended: bool = False) -> Callable[[ChildMarks], None]:
    """Return what begins a body in a child, and ends it, while its attempt goes on."""

    def work(marks: ChildMarks) -> None:
        marks.begin(RUN, 3)
        marks.begin_body(limits, time.monotonic())
        if ended:
            marks.end_body()

    return work


def has_died(pid: int) -> bool:
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def test_a_body_that_exceeds_its_hard_limit_is_killed_and_reported_once(watched: Watched) -> None:
    with child(watched.marks, 0, body(TimeLimits(hard=0.3))) as pid:
        watched.check()
        assert not has_died(pid)
        wait_until(lambda: watched.check() or has_died(pid), lambda: "the child's death")
        watched.check()
    report = watched.reports.get_nowait()
    assert (report.ticker_id, report.claim_no, report.kind) == (RUN, 3, SignalKind.TIMED_OUT)
    assert report.message == "time limit exceeded: the function ran for more than 0.3 s"
    assert watched.reports.empty()
    assert watched.killed == {task_id(RUN, 3): 0.3}


def test_a_body_that_has_ended_is_not_killed_however_long_its_end_takes_to_write(watched: Watched) -> None:
    with (
        child(watched.marks, 0, body(TimeLimits(hard=0.01), ended=True)) as pid,
        child(watched.marks, 1, body(TimeLimits(hard=0.01))) as overdue,
    ):
        wait_until(lambda: watched.check() or has_died(overdue), lambda: "the other child's death")
        assert not has_died(pid)


def test_limits_are_looked_at_several_times_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []

    def wait(event: threading.Event, timeout: float) -> bool:
        waited.append(timeout)
        return len(waited) == 3

    monkeypatch.setattr(threading.Event, "wait", wait)
    LimitWatch(ChildMarks(), SimpleQueue(), {}).run()
    assert len(waited) == 3
    assert max(waited) <= 0.5


def test_a_child_that_has_another_claim_since_the_look_is_not_killed_for_the_one_before(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    with child(watched.marks, 0, body(TimeLimits(hard=0.001))) as pid:
        [mark] = wait_until(watched.marks.overdue, lambda: "the limit")
        monkeypatch.setattr(watched.marks, "overdue", lambda: [replace(mark, claim_no=2)])
        watched.check()
        assert not has_died(pid)
    assert watched.killed == {}
    assert watched.reports.empty()


def test_an_end_that_is_being_marked_waits_for_a_kill_that_has_been_decided(watched: Watched) -> None:
    ended, has_ended = os.pipe()

    def end_when_asked(marks: ChildMarks) -> None:
        body(TimeLimits(hard=0.001))(marks)
        signal.signal(signal.SIGUSR2, lambda *_: (marks.end_body(), os.write(has_ended, b".")))

    def is_marked(within: float) -> bool:
        return bool(select.select([ended], [], [], within)[0])

    with child(watched.marks, 0, end_when_asked) as pid:
        [mark] = wait_until(watched.marks.overdue, lambda: "the limit")
        with watched.marks.frozen(mark) as is_unchanged:
            os.kill(pid, signal.SIGUSR2)
            assert is_unchanged
            assert not is_marked(within=0.3)
        assert is_marked(within=60)
        with watched.marks.frozen(mark) as is_unchanged:
            assert not is_unchanged
    os.close(ended)
    os.close(has_ended)


def test_a_body_that_exceeds_its_soft_limit_is_interrupted_once(watched: Watched) -> None:
    struck, has_struck = os.pipe()

    def wait_for_the_signal(marks: ChildMarks) -> None:
        signal.signal(signal.SIGUSR1, lambda *_: os.write(has_struck, b"."))
        body(TimeLimits(soft=0.01, hard=60))(marks)

    with child(watched.marks, 0, wait_for_the_signal) as pid:
        wait_until(watched.marks.overdue, lambda: "the limit")
        watched.check()
        assert watched.marks.overdue() == []
        assert os.read(struck, 9) == b"."
        assert not has_died(pid)
    assert watched.reports.empty()
    os.close(struck)
    os.close(has_struck)


@pytest.fixture
def marks(monkeypatch: pytest.MonkeyPatch) -> ChildMarks:
    """The marks of this very process, as if it were a child of a pool."""
    monkeypatch.setattr(current_process(), "index", 0, raising=False)
    return ChildMarks()


@pytest.fixture
def limits(marks: ChildMarks) -> BodyLimits:
    """The limits of this very process."""
    return BodyLimits(marks)


def strike() -> None:
    """Send what the main process sends, and Celery's timers too."""
    signal.raise_signal(signal.SIGUSR1)


def test_the_signal_of_the_soft_limit_strikes_the_body_alone_and_not_before_its_time(
    limits: BodyLimits,
) -> None:
    before = signal.getsignal(signal.SIGUSR1)
    with limits.attempt():
        strike()
        with limits.body(TimeLimits(soft=60)):
            strike()
        with pytest.raises(SoftTimeLimitExceeded), limits.body(TimeLimits(soft=1e-9)):
            strike()
        strike()
    assert signal.getsignal(signal.SIGUSR1) == before


def test_the_only_signal_of_a_soft_limit_strikes_a_process_that_was_stalled_as_its_body_began(
    limits: BodyLimits, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    begin_body = ChildMarks.begin_body

    def begin_and_stall(marks: ChildMarks, *args: Any) -> None:
        nonlocal now
        begin_body(marks, *args)
        now += 1

    monkeypatch.setattr(time, "monotonic", lambda: now)
    monkeypatch.setattr(ChildMarks, "begin_body", begin_and_stall)
    with limits.attempt(), pytest.raises(SoftTimeLimitExceeded), limits.body(TimeLimits(soft=1)):
        strike()


def test_the_soft_limit_interrupts_nothing_that_follows_a_coroutine_on_its_loop(limits: BodyLimits) -> None:
    with limits.attempt(), limits.body(TimeLimits(soft=1e-9)):
        limits.end()
        strike()


def test_the_hard_limit_kills_nothing_that_follows_a_coroutine_on_its_loop(
    limits: BodyLimits, marks: ChildMarks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child_marks, "_lives", lambda pid: True)
    with limits.attempt():
        marks.begin(RUN, 3)
        with limits.body(TimeLimits(hard=1e-9)):
            assert marks.overdue() != []
            limits.end()
            assert marks.overdue() == []


def test_a_soft_limit_of_celerys_own_interrupts_a_body_without_one(limits: BodyLimits) -> None:
    with limits.attempt(), pytest.raises(SoftTimeLimitExceeded), limits.body(TimeLimits()):
        strike()


def test_nothing_is_limited_in_a_process_that_is_no_child_of_a_pool() -> None:
    before = signal.getsignal(signal.SIGUSR1)
    limits = BodyLimits(ChildMarks())
    with limits.attempt(), limits.body(TimeLimits(soft=1e-9, hard=1e-9)):
        assert signal.getsignal(signal.SIGUSR1) == before
