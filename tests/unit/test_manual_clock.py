from datetime import timedelta

from tests.manual_clock import START, ManualClock


def test_time_passes_only_when_it_is_advanced(clock: ManualClock) -> None:
    before = clock.monotonic()
    clock.advance(minutes=5, seconds=1)
    assert clock.now() == clock.sql_literal() == START + timedelta(minutes=5, seconds=1)
    assert clock.monotonic() - before == 301


def test_a_step_of_the_wall_clock_is_not_seen_by_the_monotonic_one(clock: ManualClock) -> None:
    before = clock.monotonic()
    clock.set(START - timedelta(hours=1))
    assert clock.now() == START - timedelta(hours=1)
    assert clock.monotonic() == before
