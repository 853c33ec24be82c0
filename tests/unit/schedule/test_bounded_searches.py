"""However seldom an expression fires, the search for its instants is short, by the steps that it takes."""

import calendar
from datetime import UTC, date, datetime, timedelta

import pytest

from benchmarks.cron_searches import AFTER, COUNT, HOSTILE
from tests.inner import Bounds
from tickerq_celery.schedule import dst, preview
from tickerq_celery.schedule.fields import CronFields
from tickerq_celery.schedule.timetable import make_timetable

# A day of a month that falls on a given weekday comes once in forty years at the least.
MOST_MONTHS_AN_INSTANT = 2 * 40 * 12
# Months have seven first weekdays and four lengths.
MOST_KINDS_OF_MONTHS = 28


class Steps:
    """Counts what a search looks at."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.months = self.kinds = self.shifts = 0
        month, days, shift = calendar.monthrange, CronFields._found_days, dst.shift_at

        def months(year: int, number: int) -> tuple[int, int]:
            self.months += 1
            return month(year, number)

        def kinds(fields: CronFields, first_weekday: int, length: int) -> int:
            self.kinds += 1
            return days(fields, first_weekday, length)

        def shifts(zone: dst.ZoneInfo, wall: datetime) -> dst.Shift | None:
            self.shifts += 1
            return shift(zone, wall)

        monkeypatch.setattr(calendar, "monthrange", months)
        monkeypatch.setattr(CronFields, "_found_days", kinds)
        monkeypatch.setattr(dst, "shift_at", shifts)


@pytest.mark.parametrize(("expression", "zone"), HOSTILE)
def test_an_expression_that_seldom_fires_takes_few_steps(
    expression: str, zone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = Steps(monkeypatch)
    found = preview.explain(expression, time_zone=zone, after=AFTER, count=COUNT)
    assert steps.months <= (len(found.upcoming) + 1) * MOST_MONTHS_AN_INSTANT
    assert steps.months < 5_000
    assert steps.kinds <= MOST_KINDS_OF_MONTHS
    assert steps.shifts <= 500


def test_a_thousand_excluded_dates_of_a_rare_expression_take_few_steps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    steps = Steps(monkeypatch)
    leap_years = [year for year in range(2028, 9998) if calendar.isleap(year)][:1_000]
    timetable = make_timetable(
        "0 0 29 2 *",
        time_zone="UTC",
        now=AFTER,
        bounds=Bounds(exclude=tuple(date(year, 2, 29) for year in leap_years)),
    )
    (first,) = preview.upcoming(timetable, after=AFTER, count=1)
    assert first == datetime(leap_years[-1] + 4, 2, 29, tzinfo=UTC)
    assert steps.months < 20_000
    assert timetable.latest_at_or_before(first - timedelta(days=1)) == datetime(2024, 2, 29, tzinfo=UTC)
