"""Celery's soft time limit while this package records something around a body."""

import os
import signal
import threading
from collections.abc import Iterator

import pytest

from tickerq_celery.worker.soft_limit import soft_limit_held_back


class StruckError(Exception):
    """What Celery's handler raises."""


@pytest.fixture(autouse=True)
def _handler() -> Iterator[None]:
    def strike(*_: object) -> None:
        raise StruckError

    previous = signal.signal(signal.SIGUSR1, strike)
    yield
    signal.signal(signal.SIGUSR1, previous)


def test_a_limit_that_strikes_the_start_strikes_the_body_instead() -> None:
    with soft_limit_held_back(is_child=True, strikes_after=True):
        os.kill(os.getpid(), signal.SIGUSR1)
    with pytest.raises(StruckError):
        threading.Event().wait(30)


def test_a_limit_that_strikes_the_end_strikes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading, "Timer", None)
    with soft_limit_held_back(is_child=True, strikes_after=False):
        os.kill(os.getpid(), signal.SIGUSR1)


def test_where_no_limit_can_strike_no_handler_is_replaced() -> None:
    before = signal.getsignal(signal.SIGUSR1)
    with soft_limit_held_back(is_child=False, strikes_after=True):
        assert signal.getsignal(signal.SIGUSR1) is before
