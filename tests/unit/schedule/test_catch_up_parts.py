"""A catch-up in parts: whatever time passes between them, they are what was decided at once."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.inner import Plan, checked_bounds, first_part, next_part, plan, within_runs
from tickerq_celery.enums import MisfirePolicy
from tickerq_celery.schedule.timetable import Timetable, make_timetable

NOW = datetime(2026, 3, 30, 9, 17, 23, tzinfo=UTC)  # The day after clocks in Berlin were put forward.
EXPRESSIONS = ["* * * * *", "*/7 2,3 * * *", "*/10 * * * * *", "@every 90s", "30 9 * * 1-5"]
DURATIONS = st.integers(0, 4 * 24 * 3600).map(lambda seconds: timedelta(seconds=seconds))


def timetable(expression: str) -> Timetable:
    bounds = checked_bounds(end_at=NOW + timedelta(days=1), exclude=[date(2026, 3, 28)])
    return make_timetable(expression, time_zone="Europe/Berlin", now=NOW - timedelta(days=30), bounds=bounds)


def stored_in_parts(whole: Plan, schedule: Timetable, *, most: int, runs: int | None) -> list[Plan]:
    """Return the parts of a plan as beats store them, each counting what the ones before it stored."""
    parts = [within_runs(first_part(whole, most=most, now=NOW), left=runs)]
    while (until := parts[-1].catch_up_until) is not None and parts[-1].next_run_at is not None:
        left = None if runs is None else runs - sum(len(each.instants) for each in parts)
        part = next_part(schedule, next_run_at=parts[-1].next_run_at, until=until, most=most)
        parts.append(within_runs(part, left=left))
    return parts


@given(
    expression=st.sampled_from(EXPRESSIONS),
    outage=DURATIONS,
    misfire=st.sampled_from(MisfirePolicy),
    limit=st.integers(1, 60),
    grace=st.none() | DURATIONS,
    late_after=st.sampled_from([timedelta(seconds=5), timedelta(minutes=20)]),
    most=st.integers(2, 30),
    runs=st.none() | st.integers(1, 40),
)
def test_the_parts_of_a_catch_up_are_the_whole(
    expression: str,
    outage: timedelta,
    misfire: MisfirePolicy,
    limit: int,
    grace: timedelta | None,
    late_after: timedelta,
    most: int,
    runs: int | None,
) -> None:
    schedule = timetable(expression)
    first = schedule.next_after(NOW - outage)
    assert first is not None
    decided = plan(
        schedule,
        next_run_at=first,
        now=NOW,
        late_after=late_after,
        misfire=misfire,
        misfire_limit=limit,
        misfire_grace=grace,
    )
    whole = within_runs(decided, left=runs)
    parts = stored_in_parts(decided, schedule, most=most, runs=runs)
    assert tuple(at for part in parts for at in part.instants) == whole.instants
    assert [part.skipped for part in parts] == [whole.skipped, *[None] * (len(parts) - 1)]
    assert parts[-1].next_run_at == whole.next_run_at
    assert max(len(part.instants) for part in parts) <= most


def test_a_plan_that_fits_is_its_own_first_part() -> None:
    decided = Plan(instants=(NOW,), next_run_at=NOW + timedelta(minutes=1), skipped=None)
    assert first_part(decided, most=2, now=NOW) == decided


@pytest.mark.parametrize("most", [2, 3])
def test_a_catch_up_ends_at_the_moment_that_it_was_decided_at(most: int) -> None:
    schedule = timetable("* * * * *")
    minute = timedelta(minutes=1)
    first, until = NOW.replace(second=0), NOW + minute
    part = next_part(schedule, next_run_at=first, until=until, most=most)
    assert part == Plan(instants=(first, first + minute), next_run_at=first + 2 * minute, skipped=None)
