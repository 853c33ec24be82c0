"""The DST rule against two judges that share no code with it.

``cronsim`` follows Debian's cron, whose rule is ours for five fields: over every IANA zone and every change
of offset from 2024 to 2030 by `make proof`, over a sample of zones otherwise. Two
of its answers about wild expressions are not that rule, and are left to the second judge, the rule's own
definition, minute by minute: it walks by whole hours, so that it misses matches next to changes that are
not whole hours on the hour (Lord Howe, Chatham), and where it jumps to a day whose midnight is skipped, it
answers with that midnight.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile
from zoneinfo import ZoneInfo, available_timezones

import pytest
from croniter import croniter
from cronsim import CronSim, CronSimError
from cronsim.cronsim import SYMBOLIC_DAYS
from hypothesis import given
from hypothesis import strategies as st

from tests.thoroughness import in_proof, in_verify
from tickerq_celery.errors import InvalidCronError
from tickerq_celery.schedule.cron_expression import CronSchedule

MINUTE = timedelta(minutes=1)
FIRST, LAST = datetime(2024, 1, 1, tzinfo=UTC), datetime(2031, 1, 1, tzinfo=UTC)

CRONSIM_ZONES = [
    "UTC",
    "America/New_York",
    "America/St_Johns",
    "America/Santiago",
    "America/Havana",
    "America/Nuuk",
    "Atlantic/Azores",
    "Africa/Cairo",
    "Africa/Casablanca",
    "Asia/Beirut",
    "Asia/Jerusalem",
    "Asia/Kolkata",
    "Australia/Adelaide",
    "Europe/Dublin",
    "Europe/London",
    "Pacific/Auckland",
    "Pacific/Easter",
]
NOT_ZONES = ("right/", "posix/", "posixrules", "localtime", "Factory")
ALL_ZONES = sorted(name for name in available_timezones() if not name.startswith(NOT_ZONES))
# A half hour, an offset that falls in winter, a change at midnight, one on another day, and an ordinary one.
QUICK_ZONES = ["America/St_Johns", "Europe/Dublin", "Asia/Beirut", "Africa/Casablanca", "America/New_York"]
SAMPLE = [name for name in CRONSIM_ZONES if name not in QUICK_ZONES]
OTHER_ZONES = [name for name in ALL_ZONES if name not in CRONSIM_ZONES]
# Of these cronsim answers wild expressions otherwise than the rule, as said above; aliases of two zones.
ODDLY_JUDGED = {"Australia/Lord_Howe", "Australia/LHI", "Pacific/Chatham", "NZ-CHAT"}
WILD = ["*/15 * * * *", "7 * * * *", "*/30 2 * * *", "45 */2 * * *", "0 */3 * * 1-5", "*/20 0,23 * * *"]
PLAIN = [
    "30 2 * * *",
    "0 0 * * *",
    "30 1-3 * * *",
    "59 23 * * SUN",
    "5,35 0-4 * * *",
    "0 3 L * *",
    "15 0 1 * *",
    "30 2 LW * *",
    "30 2 * * 0L",
]
ODD = ["0 */2 * * *", "*/5 3 * * *", "17 1-23/2 * * *", "*/20 0,23 * * SUN"]

ODD_CHANGES = [  # (zone, about the moment of the change)
    ("Australia/Lord_Howe", "2024-04-06T15:00"),
    ("Australia/Lord_Howe", "2024-10-05T15:30"),
    ("Pacific/Chatham", "2024-04-06T14:00"),
    ("Pacific/Chatham", "2024-09-28T14:00"),
    ("America/New_York", "2025-03-09T07:00"),
    ("America/New_York", "2025-11-02T06:00"),
    ("Asia/Beirut", "2024-03-30T22:00"),
    ("Atlantic/Azores", "2024-03-31T01:00"),
    ("America/Havana", "2024-03-10T05:00"),
    ("America/Sao_Paulo", "2018-02-18T02:00"),
    ("America/Sao_Paulo", "2018-11-04T03:00"),
    ("Asia/Kathmandu", "1985-12-31T18:30"),
    ("Asia/Pyongyang", "2015-08-14T15:00"),
    ("America/Caracas", "2016-05-01T07:00"),
    ("Antarctica/Troll", "2024-03-31T01:00"),
    ("Antarctica/Troll", "2024-10-27T01:00"),
    ("Pacific/Apia", "2011-12-30T10:00"),
    ("Pacific/Kwajalein", "1993-08-21T12:00"),
]


def changes(zone: ZoneInfo) -> Iterator[datetime]:
    """Yield moments less than six hours after each change of offset."""
    step = timedelta(hours=6)
    moment = FIRST
    while moment < LAST:
        if moment.astimezone(zone).utcoffset() != (moment + step).astimezone(zone).utcoffset():
            yield moment + step
        moment += step


@pytest.mark.parametrize("name", [*QUICK_ZONES, *map(in_verify, SAMPLE), *map(in_proof, OTHER_ZONES)])
def test_every_change_of_offset_from_2024_to_2030_agrees_with_debian_cron(name: str) -> None:
    zone = ZoneInfo(name)
    for change in [*changes(zone), datetime(2024, 2, 28, tzinfo=UTC)]:
        start, end = change - timedelta(hours=30), change + timedelta(hours=28)
        for expression in WILD + PLAIN:
            if name in ODDLY_JUDGED and expression in WILD:
                expected = by_definition(expression, zone, start, end)
            else:
                expected = by_cronsim(expression, zone, start, end)
            assert ours(expression, name, start, end) == expected, (expression, change)


def ours(expression: str, name: str, start: datetime, end: datetime) -> list[datetime]:
    """Return our instants after ``start`` up to ``end``."""
    schedule = CronSchedule.parse(expression, time_zone=name)
    return list(until(end, walk(schedule, start)))


def walk(schedule: CronSchedule, start: datetime) -> Iterator[datetime]:
    moment = schedule.next_after(start)
    while moment is not None:
        yield moment
        moment = schedule.next_after(moment)


def by_cronsim(expression: str, zone: ZoneInfo, start: datetime, end: datetime) -> list[datetime]:
    """Return Debian cron's instants after ``start`` up to ``end``."""
    judge = CronSim(expression, start.astimezone(zone))
    return list(until(end, in_utc(judge)))


def in_utc(instants: Iterator[datetime]) -> Iterator[datetime]:
    # A repeated or skipped time of one zone equals none of another, whatever the instant.
    return (instant.astimezone(UTC) for instant in instants)


def until(end: datetime, instants: Iterator[datetime]) -> Iterator[datetime]:
    return takewhile(lambda instant: instant <= end, instants)


def test_the_sample_of_zones_and_the_oddly_judged_ones_are_among_all() -> None:
    assert len(ALL_ZONES) > 450
    assert set(CRONSIM_ZONES) | ODDLY_JUDGED <= set(ALL_ZONES)


@pytest.mark.parametrize(("name", "change"), ODD_CHANGES[::2])
@pytest.mark.parametrize("seconds", [(17,), (0, 30)])
@pytest.mark.parametrize("expression", ["*/20 * * * *", "0 */2 * * *", "30 2 * * *", "15 0-3 * * *"])
def test_six_fields_are_a_second_and_the_five_that_follow(
    name: str, change: str, seconds: tuple[int, ...], expression: str
) -> None:
    zone = ZoneInfo(name)
    middle = datetime.fromisoformat(change).replace(tzinfo=UTC)
    start, end = middle - timedelta(hours=8), middle + timedelta(hours=8)
    six = f"{','.join(map(str, seconds))} {expression}"
    assert ours(six, name, start, end) == by_definition(expression, zone, start, end, seconds=seconds)


@pytest.mark.parametrize(
    ("name", "change"), [*ODD_CHANGES[::2], *(in_verify(*change) for change in ODD_CHANGES[1::2])]
)
@pytest.mark.parametrize("expression", WILD + PLAIN[:5] + ODD)
def test_odd_changes_of_offset_agree_with_the_rule_as_written(
    name: str, change: str, expression: str
) -> None:
    zone = ZoneInfo(name)
    middle = datetime.fromisoformat(change).replace(tzinfo=UTC)
    start, end = middle - timedelta(hours=8), middle + timedelta(hours=8)
    assert start.astimezone(zone).utcoffset() != end.astimezone(zone).utcoffset()
    assert ours(expression, name, start, end) == by_definition(expression, zone, start, end)


def by_definition(
    expression: str, zone: ZoneInfo, start: datetime, end: datetime, *, seconds: tuple[int, ...] = (0,)
) -> list[datetime]:
    """Return the instants after ``start`` up to ``end``: of wild ones by trying each minute."""
    minutely = wall_clock_matches(expression, start - timedelta(days=2), end + timedelta(days=2))
    matching = {wall + timedelta(seconds=second) for wall in minutely for second in seconds}
    minute_field, hour_field, *_ = expression.split()
    if minute_field.startswith("*") or hour_field.startswith("*"):
        minutes = int((end - start) / MINUTE)
        every = (
            start + count * MINUTE + timedelta(seconds=second)
            for count in range(minutes + 1)
            for second in seconds
        )
        return [
            moment
            for moment in every
            if start < moment <= end and moment.astimezone(zone).replace(tzinfo=None) in matching
        ]
    instants = {first_instant(wall, zone) for wall in matching}
    return sorted(instant for instant in instants if start < instant <= end)


def wall_clock_matches(expression: str, start: datetime, end: datetime) -> set[datetime]:
    judge = CronSim(expression, start.replace(tzinfo=None))
    matches = set()
    for match in judge:
        if match > end.replace(tzinfo=None):
            break
        matches.add(match)
    return matches


def first_instant(wall: datetime, zone: ZoneInfo) -> datetime:
    """Return the first instant that reads ``wall``, or whose clock is past it for the first time."""
    while True:
        instant = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
        if instant.astimezone(zone).replace(tzinfo=None) == wall:
            return instant
        # Changes of offset fall on whole minutes.
        wall = wall.replace(second=0) + MINUTE


@pytest.mark.parametrize(
    "expression",
    [
        "0 0 13 * 5",
        "0 0 L * 5",
        "30 4 1-7 * MON",
        "0 0 */2 * 1",
        "0 12 29 2 *",
        "0 0 31 * 0",
        "5 5 8-14 3-9 2,4",
    ],
)
@pytest.mark.parametrize("day_or", [False, True])
def test_days_agree_with_croniter(expression: str, day_or: bool) -> None:
    schedule = CronSchedule.parse(expression, time_zone="UTC", day_or=day_or)
    judge = croniter(expression, FIRST, day_or=day_or, implement_cron_bug=True)
    moment: datetime | None = FIRST
    for _ in range(60):
        assert moment is not None
        moment = schedule.next_after(moment)
        assert moment == judge.get_next(datetime)


@pytest.mark.parametrize(
    "expression", ["0 0 13 * FRI", "0 0 1,15 * MON-WED", "0 6 */2 * 1", "0 0 31 2-4 7", "0 0 L * 3"]
)
def test_days_agree_with_debian_cron_when_either_day_is_enough(expression: str) -> None:
    schedule = CronSchedule.parse(expression, time_zone="Europe/London", day_or=True)
    judge = CronSim(expression, FIRST.astimezone(ZoneInfo("Europe/London")))
    moment: datetime | None = FIRST
    for _ in range(100):
        assert moment is not None
        moment = schedule.next_after(moment)
        assert moment == next(judge)


def numbered(expression: str) -> str:
    """Return the expression with the last weekdays' names as numbers: cronsim takes a name elsewhere only."""
    return re.sub(r"[A-Z]{3}(?=L)", lambda name: str(SYMBOLIC_DAYS.index(name[0])), expression.upper())


@pytest.mark.parametrize("weekday", ["5L", "FRIL", "0L", "7L", "sunl", "1L,5L", "FRI#2,6L", "*"])
@pytest.mark.parametrize("day", ["*", "LW", "1,15,LW", "20-27", *map(in_verify, ("lw", "LW,L", "*/2"))])
@pytest.mark.parametrize("zone", [in_verify("UTC"), "Europe/Berlin"])
def test_last_weekdays_and_workdays_agree_with_cronsim_for_thirty_years(
    zone: str, day: str, weekday: str
) -> None:
    expression = f"30 2 {day} * {weekday}"
    start = FIRST.astimezone(ZoneInfo(zone))
    ours = walk(CronSchedule.parse(expression, time_zone=zone, day_or=True), FIRST)
    judge = in_utc(CronSim(numbered(expression), start))
    assert list(islice(ours, 360)) == list(islice(judge, 360))


@given(
    days=st.lists(
        st.sampled_from(["L", "LW", "1", "13", "29", "31", "5-9", "20-27/3"]), min_size=1, max_size=4
    ),
    weekdays=st.lists(
        st.builds(
            "{}{}".format,
            st.sampled_from([*"01234567", "SUN", "WED", "FRI"]),
            st.sampled_from(["L", "#1", "#5"]),
        ),
        min_size=1,
        max_size=3,
    ),
    months=st.sampled_from(["*", "2", "3,10", "6-8"]),
    clock=st.sampled_from(["0 0", "30 2", "5,35 1-3", "*/20 2", "59 23"]),
    starred=st.sampled_from(["day", "weekday", "neither"]),
    start=st.datetimes(datetime(2024, 1, 1), datetime(2035, 1, 1)),  # noqa: DTZ001 - of each zone's own
    zone=st.sampled_from(["UTC", "America/New_York", "Europe/Berlin", "Asia/Kolkata"]),
)
def test_any_of_these_days_agrees_with_cronsim(
    days: list[str], weekdays: list[str], months: str, clock: str, starred: str, start: datetime, zone: str
) -> None:
    day = "*" if starred == "day" else ",".join(days)
    weekday = "*" if starred == "weekday" else ",".join(weekdays)
    expression = f"{clock} {day} {months} {weekday}"
    moment = start.replace(microsecond=0, tzinfo=UTC)
    try:
        judge = CronSim(numbered(expression), moment.astimezone(ZoneInfo(zone)))
    except CronSimError:
        with pytest.raises(InvalidCronError, match="never fires"):
            CronSchedule.parse(expression, time_zone=zone, day_or=True)
        return
    ours = walk(CronSchedule.parse(expression, time_zone=zone, day_or=True), moment)
    assert list(islice(ours, 24)) == list(islice(in_utc(judge), 24))


@pytest.mark.parametrize("day", [1, 2, 14, 15, 27, 28])  # croniter moves later ones into short months
def test_the_workday_nearest_to_a_day_agrees_with_croniter(day: int) -> None:
    ours = walk(CronSchedule.parse(f"0 9 {day}W * *", time_zone="UTC"), FIRST)
    judge = croniter(f"0 9 {day}W * *", FIRST)
    assert list(islice(ours, 120)) == [judge.get_next(datetime) for _ in range(120)]
