"""The text of a cron expression: five or six fields in, numbers or a reason out."""

import re
from dataclasses import dataclass

from croniter import CroniterError, croniter

from tickerq_celery import validation
from tickerq_celery.errors import InvalidCronError
from tickerq_celery.schedule.fields import CronFields, NthWeekday

ALIASES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_TERM = re.compile(r"[0-9A-Za-z*/-]+")
_RANGE = re.compile(r"(?P<low>\w+)-(?P<high>\w+)(?:/(?P<step>\d+))?")
_RANDOM = re.compile(r"[hr](\W|$)", re.IGNORECASE)
# The last Friday as croniter writes it, and as Quartz, Cronos and cronsim do.
_LAST_WEEKDAY = r"L(?P<last>[0-7])|(?P<named>[0-7]|[A-Z]{3})L"
_NTH_WEEKDAY = re.compile(rf"(?P<days>[0-9A-Z]+(?:-[0-9A-Z]+)?)#(?P<nth>[1-5])|{_LAST_WEEKDAY}")
# Croniter, which reads both, drops the W from what it returns.
_NEAREST_WORKDAY = re.compile(r"(?:[0-9]+W|W[0-9]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Field:
    name: str
    position: int  # croniter puts seconds last
    numbers: range
    allowed: str


_SECOND = _Field(name="second", position=5, numbers=range(60), allowed="0-59")
_MINUTE = _Field(name="minute", position=0, numbers=range(60), allowed="0-59")
_HOUR = _Field(name="hour", position=1, numbers=range(24), allowed="0-23")
_DAY = _Field(
    name="day of month",
    position=2,
    numbers=range(1, 32),
    allowed="1-31, L (the last), LW (the last from Monday to Friday), 15W (the one nearest to the 15th)",
)
_MONTH = _Field(name="month", position=3, numbers=range(1, 13), allowed="1-12 or JAN-DEC")
_WEEKDAY = _Field(
    name="day of week",
    position=4,
    numbers=range(7),
    allowed="0-7 or SUN-SAT (0 and 7 are Sunday), FRI#2 (the second), L5, 5L or FRIL (the last Friday)",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CronText:
    """A cron expression in its six fields, seconds first, with single blanks."""

    expression: str
    second: str
    minute: str
    hour: str
    day: str
    month: str
    weekday: str

    @property
    def is_wild(self) -> bool:
        """Whether the minute or the hour begins with a star, which decides the DST rule."""
        return self.minute.startswith("*") or self.hour.startswith("*")

    @property
    def sets_both_days(self) -> bool:
        """Whether both day fields are restricted; as in Unix, one that begins with a star is not."""
        return not self.day.startswith(("*", "?")) and not self.weekday.startswith(("*", "?"))


def _text_of(crontab: object) -> str:
    """Return what text stands for Celery's ``crontab``; nothing for another value, or for sets of numbers."""
    names = ("minute", "hour", "day_of_month", "month_of_year", "day_of_week")
    fields = [getattr(crontab, f"_orig_{name}", None) for name in names]
    if not all(isinstance(each, str | int) for each in fields):
        return ""
    return f": pass {' '.join(''.join(str(each).split()) for each in fields)!r}"


def split_fields(expression: object) -> CronText:
    """Return the expression's fields, whatever its white space, or say why it cannot have them."""
    if not isinstance(expression, str):
        raise InvalidCronError(expression, f"a cron expression is text{_text_of(expression)}")
    if len(expression) > validation.LONGEST_EXPRESSION:
        raise InvalidCronError(expression, f"longer than {validation.LONGEST_EXPRESSION} characters")
    words = expression.split()
    fields = _alias(words[0], expression).split() if len(words) == 1 and words[0].startswith("@") else words
    if len(fields) not in {5, 6}:
        raise InvalidCronError(
            expression, f"5 or 6 fields are needed (six begin with seconds), not {len(fields)}"
        )
    second, minute, hour, day, month, weekday = fields if len(fields) == 6 else ("0", *fields)
    return CronText(
        expression=words[0].lower() if fields is not words else " ".join(words),
        second=second,
        minute=minute,
        hour=hour,
        day=day,
        month=month,
        weekday=weekday,
    )


def parse_fields(text: CronText, *, day_or: bool) -> CronFields:
    """Return the numbers that the expression stands for, or say which field is wrong and why."""
    nth_weekdays = _nth_weekdays(text)
    days = text.day.split(",")
    nearest = [term.strip("Ww") for term in days if _NEAREST_WORKDAY.fullmatch(term)]
    plain = [term for term in days if term.upper() != "LW" and not _NEAREST_WORKDAY.fullmatch(term)]
    return CronFields(
        seconds=_numbers(text, _SECOND, text.second),
        minutes=_numbers(text, _MINUTE, text.minute),
        hours=_numbers(text, _HOUR, text.hour),
        days=_numbers(text, _DAY, ",".join(plain)) if plain else (),
        last_day="L" in text.day.upper().split(","),
        last_workday="LW" in text.day.upper().split(","),
        nearest_workdays=_numbers(text, _DAY, ",".join(nearest)) if nearest else (),
        months=_numbers(text, _MONTH, text.month),
        weekdays=() if nth_weekdays else _numbers(text, _WEEKDAY, text.weekday),
        nth_weekdays=nth_weekdays,
        either_day=day_or and text.sets_both_days,
    )


def _alias(word: str, expression: str) -> str:
    try:
        return ALIASES[word.lower()]
    except KeyError as exc:
        known = ", ".join(ALIASES)
        raise InvalidCronError(expression, f"no such alias: use one of {known}, or @every 90s") from exc


def _numbers(text: CronText, field: _Field, value: str) -> tuple[int, ...]:
    if value == "?" and field in {_DAY, _WEEKDAY}:
        return tuple(field.numbers)
    return tuple(sorted({number for term in value.split(",") for number in _term(text, field, term)}))


def _term(text: CronText, field: _Field, term: str) -> list[int]:
    """Return the numbers of one term."""
    # Croniter drops an empty term, and takes ? within a list.
    if not _TERM.fullmatch(term):
        raise _refusal(text, field, term)
    step = term.partition("/")[2]
    if step.isdecimal() and int(step) > max(field.numbers):
        raise _invalid(text, field, f"{term!r} steps over the whole field: it would never take a step")
    if _RANDOM.match(term):
        raise _invalid(text, field, f"{term!r} is random; write the numbers themselves")
    match = _RANGE.fullmatch(term)
    return _expand(text, field, term, shown=term) if match is None else _range(text, field, match)


def _range(text: CronText, field: _Field, match: re.Match[str]) -> list[int]:
    """Return the numbers of a range: croniter's, but where it is one number, or wraps round with a step.

    Croniter takes 5-5 for every number, and miscounts the steps of 50-10/15.
    """
    low, high, step = match["low"], match["high"], int(match["step"] or 1)
    bounds = [*_expand(text, field, low, shown=match[0]), *_expand(text, field, high, shown=match[0])]
    if len(bounds) != 2 or step == 0:
        raise _refusal(text, field, match[0])
    first, last = bounds
    ends_on_sunday = field is _WEEKDAY and high == "7" and low != "7"
    if first == last and not ends_on_sunday:
        return [first]
    if first <= last or step == 1 or ends_on_sunday:
        return _expand(text, field, match[0], shown=match[0])
    return [*range(first, max(field.numbers) + 1), *range(min(field.numbers), last + 1)][::step]


def _expand(text: CronText, field: _Field, term: str, *, shown: str) -> list[int]:
    fields = ["*"] * 6
    fields[field.position] = term
    try:
        expanded, _ = croniter.expand(" ".join(fields))
    except CroniterError as exc:
        raise _refusal(text, field, shown) from exc
    values = expanded[field.position]
    return list(field.numbers) if "*" in values else [value for value in values if isinstance(value, int)]


def _nth_weekdays(text: CronText) -> tuple[NthWeekday, ...]:
    terms = text.weekday.upper().split(",")
    matches = [match for match in map(_NTH_WEEKDAY.fullmatch, terms) if match is not None]
    if matches and len(matches) < len(terms):
        raise _invalid(text, _WEEKDAY, f"{text.weekday!r} mixes # or L with plain days")
    found = {
        NthWeekday(weekday, int(match["nth"]) if match["nth"] else None)
        for match in matches
        for weekday in _numbers(text, _WEEKDAY, match["days"] or match["last"] or match["named"])
    }
    return tuple(sorted(found, key=lambda item: (item.weekday, item.nth or 0)))


def _refusal(text: CronText, field: _Field, value: str) -> InvalidCronError:
    return _invalid(text, field, f"{value!r} is not {field.allowed}, nor a range, list or step of those")


def _invalid(text: CronText, field: _Field, reason: str) -> InvalidCronError:
    return InvalidCronError(text.expression, f"{field.name}: {reason}")
