from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

from tickerq_celery.errors import TickerValidationError
from tickerq_celery.schedule.bounds import Bounds, checked_bounds

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
HOLIDAYS = [date(2026, 12, 26), date(2026, 12, 25), date(2026, 12, 25)]


def test_nothing_is_bounded_unless_it_is_asked_for() -> None:
    assert checked_bounds() == Bounds()


def test_bounds_are_kept_in_utc_sorted_and_once() -> None:
    bounds = checked_bounds(
        start_at=datetime(2026, 1, 1, 5, tzinfo=timezone(timedelta(hours=5))),
        end_at=NEW_YEAR,
        max_runs=3,
        exclude=HOLIDAYS,
        jitter=1.5,
    )
    assert (bounds.start_at, bounds.end_at, bounds.max_runs) == (NEW_YEAR, NEW_YEAR, 3)
    assert bounds.exclude == (date(2026, 12, 25), date(2026, 12, 26))
    assert bounds.jitter == timedelta(milliseconds=1500)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("start_at", datetime(2026, 1, 1)),  # noqa: DTZ001 - what is refused
        ("start_at", "2026-01-01"),
        ("end_at", date(2026, 1, 1)),
        ("max_runs", 0),
        ("max_runs", True),
        ("max_runs", 2.0),
        ("max_runs", 10**10),
        ("exclude", "2026-12-25"),
        ("exclude", None),
        ("exclude", ["2026-12-25"]),
        ("exclude", [NEW_YEAR]),
        ("exclude", [date(2026, 1, 1) + timedelta(days=day) for day in range(1001)]),
        ("jitter", -1),
        ("jitter", True),
        ("jitter", "5s"),
        ("jitter", 86_401),
        ("jitter", timedelta(days=2)),
        ("jitter", timedelta(microseconds=1)),
        ("jitter", float("nan")),
    ],
)
def test_a_bound_that_cannot_be_used_is_refused_with_its_name(field: str, value: Any) -> None:
    with pytest.raises(TickerValidationError) as caught:
        checked_bounds(**{field: value})
    assert caught.value.field == field


def test_an_end_before_the_start_is_refused() -> None:
    with pytest.raises(TickerValidationError, match="end_at: it is before start_at, 2026-01-01"):
        checked_bounds(start_at=NEW_YEAR, end_at=NEW_YEAR - timedelta(microseconds=1))
