"""How much of a limit that they share several reads may take."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from tickerq_celery.runtime import shared_limit
from tickerq_celery.runtime.shared_limit import part_of, sharing, writing


class Watch:
    """A monotonic clock that the test sets."""

    def __init__(self) -> None:
        self.at = 100.0

    def monotonic(self) -> float:
        return self.at


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Iterator[Watch]:
    found = Watch()
    monkeypatch.setattr(shared_limit, "time", found)
    return found


def test_a_read_outside_of_a_block_has_all_its_seconds(watch: Watch) -> None:
    assert part_of(2.0) == 2.0
    with sharing(timedelta(seconds=1)):
        pass
    assert part_of(2.0) == 2.0


def test_each_read_of_a_block_has_three_quarters_of_what_is_left(watch: Watch) -> None:
    had = []
    with sharing(timedelta(seconds=2)):
        for _ in range(3):
            had.append(part_of(2.0))
            watch.at += had[-1]
    assert had == pytest.approx([1.5, 0.375, 0.09375])


def test_quick_reads_leave_the_others_all_they_may_have(watch: Watch) -> None:
    with sharing(timedelta(seconds=4)):
        watch.at += 0.5
        assert part_of(2.0) == 2.0


def test_however_many_read_they_never_take_more_than_the_limit(watch: Watch) -> None:
    with sharing(timedelta(seconds=2.6)):
        for _ in range(50):
            watch.at += part_of(2.0)
    assert watch.at <= 102.6


def test_after_the_limit_nothing_is_left(watch: Watch) -> None:
    with sharing(timedelta(seconds=1)):
        watch.at += 1
        assert part_of(2.0) <= 0


def test_a_block_inside_of_one_has_no_more_than_that(watch: Watch) -> None:
    with sharing(timedelta(seconds=0.3)):
        with sharing(timedelta(seconds=60)):
            assert part_of(2.0) == pytest.approx(0.225)
        with sharing(timedelta(seconds=0.03)):
            assert part_of(2.0) == pytest.approx(0.0225)
        assert part_of(2.0) == pytest.approx(0.225)


def test_what_writes_is_no_part_of_the_limit(watch: Watch) -> None:
    with sharing(timedelta(seconds=2)):
        watch.at += 1
        with writing():
            watch.at += 60
            assert part_of(2.0) == 2.0
            with writing():
                watch.at += 60
        assert part_of(2.0) == pytest.approx(0.75)
    assert part_of(2.0) == 2.0
