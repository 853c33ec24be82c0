"""How long to wait before the next try of what is unreachable."""

import pytest

from tickerq_celery.runtime import backoff
from tickerq_celery.runtime.backoff import Backoff


@pytest.fixture
def longest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backoff.random, "uniform", lambda low, high: high)


@pytest.mark.usefixtures("longest")
def test_pauses_double_up_to_the_longest_and_begin_again_after_an_answer() -> None:
    pauses = Backoff(1, 5)
    assert [pauses.next() for _ in range(5)] == [1, 2, 4, 5, 5]
    pauses.reset()
    assert pauses.next() == 1


@pytest.mark.usefixtures("longest")
def test_a_shortest_pause_above_the_longest_is_kept() -> None:
    assert [Backoff(60, 5).next() for _ in range(3)] == [60, 60, 60]


def test_a_pause_is_spread_over_the_upper_half() -> None:
    pauses = sorted(Backoff(4, 4).next() for _ in range(500))
    assert 2 <= pauses[0] < 2.5 < 3.5 < pauses[-1] <= 4
