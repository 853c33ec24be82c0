"""Celery's soft time limit while this package records something around a body."""

import os
import signal
import threading
from collections.abc import Iterator

import pytest

from tickerq_celery.worker.soft_limit import HeldLimit, soft_limit_held_back


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
    with soft_limit_held_back(is_child=True, before=HeldLimit()):
        os.kill(os.getpid(), signal.SIGUSR1)
    with pytest.raises(StruckError):
        threading.Event().wait(30)


def test_a_limit_that_strikes_the_end_strikes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading, "Timer", None)
    with soft_limit_held_back(is_child=True):
        os.kill(os.getpid(), signal.SIGUSR1)


def test_a_limit_that_strikes_the_start_of_a_short_body_strikes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent = []
    monkeypatch.setattr(os, "kill", lambda *signalled: sent.append(signalled))
    limit = HeldLimit()
    with soft_limit_held_back(is_child=True, before=limit):
        signal.raise_signal(signal.SIGUSR1)
    limit.cancel()
    assert limit._repeat is not None
    limit._repeat.join(30)
    assert sent == []


def test_where_no_limit_can_strike_no_handler_is_replaced() -> None:
    before = signal.getsignal(signal.SIGUSR1)
    with soft_limit_held_back(is_child=False, before=HeldLimit()):
        assert signal.getsignal(signal.SIGUSR1) is before
