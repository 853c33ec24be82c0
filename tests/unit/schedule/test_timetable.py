from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.inner import checked_bounds
from tests.thoroughness import examples
from tests.unit.schedule.calls import calls_of
from tickerq_celery.errors import InvalidCronError, TickerValidationError
from tickerq_celery.schedule.timetable import Timetable, make_timetable

CREATED = datetime(2026, 1, 1, 12, 0, 0, 250_000, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def timetable(expression: str, zone: str = "UTC", **bounds: Any) -> Timetable:
    return make_timetable(expression, time_zone=zone, now=CREATED, bounds=checked_bounds(**bounds))


def walk(table: Timetable, after: str, count: int) -> list[datetime]:
    found: list[datetime] = []
    moment = table.next_after(at(after))
    while moment is not None and len(found) < count:
        found.append(moment)
        moment = table.next_after(moment)
    return found


def test_an_interval_without_a_start_begins_at_the_whole_second_of_its_making() -> None:
    table = timetable("@every 10m")
    assert (table.start_at, table.expression) == (at("2026-01-01T12:00"), "@every 10m")
    assert table.next_after(CREATED) == at("2026-01-01T12:10")


def test_an_interval_with_a_start_begins_there() -> None:
    table = timetable("@every 1d", start_at=at("2026-02-01T07:30"))
    assert walk(table, "2026-01-01", 2) == [at("2026-02-01T07:30"), at("2026-02-02T07:30")]
    assert table.latest_at_or_before(at("2026-02-01T07:29")) is None


@pytest.mark.parametrize("expression", ["@every 24h", "@every 1d"])
def test_an_interval_is_elapsed_time_whatever_the_clocks_do(expression: str) -> None:
    table = timetable(expression, "Europe/Berlin", start_at=at("2026-03-28T08:00"))
    assert walk(table, "2026-03-28T00:00", 3) == [at(f"2026-03-{day}T08:00") for day in (28, 29, 30)]


def test_the_start_and_the_end_are_inclusive() -> None:
    table = timetable("0 * * * *", start_at=at("2026-01-02T03:00"), end_at=at("2026-01-02T05:00"))
    assert walk(table, "2026-01-01", 9) == [at(f"2026-01-02T0{hour}:00") for hour in (3, 4, 5)]
    assert table.latest_at_or_before(at("2027-01-01")) == at("2026-01-02T05:00")
    assert table.latest_at_or_before(at("2026-01-02T03:00")) == at("2026-01-02T03:00")
    assert table.latest_at_or_before(at("2026-01-02T02:59")) is None


def test_an_excluded_date_is_one_of_the_zone() -> None:
    table = timetable("0 */12 * * *", "Asia/Tokyo", exclude=[date(2026, 1, 5)])
    # Tokyo's 5 January lasts from 15:00 UTC on the 4th to 15:00 UTC on the 5th.
    assert walk(table, "2026-01-04T00:00", 3) == [
        at("2026-01-04T03:00"),
        at("2026-01-05T15:00"),
        at("2026-01-06T03:00"),
    ]
    assert table.latest_at_or_before(at("2026-01-05T14:59")) == at("2026-01-04T03:00")


@pytest.mark.parametrize(
    ("zone", "day", "last", "first"),
    [
        # The clocks go back to 23:00 at the end of that day, so it has 25 hours.
        ("America/Havana", date(2026, 11, 1), "2026-11-01T03:59:59", "2026-11-02T05:00"),
        ("Africa/Cairo", date(2026, 10, 29), "2026-10-28T20:59:59", "2026-10-29T22:00"),
        # The clocks go from 00:00 to 01:00 at its beginning.
        ("Asia/Beirut", date(2026, 3, 29), "2026-03-28T21:59:59", "2026-03-29T21:00"),
    ],
)
def test_an_excluded_date_is_left_out_whole_where_clocks_change(
    zone: str, day: date, last: str, first: str
) -> None:
    table = timetable("* * * * * *", zone, exclude=[day])
    assert table.next_after(at(last)) == at(first)
    assert table.latest_at_or_before(at(first) - MOMENT) == at(last)


def test_a_day_that_the_zone_skipped_can_be_excluded() -> None:
    table = timetable("0 9 * * *", "Pacific/Apia", exclude=[date(2011, 12, 30), date(2011, 12, 31)])
    assert walk(table, "2011-12-29T18:00", 2) == [at("2011-12-29T19:00"), at("2011-12-31T19:00")]


def test_all_that_is_left_may_be_excluded() -> None:
    table = timetable("0 0 25 12 *", end_at=at("2027-06-01"), exclude=[date(2026, 12, 25)])
    assert table.next_after(CREATED) is None
    assert table.latest_at_or_before(at("2027-06-01")) == at("2025-12-25")


def test_a_thousand_excluded_dates_are_passed_over_at_once() -> None:
    days = [date(2026, 1, 2) + timedelta(days=count) for count in range(1000)]
    table = timetable("* * * * * *", "Europe/Berlin", exclude=days)
    # There are 86 million instants on those days.
    assert calls_of(lambda: table.next_after(at("2026-01-01T22:59:59"))) < 1000 * 200
    assert table.next_after(at("2026-01-01T22:59:59")) == at("2028-09-27T22:00")


def test_a_jitter_longer_than_the_interval_is_refused() -> None:
    assert timetable("@every 60s", jitter=60).expression == "@every 1m"
    with pytest.raises(TickerValidationError, match="jitter: longer than the interval, 0:01:00"):
        timetable("@every 60s", jitter=61)


def test_what_cannot_be_read_is_refused() -> None:
    with pytest.raises(InvalidCronError, match="@every"):
        timetable("@every now and then")
    with pytest.raises(InvalidCronError, match="never fires"):
        timetable("0 0 30 2 *")
    with pytest.raises(TickerValidationError, match="time_zone"):
        timetable("@every 5m", "Mars/Base")


EXPRESSIONS = ["@every 7h13m", "30 1-2 * * *", "*/40 * * * *", "0 */5 * * *", "15 0,12,23 * * SUN-TUE"]
ZONES = ["UTC", "America/New_York", "America/Havana", "Australia/Lord_Howe", "Asia/Beirut"]
AROUND = st.datetimes(datetime(2025, 2, 1), datetime(2026, 12, 1), timezones=st.just(UTC))  # noqa: DTZ001
DATES = st.lists(st.dates(date(2025, 2, 1), date(2026, 12, 1)), max_size=6)


@examples(250)
@given(st.sampled_from(EXPRESSIONS), st.sampled_from(ZONES), AROUND, AROUND, DATES, st.data())
def test_instants_ascend_within_the_bounds_and_do_not_depend_on_where_a_beat_begins(
    expression: str, zone: str, start: datetime, moment: datetime, exclude: list[date], data: st.DataObject
) -> None:
    end = start + data.draw(st.timedeltas(timedelta(0), timedelta(days=700)))
    near = data.draw(st.lists(st.integers(0, 3), max_size=3))
    days = exclude + [(moment + timedelta(days=each)).date() for each in near]
    table = timetable(expression, zone, start_at=start, end_at=end, exclude=days)
    following = table.next_after(moment)
    if following is None:
        return
    assert following > moment
    assert start <= following <= end
    assert following.astimezone(table.zone).date() not in days
    assert table.latest_at_or_before(following) == following
    between = moment + (following - moment) * data.draw(st.floats(0, 0.999))
    assert table.next_after(between) == following
    before = table.latest_at_or_before(following - MOMENT)
    assert before is None or (before <= moment and table.next_after(before) == following)


@pytest.mark.parametrize(
    ("expression", "spring", "autumn"),
    [("30 2 * * *", 1, 1), ("0 3 * * *", 1, 1), ("0,30 2,3 * * *", 2, 4), ("*/15 * * * *", 92, 100)],
)
def test_days_of_23_and_25_hours_have_the_starts_that_the_clocks_let_them(
    expression: str, spring: int, autumn: int
) -> None:
    table = timetable(expression, "Europe/Berlin")
    assert table.count(at("2026-03-28T23:00"), at("2026-03-29T22:00")) == spring
    assert table.count(at("2026-10-24T22:00"), at("2026-10-25T23:00")) == autumn


COUNTED_ZONES = ["UTC", "Europe/Berlin", "Australia/Lord_Howe", "America/St_Johns", "Africa/Casablanca"]
COUNTED = [
    "*/20 * 9-17 * * MON-FRI", "0 30 2 * * *", "0 */15 0-3 * * *", "*/7 1-3 * * *", "@every 50m", "0 2 * * *",
    "0 0 L * *", "30 1,2 * * SUN", "@every 7s", "0 0 29 2 *",
]  # fmt: skip
# Around changes of the clocks, and of the months.
BEGINS = ["2026-03-28", "2026-10-24T22:00", "2026-04-04T12:00", "2026-10-03", "2026-02-14", "2026-10-31"]


@pytest.mark.parametrize(
    ("zone", "until"),
    [
        ("Europe/Berlin", "2026-03-29T01:00"),
        ("Europe/Berlin", "2026-10-25T01:00"),
        ("America/St_Johns", "2026-03-08T05:30"),
    ],
)
def test_up_to_a_change_of_the_clocks_what_it_skips_or_repeats_is_not_counted(zone: str, until: str) -> None:
    table, since = timetable("30 * * * *", zone), at(until) - timedelta(hours=12)
    assert table.count(since, at(until)) == 12
    assert timetable("0 1-3 * * *", zone).count(since, at(until)) == sum(
        each < at(until) for each in walk(timetable("0 1-3 * * *", zone), since.isoformat()[:19], 9)
    )


@pytest.mark.verify
def test_what_lies_between_moments_of_far_centuries_is_counted_by_cycles_of_the_calendar() -> None:
    table = timetable("30 2 * * SUN", "Europe/Berlin")
    edges = [at(f"{year}-03-28T01:00") for year in (2090, 2390, 2690, 2990)]
    assert table.count(edges[0], edges[-1]) == sum(table.count(*each) for each in pairwise(edges))
    assert calls_of(lambda: table.count(at("2026-01-01"), at("9998-01-01"))) < 2_000_000


@examples(200)
@given(st.data())
def test_what_lies_between_two_moments_is_counted_without_walking_over_it(data: st.DataObject) -> None:
    since = at(data.draw(st.sampled_from(BEGINS))) + timedelta(
        seconds=data.draw(st.integers(0, 86_400)), microseconds=data.draw(st.sampled_from([0, 1]))
    )
    until = since + timedelta(minutes=data.draw(st.integers(0, 60 * 50)))
    table = timetable(
        data.draw(st.sampled_from(COUNTED)),
        data.draw(st.sampled_from(COUNTED_ZONES)),
        exclude=data.draw(st.sampled_from([(), (date(2026, 3, 29), date(2026, 10, 25))])),
        end_at=data.draw(st.sampled_from([None, at("2026-10-25T00:30")])),
        start_at=data.draw(st.sampled_from([None, at("2026-02-20T07:30")])),
    )
    walked, moment = 0, table.next_after(since - MOMENT)
    while moment is not None and moment < until:
        walked, moment = walked + 1, table.next_after(moment)
    assert table.count(since, until) == walked
