"""Reads the sentence of a cron expression, and finds its instants by looking at every day of the calendar."""

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from itertools import product

_SENTENCE = re.compile(r"(?P<times>.+?)(?:, on (?P<days>.+?))?(?:, in (?P<months>.+))?")
_EVERY = re.compile(
    r"Every (?:(?P<step>\d+) )?(?P<unit>second|minute|hour)s?(?: from (?P<low>\S+) to (?P<high>\S+))?"
)
_NEAREST = re.compile(r"the workdays? nearest to (?P<days>(?:day|every) ?.+|days .+)")
_NTH = re.compile(r"the (?P<nth>first|second|third|fourth|fifth|last) (?P<day>[A-Z]\w+)")
_LENGTHS = {"second": 60, "minute": 60, "hour": 24}
_SECONDS = {"second": 1, "minute": 60, "hour": 3600}
_NTHS = ["first", "second", "third", "fourth", "fifth"]
_MONTHS, _WEEKDAYS = list(calendar.month_name)[1:], list(calendar.day_name)


@dataclass(frozen=True)
class Reading:
    """The times of each day that matches, and what the sentence says of days and months."""

    times: list[time]
    days: str
    months: set[int]

    def after(self, moment: datetime, *, years: int) -> Iterator[datetime]:
        for year, month in product(range(moment.year, moment.year + years), sorted(self.months)):
            if (year, month) < (moment.year, moment.month):
                continue
            for day in sorted(_days(self.days, year, month)):
                for clock in self.times:
                    instant = datetime.combine(date(year, month, day), clock, tzinfo=UTC)
                    if instant > moment:
                        yield instant


def read(sentence: str) -> Reading:
    match = _SENTENCE.fullmatch(sentence)
    assert match is not None
    months = set(range(1, 13)) if match["months"] is None else _named(match["months"], _MONTHS, 1)
    return Reading(times=_times(match["times"]), days=match["days"] or "", months=months)


def _times(said: str) -> list[time]:
    if re.match(r"At \d\d:", said):
        return [time.fromisoformat(each) for each in re.findall(r"[\d:]+", said)]
    every = _EVERY.fullmatch(said)
    if every is not None:
        step = int(every["step"] or 1) * _SECONDS[every["unit"]]
        low, high = (_of_day(every["low"]), _of_day(every["high"])) if every["low"] else (0, 86_399)
        return [_clock(each) for each in range(low, high + 1, step)]
    units = {"second": {0}, "minute": {0}, "hour": set(range(24))}
    parts = [_unit(each) for each in said.removeprefix("At ").lower().split(" of ")]
    smallest = list(units).index(parts[0][0])
    for unit in list(units)[smallest:]:
        units[unit] = dict(parts).get(unit, set(range(_LENGTHS[unit])))
    return [
        time(*each)
        for each in product(sorted(units["hour"]), sorted(units["minute"]), sorted(units["second"]))
    ]


def _of_day(clock: str) -> int:
    at = time.fromisoformat(clock)
    return at.hour * 3600 + at.minute * 60 + at.second


def _clock(seconds: int) -> time:
    return time(seconds // 3600, seconds // 60 % 60, seconds % 60)


def _unit(said: str) -> tuple[str, set[int]]:
    unit = re.findall("second|minute|hour", said)
    assert len(unit) == 1, said
    if said == f"every {unit[0]}":
        return unit[0], set(range(_LENGTHS[unit[0]]))
    stepping = re.fullmatch(rf"every (\d+) {unit[0]}s", said)
    if stepping is not None:
        return unit[0], set(range(0, _LENGTHS[unit[0]], int(stepping[1])))
    return unit[0], _numbers(said)


def _numbers(said: str) -> set[int]:
    """Return those of ``days 1, 5 and 10 to 20``, or of ``every 7th minute from 0 to 56``."""
    stepping = re.fullmatch(r"every (\d+)(?:st|nd|rd|th) \w+ from (\d+) to (\d+)", said)
    if stepping is not None:
        step, low, high = map(int, stepping.groups())
        return set(range(low, high + 1, step))
    assert re.fullmatch(r"\w+ [\d ,andto]+", said), said
    ranges = [re.findall(r"\d+", each) for each in re.split(", | and ", said)]
    return {number for ends in ranges for number in range(int(ends[0]), int(ends[-1]) + 1)}


def _named(said: str, names: list[str], first: int) -> set[int]:
    found = set()
    for each in re.split(", | and | or ", said):
        low, high = (names.index(name) for name in (each.split(" to ")[0], each.split(" to ")[-1]))
        found |= set(range(low + first, high + first + 1))
    return found


def _days(said: str, year: int, month: int) -> set[int]:
    length = calendar.monthrange(year, month)[1]
    if not said:
        return set(range(1, length + 1))
    if " or on " in said:
        one, other = said.split(" or on ")
        return _days(one, year, month) | _days(other, year, month)
    if " if it is " in said:
        one, other = said.split(" if it is ")
        other = re.sub("a day from |an? ", "", other)
        return _days(one, year, month) & _days(other, year, month)
    said = said.removesuffix(" of the month")
    weekday = {day: calendar.weekday(year, month, day) for day in range(1, length + 1)}
    if _NTH.match(said):
        return set().union(*(_nth(match, weekday) for match in _NTH.finditer(said)))
    if said.split(" ")[0].strip(",") in _WEEKDAYS:
        wanted = _named(said, _WEEKDAYS, 0)
        return {day for day in weekday if weekday[day] in wanted}
    return _by_number(said, weekday)


def _nth(match: re.Match[str], weekday: dict[int, int]) -> set[int]:
    days = [day for day in weekday if weekday[day] == _WEEKDAYS.index(match["day"])]
    if match["nth"] == "last":
        return {days[-1]}
    at = _NTHS.index(match["nth"])
    return {days[at]} if at < len(days) else set()


def _by_number(said: str, weekday: dict[int, int]) -> set[int]:
    length, found = len(weekday), set()
    workdays = [day for day in weekday if weekday[day] < 5]
    nearest = _NEAREST.search(said)
    if nearest is not None:
        for day in _numbers(nearest["days"]) & set(weekday):
            found.add(min(workdays, key=lambda each: abs(each - day)))
        said = said[: nearest.start()]
    if "the last workday" in said:
        found.add(workdays[-1])
    if "the last day" in said:
        found.add(length)
    plain = re.split(",? (?:and )?the |(?:^|, | and )the ", said)[0].removesuffix(" and ").removesuffix(", ")
    return found | (_numbers(plain) & set(weekday) if plain else set())
