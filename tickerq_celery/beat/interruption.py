"""How SIGTERM and SIGINT end what beat does, also where it waits for a server that never answers."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from types import FrameType
from typing import TypeVar

T = TypeVar("T")
_Handler = Callable[[int, FrameType | None], object] | int | None
_SIGNALS = (signal.SIGTERM, signal.SIGINT)
# What is unwound may wait for the same server: to roll back, to stamp. It is interrupted, too.
_AGAIN = 0.25


class Interrupted(BaseException):
    """Unwinds what was interrupted.

    No driver knows it. For SystemExit and KeyboardInterrupt psycopg would ask the server to cancel the
    statement, and wait for that.
    """


class Interruption:
    """Turns a signal into Interrupted in work of the main thread; in other threads it does nothing.

    A part of the work may put signals off; they wait for its end, but no longer than ``patience`` seconds.
    """

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._alarm = _Alarm()
        self._caught: int | None = None
        self._is_open = False
        self._is_put_off = False

    def run(self, work: Callable[[], T], *, otherwise: T) -> T:
        """Do ``work`` and return what it returned, or ``otherwise`` where a signal ended it.

        The signal then goes to the handler that it had before, which may well raise.
        """
        if threading.current_thread() is not threading.main_thread():
            return work()
        # Not a signal mask: one that another thread of the process receives would come through it.
        before = {number: signal.signal(number, self._hear) for number in _SIGNALS}
        # No context manager: a signal could come in its own frames, where nothing would catch Interrupted.
        try:
            try:
                self._is_open = True
                self._heed()
                result = work()
                self._is_open = False
            except Interrupted:
                result = otherwise
        finally:
            self._is_open = self._is_put_off = self._alarm.is_on = False
            self._alarm.put_away()
            for number, handler in before.items():
                signal.signal(number, handler)
            caught, self._caught = self._caught, None
            if caught is not None:
                signal.raise_signal(caught)
        return result

    @property
    def is_asked(self) -> bool:
        """Whether a signal has come, which waits for the end of what put it off."""
        return self._caught is not None

    @property
    def had_to_force(self) -> bool:
        """Whether work did not end by itself when a signal came: something that it waited for hangs."""
        return self._alarm.has_rung

    @contextmanager
    def put_off(self) -> Iterator[None]:
        """Let the block end before a signal is heeded, if it ends in time."""
        self._is_put_off = True
        try:
            yield
        finally:
            self._is_put_off = False
        self._heed()

    def _heed(self) -> None:
        if self._caught is not None:
            raise Interrupted

    def _hear(self, number: int, frame: FrameType | None) -> None:
        is_first, self._caught = self._caught is None, self._caught or number
        if not self._is_open:
            # Before the work it is heeded in a moment; after it there is nothing to interrupt.
            return
        if is_first:
            self._alarm.set(self._patience if self._is_put_off else _AGAIN)
        if not self._is_put_off:
            raise Interrupted


def within(seconds: float, work: Callable[[], T]) -> T:
    """Do ``work``; in the main thread it has so many seconds.

    Raises:
        Interrupted: It took longer.
    """
    if threading.current_thread() is not threading.main_thread():
        return work()
    alarm = _Alarm()
    try:
        alarm.set(seconds)
        return work()
    finally:
        alarm.is_on = False
        alarm.put_away()


class _Alarm:
    """Raises Interrupted, again and again, until it is put away; then the application's own is back."""

    def __init__(self) -> None:
        # Cleared by a plain assignment: a call might be interrupted before it has done anything.
        self.is_on = False
        self.has_rung = False
        self._put_back: Callable[[], None] | None = None

    def set(self, seconds: float) -> None:
        handler = signal.signal(signal.SIGALRM, self._ring)
        timer = signal.setitimer(signal.ITIMER_REAL, seconds, _AGAIN)
        self._put_back = partial(_set_alarm, handler, timer)
        self.is_on = True

    def put_away(self) -> None:
        if self._put_back is not None:
            self._put_back()
            self._put_back = None

    def _ring(self, number: int, frame: FrameType | None) -> None:
        if self.is_on:
            self.has_rung = True
            raise Interrupted


def _set_alarm(handler: _Handler, timer: tuple[float, float]) -> None:
    # In this order, so that none of our alarms reaches the application.
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, *timer)
