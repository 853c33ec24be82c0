from datetime import timedelta

import pytest

from tickerq_celery.health.parts_read import Part, PartsRead


def test_the_slowest_part_is_named_also_one_that_goes_on() -> None:
    now = 100.0
    parts = PartsRead(lambda: now)
    assert parts.slowest() is None

    def taking(seconds: float) -> float:
        nonlocal now
        now += seconds
        return seconds

    assert parts.read("nodes", taking, 1.5) == 1.5
    parts.read("pauses", taking, 0.25)
    assert parts.slowest() == Part(what="nodes", took=timedelta(seconds=1.5))

    def given_up() -> None:
        nonlocal now
        now += 2
        assert parts.slowest() == Part(what="what waits", took=timedelta(seconds=2))
        raise TimeoutError

    with pytest.raises(TimeoutError):
        parts.read("what waits", given_up)
