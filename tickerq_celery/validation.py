"""The limits of what a ticker's fields may hold; each breach is an error that names field and value."""

import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import TypeVar
from uuid import UUID

from tickerq_celery.errors import TickerValidationError
from tickerq_celery.wording import exactly

E = TypeVar("E", bound=Enum)
LONGEST_FUNCTION = 200
SHORTEST_PREFIX, LONGEST_ID = 8, 32
LONGEST_DESCRIPTION = 500
LONGEST_KEY = 200
LONGEST_QUEUE = 200
LONGEST_CONCURRENCY_KEY = 90
LONGEST_EXPRESSION = 200
LONGEST_TASK_ID = 255
MOST_TAGS = 20
LONGEST_TAG = 50
MOST_RETRIES = 1_000
MOST_FAILURES = 100
MOST_MISFIRES = 1_000
MOST_DATES = 1_000
# Of the occurrences of a backfill.
MOST_A_MINUTE = 60_000
# Of a filter.
LONGEST_SEARCH, LONGEST_ERROR_TYPE, LONGEST_HOLD_KEY = 200, 300, 300
MOST_FUNCTIONS, MOST_ATTEMPTS, MOST_SEARCHED = 50, 1_000_000, 100_000
_MOST_AT_ONCE = 1_000_000
_DAY = timedelta(days=1)
LONGEST_INTERVAL = 30 * _DAY
_LONGEST_GRACE = 3650 * _DAY
MORE_THAN_ZERO = timedelta.resolution
_ZERO = timedelta(0)
_NAME_RULE = "must be non-empty, without leading or trailing whitespace"
_CONTROLS = {"Cc", "Zl", "Zp"}  # with the two separators at which Python, too, begins a new line
_ROUNDING = 1e-6
_LAYOUT = frozenset("\t\n\r")


def name(field: str, value: object, longest: int) -> str:
    """Return a name that every database compares alike: non-empty, without outer whitespace, on one line."""
    text = words(field, value, longest)
    if not text.strip() or text != text.strip():
        raise TickerValidationError(field, value, _NAME_RULE)
    if not text.isprintable() and any(unicodedata.category(each) in _CONTROLS for each in text):
        raise TickerValidationError(field, value, "a name stands in log lines: no control characters")
    return text


def function(value: object) -> str:
    """Return the name of a function; where an object that has a name stands for it, the error gives that."""
    if not isinstance(value, str) and isinstance(named := getattr(value, "name", None), str):
        raise TickerValidationError("function", value, f"pass its name, {named!r}")
    if not isinstance(value, str):
        raise TickerValidationError("function", value, "pass a registered function, or its name")
    return name("function", value, LONGEST_FUNCTION)


def words(field: str, value: object, longest: int) -> str:
    """Return a text of at most ``longest`` characters that every database can store."""
    if not isinstance(value, str):
        raise TickerValidationError(field, value, "pass a str")
    if len(value) > longest:
        raise TickerValidationError(field, value, f"at most {longest} characters, this has {len(value)}")
    if value.isprintable():
        return value  # no control character and no surrogate is
    if "\x00" in value or any("\ud800" <= character <= "\udfff" for character in value):
        raise TickerValidationError(field, value, "NUL and lone surrogates cannot be stored")
    if any(unicodedata.category(character) == "Cc" for character in value if character not in _LAYOUT):
        raise TickerValidationError(field, value, "of control characters only tabs and line breaks are text")
    return value


def member(field: str, value: object, among: type[E]) -> E:
    """Return the member of ``among`` that a value is, or names: by its word in any case, or by its number.

    ``"InProgress"`` and ``"in-progress"`` are the word ``in_progress``, too. A member of another enum of
    numbers is refused, since its number means something else here.
    """
    if isinstance(value, among):
        return value
    if isinstance(value, str):
        found = next((each for each in among if _letters(each.name) == _letters(value)), None)
    elif isinstance(value, Enum | bool):
        found = None
    else:
        found = next((each for each in among if each.value == value), None)
    if found is None:
        allowed = ", ".join(each.name.lower() for each in among)
        raise TickerValidationError(field, value, f"pass one of {allowed}")
    return found


def _letters(word: str) -> str:
    return "".join(letter for letter in word.casefold() if letter not in "_- ")


def tags(value: object) -> list[str]:
    """Return a ticker's tags."""
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise TickerValidationError("tags", value, "pass a list of str")
    if len(value) > MOST_TAGS:
        raise TickerValidationError("tags", value, f"at most {MOST_TAGS} tags, these are {len(value)}")
    return [name(f"tags[{number}]", tag, LONGEST_TAG) for number, tag in enumerate(value)]


def flag(field: str, value: object) -> bool:
    """Return a value that must be True or False."""
    if not isinstance(value, bool):
        raise TickerValidationError(field, value, "pass True or False")
    return value


def retries(value: object) -> int:
    """Return how many extra attempts a run has."""
    return whole("retries", value, 0, MOST_RETRIES)


def failures(value: object) -> int | None:
    """Return after how many failed occurrences in a row a cron ticker is paused; None is never."""
    if value is None:
        return None
    return whole("pause_on_failure", value, 1, MOST_FAILURES, note="None means never")


def limit(field: str, value: object) -> int | None:
    """Return how many runs may be active at once; None is any number."""
    if value is None:
        return None
    return whole(field, value, 1, _MOST_AT_ONCE, note="None means no limit")


def misfire_limit(value: object) -> int:
    """Return how many missed instants of a cron ticker run, at most."""
    return whole("misfire_limit", value, 1, MOST_MISFIRES)


def misfire_grace(value: object) -> timedelta | None:
    """Return by how much an instant may have been missed to run at all; None is by any time."""
    if value is None:
        return None
    note = "None means no limit"
    return duration("misfire_grace", value, least=MORE_THAN_ZERO, most=_LONGEST_GRACE, note=note)


def description(value: object) -> str:
    """Return a ticker's description."""
    return words("description", value, LONGEST_DESCRIPTION)


def retry_intervals(value: object) -> tuple[timedelta, ...]:
    """Return the waits before each retry."""
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise TickerValidationError("retry_intervals", value, "pass a list of timedeltas or seconds")
    if len(value) > MOST_RETRIES:
        raise TickerValidationError("retry_intervals", value, f"at most {MOST_RETRIES} intervals")
    return tuple(duration(f"retry_intervals[{number}]", each) for number, each in enumerate(value))


def whole(field: str, value: object, least: int, most: int | None = None, *, note: str = "") -> int:
    """Return a whole number from ``least`` to ``most``, both included; a ``note`` ends the error's text."""
    if (
        not isinstance(value, int)
        or isinstance(value, bool)
        or not least <= value <= (value if most is None else most)
    ):
        bounds = f"of {least:,} or more" if most is None else f"from {least:,} to {most:,}"
        raise TickerValidationError(field, value, _noted(f"must be a whole number {bounds}", note))
    return value


def duration(
    field: str,
    value: object,
    *,
    least: timedelta = _ZERO,
    most: timedelta = LONGEST_INTERVAL,
    step: timedelta = timedelta.resolution,
    note: str = "",
) -> timedelta:
    """Return a duration that is given as a timedelta or in seconds, rounded to microseconds.

    It must be a multiple of ``step``, from ``least`` to ``most``, both included; MORE_THAN_ZERO as the least
    leaves zero out. A ``note`` ends the error's text.
    """
    found = _as_timedelta(value)
    if found is None or not least <= found <= most or found % step:
        rule = _duration_rule(least, most, step) + _as_number(value)
        raise TickerValidationError(field, value, _noted(rule, note))
    return found


def _as_number(value: object) -> str:
    """Return what to do with a text that is a number, as those of the environment are; else nothing."""
    try:
        return f"; it is text, pass float({value!r})" if isinstance(value, str) and float(value) >= 0 else ""
    except ValueError:
        return ""


def _as_timedelta(value: object) -> timedelta | None:
    if isinstance(value, timedelta):
        return value
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    try:
        return timedelta(seconds=value)
    except (OverflowError, ValueError):  # infinite, too large, or not a number
        return None


def _duration_rule(least: timedelta, most: timedelta, step: timedelta) -> str:
    rule = "must be a timedelta or seconds"
    if step != timedelta.resolution:
        rule += f" in steps of {_shown(step)}"
    if most == timedelta.max:
        return rule
    if least == MORE_THAN_ZERO:
        return f"{rule}, more than 0 s, at most {_shown(most)}"
    return f"{rule}, from {_shown(least)} to {_shown(most)}"


def _noted(rule: str, note: str) -> str:
    return f"{rule}; {note}" if note else rule


def _shown(span: timedelta) -> str:
    if span and not span % _DAY:
        return "a day" if span == _DAY else f"{span.days:,} days"
    return exactly(span)


def fraction(field: str, value: object) -> float:
    """Return a number from 0 to 1; what sums of fractions are off by is forgiven."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 <= value <= 1 + _ROUNDING:  # type: ignore[operator]
        raise TickerValidationError(field, value, "pass a number from 0 to 1")
    return min(float(value), 1.0)  # type: ignore[arg-type]


def moment(field: str, value: object) -> datetime:
    """Return an aware moment as UTC."""
    if not isinstance(value, datetime):
        raise TickerValidationError(field, value, "pass a datetime")
    if value.tzinfo is not UTC and (value.tzinfo is None or value.utcoffset() is None):
        raise TickerValidationError(
            field, value, "a naive datetime is ambiguous: pass an aware one, such as datetime.now(UTC)"
        )
    try:
        utc = value if value.tzinfo is UTC else value.astimezone(UTC)
    except OverflowError as error:
        raise TickerValidationError(field, value, "out of range in UTC") from error
    if not 1 < utc.year < 9999:
        # A driver shows moments in its session's zone, and fails where that is another year 0 or 10,000.
        raise TickerValidationError(field, value, "pass a moment of the years 2 to 9998")
    return utc


def identifier(value: object, field: str = "id") -> UUID:
    """Return the id of a ticker, also where it is given as text."""
    if isinstance(value, UUID):
        return value
    try:
        return UUID(str(value))
    except ValueError as error:
        raise TickerValidationError(field, value, "pass a UUID") from error


def id_prefix(value: object) -> str:
    """Return the hexadecimal digits with which an id begins: eight at least, without hyphens."""
    digits = value.replace("-", "").lower() if isinstance(value, str) else ""
    if not SHORTEST_PREFIX <= len(digits) <= LONGEST_ID or set(digits) - set("0123456789abcdef"):
        raise TickerValidationError("prefix", value, "pass the first 8 digits of an id, or more")
    return digits


def storable(text: str, limit: int) -> str:
    """Return ``text`` as every database can keep it: no NUL, no lone surrogate, at most ``limit`` long."""
    text = clean(text)
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def clean(text: str) -> str:
    """Return ``text`` without what a database or a response cannot carry."""
    return text.replace("\x00", "\\x00").encode("utf-8", "backslashreplace").decode("utf-8")
