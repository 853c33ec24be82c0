"""A schedule as a sentence, made from the numbers that decide when it fires."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import dropwhile, pairwise, product

from tickerq_celery.errors import TickerValidationError
from tickerq_celery.schedule.cron_expression import CronSchedule
from tickerq_celery.schedule.fields import CronFields
from tickerq_celery.schedule.interval import every_in
from tickerq_celery.wording import exactly

_MOST_CLOCK_TIMES = 6
_SHORTEST_RANGE, _SHORTEST_PROGRESSION = 3, 4
_DAY_IN_SECONDS = 86_400
# From Monday on, which cron counts from Sunday.
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
)  # fmt: skip
_NTH = {1: "first", 2: "second", 3: "third", 4: "fourth", 5: "fifth", None: "last"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wheel:
    """The seconds, minutes or hours that match."""

    unit: str
    values: tuple[int, ...]
    length: int
    in_seconds: int

    @property
    def is_full(self) -> bool:
        """Whether each of them matches."""
        return len(self.values) == self.length

    @property
    def step(self) -> int:
        """How far the first two that match are apart."""
        return self.values[1] - self.values[0] if len(self.values) > 1 else 0

    def phrase(self) -> str:
        """Return which match: ``minutes 1 and 5``, ``every 7th minute from 0 to 56``, ``every minute``."""
        return f"every {self.unit}" if self.is_full else _numbered(self.unit, self.values)


def sentence_of(expression: str, *, day_or: bool) -> str:
    """Return when an expression or interval fires, in words; itself where it cannot be read."""
    try:
        every = every_in(expression)
        if every is not None:
            return f"Every {exactly(every)}"
        # No word depends on the zone, and the stored one may be unknown here.
        return cron_sentence(CronSchedule.read(expression, time_zone="UTC", day_or=day_or).times.fields)
    except TickerValidationError:
        return expression


def cron_sentence(fields: CronFields) -> str:
    """Return when cron fields match: the times of a day, the days, and the months."""
    months = "" if len(fields.months) == len(_MONTHS) else f"in {_named(fields.months, _MONTHS)}"
    said = ", ".join(part for part in (_times(fields), _days(fields), months) if part)
    return f"{said[0].upper()}{said[1:]}"


def _times(fields: CronFields) -> str:
    wheels = (
        _Wheel(unit="second", values=fields.seconds, length=60, in_seconds=1),
        _Wheel(unit="minute", values=fields.minutes, length=60, in_seconds=60),
        _Wheel(unit="hour", values=fields.hours, length=24, in_seconds=3600),
    )
    times = len(fields.seconds) * len(fields.minutes) * len(fields.hours)
    first, last = (sum(wheel.values[at] * wheel.in_seconds for wheel in wheels) for at in (0, -1))
    turning = list(dropwhile(lambda wheel: len(wheel.values) == 1, wheels))
    apart = _apart(turning)
    goes_round = apart is not None and last - first + apart == _DAY_IN_SECONDS
    if goes_round and first == 0 and times >= _SHORTEST_PROGRESSION:
        return f"every {_counted(turning[0].step, turning[0].unit)}"
    form = "{:02}:{:02}" if fields.seconds == (0,) else "{:02}:{:02}:{:02}"
    if times <= _MOST_CLOCK_TIMES:
        clock = (form.format(*each) for each in product(fields.hours, fields.minutes, fields.seconds))
        return f"at {_listed(list(clock))}"
    # Of what goes round "at minute 30 of every hour" says more.
    if apart is None or (goes_round and not _is_long(turning[0])):
        return _parts(wheels)
    begin, end = (form.format(*(wheel.values[at] for wheel in reversed(wheels))) for at in (0, -1))
    return f"every {_counted(turning[0].step, turning[0].unit)} from {begin} to {end}"


def _is_long(wheel: _Wheel) -> bool:
    return wheel.step > 1 and len(wheel.values) >= _SHORTEST_PROGRESSION


def _apart(turning: Sequence[_Wheel]) -> int | None:
    """Return by how many seconds all times of a day are apart; None where they differ, or there is one."""
    if not turning or not _is_even(turning, turning[0].step):
        return None
    return turning[0].step * turning[0].in_seconds


def _is_even(turning: Sequence[_Wheel], step: int) -> bool:
    """Whether all times of a day are as far apart, ``step`` on the first of these wheels."""
    wheel, *larger = turning
    if any(after - before != step for before, after in pairwise(wheel.values)):
        return False
    if all(len(each.values) == 1 for each in larger):
        return True
    return wheel.values[0] + wheel.length - wheel.values[-1] == step and _is_even(larger, 1)


def _parts(wheels: Sequence[_Wheel]) -> str:
    """Return ``at seconds 5 and 35 of every minute``: wheel by wheel, but for those that say nothing."""
    spoken = wheels[1:] if wheels[0].values == (0,) else wheels
    lead, *larger = spoken
    if _is_progression(lead.values) and lead.values[0] == 0 and lead.values[-1] + lead.step == lead.length:
        said = f"every {_counted(lead.step, lead.unit)}"
    else:
        said = lead.phrase() if lead.phrase().startswith("every") else f"at {lead.phrase()}"
    smaller = lead
    for wheel in larger:
        if not (wheel.is_full and smaller.is_full):
            said += f" of {wheel.phrase()}"
            smaller = wheel
    return said


def _days(fields: CronFields) -> str:
    numbers = "" if len(fields.days) == 31 else _days_of_month(fields)
    weekdays = "" if len(fields.weekdays) == len(_WEEKDAYS) else _days_of_week(fields)
    if fields.either_day:
        return f"{numbers} or {weekdays}" if numbers and weekdays else ""
    return f"{numbers} if it is {_condition(fields)}" if numbers and weekdays else numbers or weekdays


def _days_of_month(fields: CronFields) -> str:
    said = [_numbered("day", fields.days)] if fields.days else []
    if fields.last_day:
        said.append("the last day")
    if fields.last_workday:
        said.append("the last workday")
    if fields.nearest_workdays:
        plural = "s" if len(fields.nearest_workdays) > 1 else ""
        said.append(f"the workday{plural} nearest to {_numbered('day', fields.nearest_workdays)}")
    return f"on {_listed(said)} of the month"


def _days_of_week(fields: CronFields) -> str:
    if fields.nth_weekdays:
        return f"on {_listed(_nth_weekdays(fields))} of the month"
    return f"on {_named(_from_monday(fields), _WEEKDAYS)}"


def _condition(fields: CronFields) -> str:
    if fields.nth_weekdays:
        return _listed(_nth_weekdays(fields), "or")
    ends = [(_WEEKDAYS[low - 1], _WEEKDAYS[high - 1]) for low, high in _ranges(_from_monday(fields))]
    return _listed([f"a {low}" if low == high else f"a day from {low} to {high}" for low, high in ends], "or")


def _nth_weekdays(fields: CronFields) -> list[str]:
    return [f"the {_NTH[each.nth]} {_WEEKDAYS[each.weekday - 1]}" for each in fields.nth_weekdays]


def _from_monday(fields: CronFields) -> list[int]:
    return sorted((day - 1) % 7 + 1 for day in fields.weekdays)


def _named(numbers: Sequence[int], names: Sequence[str]) -> str:
    """Return the names of numbers that begin with 1."""
    return _spelled([(names[low - 1], names[high - 1]) for low, high in _ranges(numbers)])


def _numbered(unit: str, values: Sequence[int]) -> str:
    """Return ``minute 5``, ``minutes 1, 5 and 10 to 20``, or ``every 7th minute from 0 to 56``."""
    if len(values) == 1:
        return f"{unit} {values[0]}"
    if _is_progression(values) and values[1] - values[0] > 1:
        return f"every {_ordinal(values[1] - values[0])} {unit} from {values[0]} to {values[-1]}"
    return f"{unit}s {_spelled([(str(low), str(high)) for low, high in _ranges(values)])}"


def _ranges(values: Sequence[int]) -> list[tuple[int, int]]:
    """Return the ends of each range of neighbours; those of two are two ranges of one."""
    found: list[list[int]] = []
    for value in values:
        if found and value == found[-1][-1] + 1:
            found[-1].append(value)
        else:
            found.append([value])
    return [
        ends
        for each in found
        for ends in ([(each[0], each[-1])] if len(each) >= _SHORTEST_RANGE else [(one, one) for one in each])
    ]


def _spelled(ranges: Sequence[tuple[str, str]]) -> str:
    return _listed([low if low == high else f"{low} to {high}" for low, high in ranges])


def _listed(said: Sequence[str], last: str = "and") -> str:
    *others, end = said
    return f"{', '.join(others)} {last} {end}" if others else end


def _is_progression(values: Sequence[int]) -> bool:
    steps = {late - early for early, late in pairwise(values)}
    return len(values) >= _SHORTEST_PROGRESSION and len(steps) == 1


def _counted(step: int, unit: str) -> str:
    return unit if step == 1 else f"{step} {unit}s"


def _ordinal(number: int) -> str:
    suffix = "th" if number in {11, 12, 13} else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{suffix}"
