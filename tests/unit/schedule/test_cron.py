from dataclasses import FrozenInstanceError, replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from croniter import croniter
from hypothesis import given
from hypothesis import strategies as st

from tests.thoroughness import examples
from tests.unit.schedule.calls import calls_of
from tickerq_celery.errors import InvalidCronError, TickerValidationError
from tickerq_celery.schedule.cron_expression import CronSchedule
from tickerq_celery.schedule.grammar import ALIASES
from tickerq_celery.schedule.preview import explain, preview
from tickerq_celery.views import Explanation

NEW_YORK = "America/New_York"
ZONES = [
    "UTC",
    "Europe/London",
    NEW_YORK,
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "America/Sao_Paulo",
    "Asia/Beirut",
    "Africa/Cairo",
    "Africa/Casablanca",
    "Pacific/Apia",
    "Asia/Kathmandu",
]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def instants(expression: str, zone: str, after: str, count: int, *, day_or: bool = False) -> list[datetime]:
    return preview(expression, time_zone=zone, after=at(after), count=count, day_or=day_or)


GAPS = [
    # A time that the clocks skip runs once, at the first valid instant.
    ("30 2 * * *", NEW_YORK, "2025-03-08T12:00", ["2025-03-09T07:00", "2025-03-10T06:30"]),
    ("0 2 * * *", NEW_YORK, "2025-03-08T12:00", ["2025-03-09T07:00", "2025-03-10T06:00"]),
    ("30 1 * * *", "Europe/London", "2024-03-30T12:00", ["2024-03-31T01:00", "2024-04-01T00:30"]),
    ("15 2 * * *", "Australia/Lord_Howe", "2024-10-05T00:00", ["2024-10-05T15:30", "2024-10-06T15:15"]),
    ("0 0 * * *", "America/Sao_Paulo", "2018-11-03T12:00", ["2018-11-04T03:00", "2018-11-05T02:00"]),
    ("0 0 * * *", "Asia/Beirut", "2024-03-30T12:00", ["2024-03-30T22:00", "2024-03-31T21:00"]),
    ("30 0 * * *", "Africa/Cairo", "2024-04-25T12:00", ["2024-04-25T22:00", "2024-04-26T21:30"]),
    # A whole day was skipped.
    ("0 9 * * *", "Pacific/Apia", "2011-12-29T20:00", ["2011-12-30T10:00", "2011-12-30T19:00"]),
    ("0 9 30 12 *", "Pacific/Apia", "2011-01-01T00:00", ["2011-12-30T10:00", "2012-12-29T19:00"]),
    # All that falls into one gap is one run, also where that instant matches by itself.
    ("0-59 2 * * *", NEW_YORK, "2025-03-09T06:00", ["2025-03-09T07:00", "2025-03-10T06:00"]),
    ("0,30 2-3 * * *", NEW_YORK, "2025-03-09T06:00", ["2025-03-09T07:00", "2025-03-09T07:30"]),
    ("*/10 30 2 * * *", NEW_YORK, "2025-03-09T06:00", ["2025-03-09T07:00", "2025-03-10T06:30"]),
    # The instant itself is not after itself.
    ("30 2 * * *", NEW_YORK, "2025-03-09T07:00", ["2025-03-10T06:30"]),
    # Wild ones make nothing up.
    ("*/30 * * * *", NEW_YORK, "2025-03-09T06:15", ["2025-03-09T06:30", "2025-03-09T07:00"]),
    ("*/30 2 * * *", NEW_YORK, "2025-03-08T12:00", ["2025-03-10T06:00", "2025-03-10T06:30"]),
    ("0 */2 * * *", NEW_YORK, "2025-03-09T05:30", ["2025-03-09T08:00", "2025-03-09T10:00"]),
    ("*/30 9 * * *", "Pacific/Apia", "2011-12-29T20:00", ["2011-12-30T19:00", "2011-12-30T19:30"]),
    ("45 */2 * * *", "Pacific/Chatham", "2024-09-28T13:45", ["2024-09-28T15:00", "2024-09-28T17:00"]),
]

FOLDS = [
    # A time that the clocks repeat runs in the first pass only.
    ("30 1 * * *", NEW_YORK, "2025-11-01T12:00", ["2025-11-02T05:30", "2025-11-03T06:30"]),
    ("30 1 * * *", "Europe/London", "2024-10-26T12:00", ["2024-10-27T00:30", "2024-10-28T01:30"]),
    ("45 1 * * *", "Australia/Lord_Howe", "2024-04-06T00:00", ["2024-04-06T14:45", "2024-04-07T15:15"]),
    ("30 23 * * *", "America/Sao_Paulo", "2018-02-17T12:00", ["2018-02-18T01:30", "2018-02-19T02:30"]),
    ("*/30 30 1 * * *", NEW_YORK, "2025-11-02T05:30", ["2025-11-02T05:30:30", "2025-11-03T06:30"]),
    ("0,30 1-2 * * *", NEW_YORK, "2025-11-02T05:00", ["2025-11-02T05:30", "2025-11-02T07:00"]),
    # Asked within the second pass, what remains of it does not count either.
    ("30 1 * * *", NEW_YORK, "2025-11-02T06:10", ["2025-11-03T06:30"]),
    ("15,45 1 * * *", NEW_YORK, "2025-11-02T06:30", ["2025-11-03T06:15"]),
    # Wild ones run in both.
    (
        "*/30 * * * *",
        NEW_YORK,
        "2025-11-02T05:15",
        ["2025-11-02T05:30", "2025-11-02T06:00", "2025-11-02T06:30"],
    ),
    (
        "15 * * * *",
        NEW_YORK,
        "2025-11-02T05:00",
        ["2025-11-02T05:15", "2025-11-02T06:15", "2025-11-02T07:15"],
    ),
    (
        "*/40 1 * * *",
        NEW_YORK,
        "2025-11-02T05:00",
        ["2025-11-02T05:40", "2025-11-02T06:00", "2025-11-02T06:40"],
    ),
    ("0 */2 * * *", "Australia/Lord_Howe", "2024-04-06T14:00", ["2024-04-06T15:30", "2024-04-06T17:30"]),
    ("*/15 * * * *", "Australia/Lord_Howe", "2024-04-06T14:50", ["2024-04-06T15:00", "2024-04-06T15:15"]),
    ("30 */1 * * * *", NEW_YORK, "2025-11-02T05:59", ["2025-11-02T05:59:30", "2025-11-02T06:00:30"]),
]

ORDINARY = [
    ("0 9 * * *", "UTC", "2024-01-01T09:00", ["2024-01-02T09:00"]),
    ("0 9 * * *", NEW_YORK, "2024-01-01T00:00", ["2024-01-01T14:00"]),
    ("0 0 9 * * *", NEW_YORK, "2024-01-01T00:00", ["2024-01-01T14:00"]),
    ("* * * * * *", "UTC", "2024-01-01T00:00:00.5", ["2024-01-01T00:00:01", "2024-01-01T00:00:02"]),
    ("15,45 30 6 * * *", "UTC", "2024-01-01T00:00", ["2024-01-01T06:30:15", "2024-01-01T06:30:45"]),
    ("59 59 23 31 12 *", "UTC", "2024-12-31T23:59:59", ["2025-12-31T23:59:59"]),
    ("0 0 29 2 *", "UTC", "2024-03-01T00:00", ["2028-02-29T00:00"]),
    ("0 0 29 2 *", "UTC", "2096-03-01T00:00", ["2104-02-29T00:00"]),
    ("0 0 29 2 MON", "UTC", "2024-01-01T00:00", ["2044-02-29T00:00", "2072-02-29T00:00"]),
    ("0 0 31 * *", "UTC", "2024-01-31T00:00", ["2024-03-31T00:00", "2024-05-31T00:00"]),
    ("0 22-1 * * *", "UTC", "2024-01-01T22:00", ["2024-01-01T23:00", "2024-01-02T00:00", "2024-01-02T01:00"]),
    (
        "0 23-5/2 * * *",
        "UTC",
        "2024-01-01T12:00",
        ["2024-01-01T23:00", "2024-01-02T01:00", "2024-01-02T03:00"],
    ),
    ("0 5-5 * * *", "UTC", "2024-01-01T00:00", ["2024-01-01T05:00", "2024-01-02T05:00"]),
    ("0 07-7 * * *", "UTC", "2024-01-01T00:00", ["2024-01-01T07:00", "2024-01-02T07:00"]),
    ("0 22-7/5 * * *", "UTC", "2024-01-01T00:00", ["2024-01-01T03:00", "2024-01-01T22:00"]),
    ("50/7 * * * *", "UTC", "2024-01-01T00:00", ["2024-01-01T00:50", "2024-01-01T00:57", "2024-01-01T01:50"]),
    ("59/15 * * * *", "UTC", "2024-01-01T00:00", ["2024-01-01T00:59", "2024-01-01T01:59"]),
    ("0 0 1 jan,JUL *", "UTC", "2024-01-01T00:00", ["2024-07-01T00:00", "2025-01-01T00:00"]),
    (
        "0 0 * * fri-MON",
        "UTC",
        "2024-01-01T00:00",
        ["2024-01-05T00:00", "2024-01-06T00:00", "2024-01-07T00:00"],
    ),
    ("0 0 ? * MON", "UTC", "2024-01-01T00:00", ["2024-01-08T00:00"]),
]

# 2024-01-01 is a Monday.
DAYS = [
    ("0 0 13 * FRI", False, ["2024-09-13", "2024-12-13"]),
    ("0 0 13 * FRI", True, ["2024-01-05", "2024-01-12", "2024-01-13"]),
    ("0 0 */2 * MON", False, ["2024-01-15", "2024-01-29"]),
    (
        "0 0 */2 * MON",
        True,
        ["2024-01-15", "2024-01-29"],
    ),  # as in Unix, what begins with a star restricts nothing
    ("0 0 13 * *", True, ["2024-01-13", "2024-02-13"]),
    ("0 0 * * FRI", True, ["2024-01-05", "2024-01-12"]),
    ("0 0 L * *", False, ["2024-01-31", "2024-02-29"]),
    ("0 0 15,L * *", False, ["2024-01-15", "2024-01-31"]),
    ("0 0 L * FRI", False, ["2024-05-31", "2025-01-31"]),
    ("0 0 L * FRI", True, ["2024-01-05", "2024-01-12"]),
    ("0 0 * * FRI#2", False, ["2024-01-12", "2024-02-09"]),
    ("0 0 * * MON#5", False, ["2024-01-29", "2024-04-29"]),
    ("0 0 * * MON-TUE#1", False, ["2024-01-02", "2024-02-05", "2024-02-06"]),
    ("0 0 * * L5", False, ["2024-01-26", "2024-02-23"]),
    ("0 0 * * L7", False, ["2024-01-28", "2024-02-25"]),
    ("0 0 1-10 * FRI#2", False, ["2024-02-09", "2024-03-08"]),
    ("0 0 1-25 2 L5", False, ["2024-02-23", "2028-02-25"]),
    ("0 0 * * FRIL", False, ["2024-01-26", "2024-02-23"]),
    ("0 0 * * monl,5L", False, ["2024-01-26", "2024-01-29", "2024-02-23", "2024-02-26"]),
    ("0 0 1W 6 *", False, ["2024-06-03", "2025-06-02"]),  # a Saturday, a Sunday
    ("0 0 30W 6 *", False, ["2024-06-28", "2025-06-30"]),  # a Sunday that ends its month
    (
        "0 0 15w * *",
        False,
        ["2024-01-15", "2024-02-15", "2024-03-15", "2024-04-15", "2024-05-15", "2024-06-14"],
    ),
    ("0 0 31W * *", False, ["2024-01-31", "2024-03-29", "2024-05-31"]),  # not in a month without a 31st
    ("0 0 LW 2,3,6 *", False, ["2024-02-29", "2024-03-29", "2024-06-28"]),
    ("0 0 1,15W,LW 6 *", False, ["2024-06-01", "2024-06-14", "2024-06-28"]),
    ("0 0 LW * MON", True, ["2024-01-08", "2024-01-15", "2024-01-22", "2024-01-29", "2024-01-31"]),
    ("0 0 LW * FRI", False, ["2024-03-29", "2024-05-31", "2024-06-28"]),
]


@pytest.mark.parametrize(("expression", "zone", "after", "expected"), GAPS + FOLDS + ORDINARY)
def test_an_expression_runs_at_these_instants(
    expression: str, zone: str, after: str, expected: list[str]
) -> None:
    assert instants(expression, zone, after, len(expected)) == [at(text) for text in expected]


@pytest.mark.parametrize(("expression", "zone", "after", "expected"), GAPS + FOLDS + ORDINARY)
def test_looking_back_finds_the_same_instants(
    expression: str, zone: str, after: str, expected: list[str]
) -> None:
    schedule = CronSchedule.parse(expression, time_zone=zone)
    moment = at(expected[-1])
    for text in reversed(expected):
        assert schedule.latest_at_or_before(moment) == at(text)
        moment = at(text) - timedelta(microseconds=1)
    found = schedule.latest_at_or_before(moment)
    assert found is not None
    assert found <= at(after)


@pytest.mark.parametrize(("expression", "day_or", "expected"), DAYS)
def test_both_day_fields_must_match_unless_either_is_asked_for(
    expression: str, day_or: bool, expected: list[str]
) -> None:
    assert instants(expression, "UTC", "2024-01-01", len(expected), day_or=day_or) == list(map(at, expected))


LAST_WEEKDAYS = [
    (f"L{number}", [f"{number}L", f"{name}L", f"{name.lower()}l"])
    for number, name in enumerate(["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"])
]


@pytest.mark.parametrize(("croniters", "others"), LAST_WEEKDAYS)
@pytest.mark.parametrize("day", ["*", "22-27"])
def test_the_last_weekday_means_the_same_in_each_spelling(
    croniters: str, others: list[str], day: str
) -> None:
    for other in others:
        for day_or in (False, True):
            # Over the change of the clocks on the last Sunday of March, and both ways.
            expected = explained(f"*/20 2 {day} 3,10 {croniters}", day_or)
            assert explained(f"*/20 2 {day} 3,10 {other}", day_or) == expected
            ours, theirs = (
                CronSchedule.parse(f"30 1 {day} * {term}", time_zone="Europe/Berlin", day_or=day_or)
                for term in (croniters, other)
            )
            assert ours.times == theirs.times
            assert ours.sets_both_days == theirs.sets_both_days
            moment = at("2025-03-01")
            assert ours.latest_at_or_before(moment) == theirs.latest_at_or_before(moment)


def explained(expression: str, day_or: bool) -> Explanation:
    found = explain(expression, time_zone="Europe/Berlin", after=at("2025-03-01"), count=30, day_or=day_or)
    assert found.expression == expression
    return replace(found, expression="")


def test_the_nearest_workday_means_the_same_in_each_spelling() -> None:
    schedules = [
        CronSchedule.parse(f"0 9 {term} * *", time_zone="UTC").times for term in ("15W", "15w", "W15", "w15")
    ]
    assert schedules == [schedules[0]] * 4


@pytest.mark.parametrize("sunday", ["0", "7", "SUN", "sun", "7-7", "0-0", "SUN-SUN", "0,7"])
def test_sunday_has_three_spellings(sunday: str) -> None:
    assert instants(f"0 9 * * {sunday}", "UTC", "2024-01-01", 2) == [
        at("2024-01-07T09:00"),
        at("2024-01-14T09:00"),
    ]


@pytest.mark.parametrize("week", ["0-6", "0-7", "1-7", "SUN-SAT", "MON-SUN", "MON-7"])
def test_a_whole_week_of_weekdays_is_every_day(week: str) -> None:
    assert instants(f"0 9 * * {week}", "UTC", "2024-01-01T09:00", 7) == [
        at(f"2024-01-0{day}T09:00") for day in range(2, 9)
    ]


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        (None, "text"),
        (["* * * * *"], "text"),
        ("", "not 0"),
        ("* * * *", "not 4"),
        ("* * * * * * *", "not 7"),
        ("@reboot", "no such alias"),
        ("@daily 5", "not 2"),
        ("@", "no such alias"),
        ("%Jobs:Daily%", "not 1"),
        ("0" * 201, "longer than 200"),
        ("60 * * * *", "minute: '60'"),
        ("60 * * * * *", "second: '60'"),
        ("0 24 * * *", "hour: '24'"),
        ("0 0 0 * *", "day of month: '0'"),
        ("0 0 32 * *", "day of month: '32'"),
        ("0 0 * 0 *", "month: '0'"),
        ("0 0 * 13 *", "month: '13'"),
        ("0 0 * * 8", "day of week: '8'"),
        ("0 0 * FRI *", "month: 'FRI'"),
        ("MON * * * *", "minute: 'MON'"),
        ("*/0 * * * *", "minute: '[*]/0'"),
        ("*/90 * * * *", "minute: '[*]/90' steps over the whole field"),
        ("0 0-23/24 * * *", "hour: '0-23/24' steps over the whole field"),
        ("0 0 1/32 * *", "day of month: '1/32' steps over the whole field"),
        ("5-9/0 * * * *", "minute: '5-9/0'"),
        ("1,,2 * * * *", "minute: ''"),
        ("5- * * * *", "minute: '5-'"),
        ("-5 * * * *", "minute: '-5'"),
        ("1.5 * * * *", "minute: '1.5'"),
        ("٥ * * * *", "minute: '٥'"),  # noqa: RUF001 - a digit, but not an ASCII one
        ("? * * * *", "minute: '[?]'"),
        ("0 0 1,? * *", "day of month: '[?]'"),
        ("0 0 1-L * *", "day of month: '1-L'"),
        ("0 0 W * *", "day of month: 'W' is not 1-31, L"),
        ("0 0 W15W * *", "day of month: 'W15W'"),
        ("0 0 W15-20 * *", "day of month: 'W15-20'"),
        ("0 0 W15/2 * *", "day of month: 'W15/2'"),
        ("0 0 0W * *", "day of month: '0'"),
        ("0 0 32W * *", "day of month: '32'"),
        ("0 0 1-15W * *", "day of month: '1-15W'"),
        ("0 0 LW/2 * *", "day of month: 'LW/2'"),
        ("0 0 WL * *", "day of month: 'WL'"),
        ("15W * * * *", "minute: '15W'"),
        ("0 0 * * 5W", "day of week: '5W'"),
        ("0 0 * * 8L", "day of week: '8L'"),
        ("0 0 * * FOOL", "day of week: 'FOO'"),
        ("0 0 * * 1-5L", "day of week: '1-5L'"),
        ("0 0 * * 5L,1", "day of week: '5L,1' mixes"),
        ("0 0 * * L", "day of week: 'L'"),
        ("0 0 * * 1#6", "day of week: '1#6'"),
        ("0 0 * * 1#2,3", "day of week: '1#2,3' mixes"),
        ("R * * * *", "minute: 'R' is random"),
        ("0 H(0-5) * * *", r"hour: 'H\(0-5\)'"),
        ("0 h/3 * * *", "hour: 'h/3' is random"),
        ("0 0 30 2 *", "never fires"),
        ("0 0 31 2,4,6,9,11 *", "never fires"),
        ("0 0 29 2 1#1", "never fires"),
        ("0 0 15-21 * L5", "never fires"),
        ("0 0 15-21 * FRIL", "never fires"),
        ("0 0 15W * SAT", "never fires"),
        ("0 0 30W 2 *", "never fires"),
    ],
)
def test_what_cannot_run_is_refused_with_the_field_and_the_reason(expression: str, reason: str) -> None:
    with pytest.raises(InvalidCronError, match=reason) as caught:
        CronSchedule.parse(expression, time_zone="UTC")
    assert caught.value.expression is not None or expression is None


@pytest.mark.parametrize(
    "zone",
    [
        "",
        "Mars/Base",
        "../etc/passwd",
        "/etc/passwd",
        "America",
        "right/UTC",
        "posix/UTC",
        "localtime",
        "a\0b",
        None,
    ],
)
def test_an_unknown_time_zone_is_refused(zone: str) -> None:
    with pytest.raises(TickerValidationError, match="time_zone") as caught:
        CronSchedule.parse("* * * * *", time_zone=zone)
    assert caught.value.value == zone


def test_white_space_is_normalised_and_schedules_are_values() -> None:
    schedule = CronSchedule.parse("  0\t9  *\n* * ", time_zone="UTC")
    assert schedule.expression == "0 9 * * *"
    assert schedule == CronSchedule.parse("0 9 * * *", time_zone="UTC")
    assert schedule is CronSchedule.parse("0 9  * * *", time_zone="UTC")
    assert schedule != CronSchedule.parse("0 9 * * *", time_zone="Europe/London")
    with pytest.raises(FrozenInstanceError):
        schedule.expression = "* * * * *"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("expression", "both"),
    [
        ("0 0 1 * 1", True),
        ("0 0 1 * *", False),
        ("0 0 * * 1", False),
        ("0 0 */2 * 1", False),
        ("0 0 ? * 1", False),
    ],
)
def test_a_schedule_says_if_both_day_fields_are_set(expression: str, both: bool) -> None:
    assert CronSchedule.parse(expression, time_zone="UTC").sets_both_days is both


def test_a_naive_moment_is_refused() -> None:
    schedule = CronSchedule.parse("* * * * *", time_zone="UTC")
    naive = datetime(2024, 1, 1)  # noqa: DTZ001 - the point of the test
    with pytest.raises(TickerValidationError, match="pass an aware one"):
        schedule.next_after(naive)
    with pytest.raises(TickerValidationError, match="pass an aware one"):
        schedule.latest_at_or_before(naive)
    with pytest.raises(TickerValidationError, match="after: a naive datetime"):
        preview("* * * * *", after=naive)


def test_any_aware_moment_will_do_and_the_answer_is_utc() -> None:
    schedule = CronSchedule.parse("0 9 * * *", time_zone=NEW_YORK)
    found = schedule.next_after(datetime(2024, 1, 1, 5, tzinfo=timezone(timedelta(hours=5))))
    assert found == at("2024-01-01T14:00")
    assert found.tzinfo is UTC


@pytest.mark.parametrize("count", [0, -1, 1001, True, 2.0, "3"])
def test_a_preview_counts_from_1_to_1000(count: int) -> None:
    with pytest.raises(TickerValidationError, match="count"):
        preview("* * * * *", after=at("2024-01-01"), count=count)


def test_a_preview_has_ten_instants_by_default_and_a_thousand_at_most() -> None:
    assert len(preview("* * * * *", after=at("2024-01-01"))) == 10
    assert preview("* * * * *", after=at("2024-01-01"), count=1000)[-1] == at("2024-01-01T16:40")


def test_an_expression_that_names_only_skipped_times_ends_the_search() -> None:
    # Summer time begins in this very hour, each year since 2007; a wild expression makes nothing up.
    schedule = CronSchedule.parse("*/5 2 * 3 SUN#2", time_zone=NEW_YORK)
    assert schedule.next_after(at("2024-01-01")) is None
    assert preview("*/5 2 * 3 SUN#2", time_zone=NEW_YORK, after=at("2024-01-01")) == []


def test_the_ends_of_the_calendar_have_no_further_instant() -> None:
    schedule = CronSchedule.parse("0 0 1 1 *", time_zone=NEW_YORK)
    assert schedule.next_after(datetime.max.replace(tzinfo=UTC)) is None
    assert schedule.next_after(at("9998-06-01")) is None
    assert schedule.latest_at_or_before(datetime.min.replace(tzinfo=UTC)) is None
    assert schedule.latest_at_or_before(at("0002-01-01")) is None


@pytest.mark.parametrize("alias", ALIASES)
def test_an_alias_is_what_croniter_says_it_is(alias: str) -> None:
    judge = croniter(alias, at("2024-01-01T00:00:30"))
    expected = [judge.get_next(datetime) for _ in range(5)]
    for text in (alias, f" {alias.upper()} "):
        assert instants(text, "UTC", "2024-01-01T00:00:30", 5) == expected
        assert CronSchedule.parse(text, time_zone="UTC").expression == alias


def test_hourly_is_wild_and_daily_is_not() -> None:
    assert len(instants("@hourly", NEW_YORK, "2025-11-02T04:30", 3)) == 3
    assert instants("@hourly", NEW_YORK, "2025-11-02T04:30", 3)[-1] == at("2025-11-02T07:00")
    assert instants("@daily", "Asia/Beirut", "2024-03-30T12:00", 1) == [at("2024-03-30T22:00")]


# Some ten milliseconds of work; a search through the calendar is many times that.
FEW_CALLS = 100_000
HOSTILE = [
    "0 0 1--100000000 * *",
    "0 0 1-100000000 * *",
    "0-999999999999/1 * * * *",
    "*/0 * * * *",
    "0" * 10_000,
    "* " * 5_000,
    f"{'1,' * 97}1 * * *",
    f"{'9' * 190} * * * *",
    f"{'1-59/1,' * 27},x * * * *",
    "0 0 30 2 *",
    "0 0 31 2,4,6,9,11 *",
    "0 0 30 2 MON#1",
    "@every 99999999999999999999d",
    f"@every {'9' * 10_000}s",
]


@pytest.mark.parametrize("expression", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_expression_is_refused_at_little_cost(expression: str) -> None:
    def refused() -> None:
        with pytest.raises(InvalidCronError):
            preview(expression, after=at("2024-01-01"))

    assert calls_of(refused) < FEW_CALLS


@pytest.mark.parametrize("expression", ["0 0 29 2 MON#5", "*/5 2 * 3 SUN#2", "0 0 29 2 1", "59 59 23 L 2 L6"])
def test_the_rarest_instant_is_found_at_little_cost(expression: str) -> None:
    schedule = CronSchedule.parse(expression, time_zone=NEW_YORK)
    assert calls_of(lambda: schedule.next_after(at("2024-03-01"))) < FEW_CALLS
    assert calls_of(lambda: schedule.latest_at_or_before(at("2024-03-01"))) < FEW_CALLS


def numbers(low: int, high: int) -> st.SearchStrategy[str]:
    number = st.integers(low, high)
    return st.one_of(
        st.just("*"),
        st.integers(1, high).map(lambda step: f"*/{step}"),
        number.map(str),
        st.lists(number, min_size=1, max_size=4).map(lambda several: ",".join(map(str, several))),
        st.tuples(number, number, st.integers(1, 9)).map(lambda it: f"{it[0]}-{it[1]}/{it[2]}"),
    )


EXPRESSIONS = st.tuples(
    st.sampled_from(["", "0 ", "*/20 ", "5,35 "]),
    numbers(0, 59),
    numbers(0, 23),
    st.sampled_from(["*", "1", "L", "*/2", "28-31", "10-20"]),
    st.sampled_from(["*", "*", "3,10", "MAR-NOV", "1-12/3"]),
    st.sampled_from(["*", "*", "SUN", "1-5", "SUN#1", "L0"]),
).map(lambda it: f"{it[0]}{' '.join(it[1:])}")
MOMENTS = st.datetimes(datetime(2005, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@st.composite
def schedules(draw: st.DrawFn) -> CronSchedule:
    text, zone, day_or = draw(EXPRESSIONS), draw(st.sampled_from(ZONES)), draw(st.booleans())
    try:
        return CronSchedule.parse(text, time_zone=zone, day_or=day_or)
    except InvalidCronError:
        return CronSchedule.parse("30 1-2 * * *", time_zone=zone, day_or=day_or)


@examples(200)
@given(schedules(), MOMENTS)
def test_the_next_instant_is_later_and_nothing_lies_between(schedule: CronSchedule, moment: datetime) -> None:
    following = schedule.next_after(moment)
    assert following is not None
    assert following > moment
    assert following.microsecond == 0
    assert schedule.latest_at_or_before(following) == following
    before = schedule.latest_at_or_before(following - timedelta(microseconds=1))
    assert before is not None
    assert before <= moment
    assert schedule.next_after(before) == following


@examples(200)
@given(schedules(), MOMENTS, st.timedeltas(timedelta(0), timedelta(days=2)))
def test_a_later_moment_never_has_an_earlier_answer(
    schedule: CronSchedule, moment: datetime, later: timedelta
) -> None:
    first, second = schedule.next_after(moment), schedule.next_after(moment + later)
    assert first is not None
    assert second is not None
    assert first <= second


@examples(150)
@given(st.text(alphabet="0123456789*,-/#?LWHRsunJAN @\t", max_size=30) | st.text(max_size=20))
def test_any_text_is_a_schedule_or_an_invalid_expression(text: str) -> None:
    try:
        schedule = CronSchedule.parse(text, time_zone="UTC")
    except InvalidCronError:
        return
    assert schedule.next_after(at("2024-01-01")) is not None


@examples(150)
@given(st.text(alphabet="0123456789*,-/#?LWHRSUN", min_size=1, max_size=8), st.integers(0, 4))
def test_any_field_is_understood_or_named_in_the_refusal(value: str, position: int) -> None:
    fields = ["*"] * 5
    fields[position] = value
    name = ("minute", "hour", "day of month", "month", "day of week")[position]
    try:
        CronSchedule.parse(" ".join(fields), time_zone="UTC")
    except InvalidCronError as error:
        reason = error.reason
    else:
        return
    assert reason.startswith((name, "never fires"))
