"""The window of what is published ahead of a queue's workers, and how it follows what they start."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickerq_celery.runs.publish_window import POLL_EVERY, POLL_SOON, PublishWindow

LEAST, MOST = 10, 10_000


def window(size: int, *, ahead: int | None = None) -> PublishWindow:
    return PublishWindow(size=size, ahead=size if ahead is None else ahead, polled_at=100.0)


def after(before: PublishWindow, *, left: int, seconds: float = POLL_EVERY) -> int:
    at = before.polled_at + seconds
    return before.after(ahead=left, at=at, least=LEAST, most=MOST).size


@pytest.mark.parametrize(
    ("size", "left", "expected"),
    [
        (100, 9, 200),  # less than workers take was left: twice as much
        (100, 10, 180),  # 90 were started in 0.15 s: what is started in 0.3 s
        (20, 4, 40),
        (20, 5, 30),  # more than a quarter was left, though less than workers take
        (100, 70, 80),
        (100, 100, 80),
        (11, 11, LEAST),
        (9_000, 0, MOST),
    ],
)
def test_it_follows_what_workers_start(size: int, left: int, expected: int) -> None:
    assert after(window(size), left=left) == expected


def test_a_look_that_comes_too_soon_does_not_make_it_smaller() -> None:
    assert after(window(100), left=98, seconds=POLL_SOON) == 100


def test_a_look_that_comes_soon_makes_it_as_large_as_what_was_started_says() -> None:
    assert after(window(100), left=70, seconds=POLL_SOON) == 180


def test_a_window_that_is_empty_soon_grows_to_what_was_started_in_that_time() -> None:
    assert after(window(10), left=0, seconds=POLL_SOON) == 60


def test_what_others_have_published_meanwhile_is_no_start() -> None:
    assert after(window(100, ahead=20), left=60) == 80


@given(
    size=st.integers(LEAST, MOST),
    ahead=st.integers(0, MOST),
    left=st.integers(0, MOST),
    seconds=st.floats(0, 100),
)
def test_it_keeps_between_what_workers_take_and_what_may_be_published_at_all(
    size: int, ahead: int, left: int, seconds: float
) -> None:
    assert LEAST <= after(window(size, ahead=ahead), left=left, seconds=seconds) <= MOST


@given(rate=st.integers(1, 5_000), size=st.integers(LEAST, 2_000))
def test_beside_steady_workers_it_comes_to_rest_at_less_than_0_6_s_of_work(rate: int, size: int) -> None:
    now, ahead = window(size), size
    lacked = 0
    for number in range(60):
        # Each look fills it; soon again where it was too small.
        is_short = now.is_short(ahead, least=LEAST)
        wait = POLL_SOON if is_short else POLL_EVERY
        left = max(0, now.size - math.ceil(rate * wait))
        lacked += number > 40 and left == 0
        ahead = left
        at = now.polled_at + wait
        grown = PublishWindow(size=now.size, ahead=now.size, polled_at=now.polled_at)
        now = grown.after(ahead=left, at=at, least=LEAST, most=MOST)
    assert now.size <= max(2 * LEAST, rate * 0.6)
    assert lacked == 0 or rate * POLL_EVERY >= LEAST
