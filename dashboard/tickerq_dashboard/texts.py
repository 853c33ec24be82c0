"""Read what people type into fields; what cannot be read is an Unreadable in plain words."""

import json
import re
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

FIRST_YEAR, LAST_YEAR = 1970, 9000
_UNITS = {"d": 86_400, "h": 3_600, "min": 60, "m": 60, "s": 1, "ms": 0.001}
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]*)\s*", re.IGNORECASE)
_SPAN_RULE = "Write a time such as 30 s, 5 min or 1 h 30 min."
FIRST, SECOND = "first", "second"


class Unreadable(ValueError):  # noqa: N818  # it is no failure
    """A text means nothing in its field; its words say what would."""


class Repeated(Unreadable):
    """A time that the clocks show twice."""


class UnknownZone(Unreadable):
    """A name that no time zone has."""


def span(text: str) -> timedelta:
    """Return the duration that a text such as "1 h 30 min" says; a number alone is seconds.

    Raises:
        Unreadable: It says none.
    """
    at, seconds = 0, 0.0
    text = text.strip()
    while at < len(text):
        found = _PART.match(text, at)
        unit = "" if found is None else found[2].lower()
        if found is None or (unit not in _UNITS and (unit or found[0] != text)):
            raise Unreadable(_SPAN_RULE)
        seconds += float(found[1]) * _UNITS.get(unit, 1)
        at = found.end()
    if not text:
        raise Unreadable(_SPAN_RULE)
    try:
        return timedelta(seconds=seconds)
    except OverflowError:
        raise Unreadable("This is too long.") from None


def spans(text: str) -> list[timedelta]:
    """Return the durations between commas; raises what ``span`` does."""
    return [span(each) for each in words(text)]


def words(text: str) -> list[str]:
    """Return what stands between commas."""
    return [part.strip() for part in text.split(",") if part.strip()]


def dates(text: str) -> list[date]:
    """Return the dates between commas.

    Raises:
        Unreadable: One is none.
    """
    try:
        return [date.fromisoformat(each) for each in words(text)]
    except ValueError:
        raise Unreadable("Write dates such as 2026-12-24, 2026-12-25.") from None


def json_value(text: str) -> object:
    """Return the value that a text of JSON holds.

    Raises:
        Unreadable: It is no JSON; the words name line and column.
    """
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise Unreadable(f"This is not JSON: {error.msg} at {where}.") from None
    except (ValueError, RecursionError):
        raise Unreadable("This is not JSON: NaN, infinities and very deep values cannot be stored.") from None


def json_list(text: str) -> object:
    """Return a JSON array; raises what ``json_value`` does."""
    return _of_kind(text, list, "Write a JSON array, such as [1, 2].")


def json_object(text: str) -> object:
    """Return a JSON object; raises what ``json_value`` does."""
    return _of_kind(text, dict, 'Write a JSON object, such as {"user": 3}.')


@cache
def zone_names() -> tuple[str, ...]:
    """Return the names of the time zones of this machine."""
    return tuple(sorted(available_timezones()))


def zone(name: str) -> ZoneInfo:
    """Return the time zone of a name.

    Raises:
        UnknownZone: There is none.
    """
    if name not in zone_names():
        raise UnknownZone("There is no such time zone. Choose one of the list, such as Europe/Berlin.")
    return ZoneInfo(name)


def moment(text: str, zone_name: str, which: str = "") -> datetime:
    """Return the moment at which the clocks of a zone show a local date and time.

    ``which`` is FIRST or SECOND where they show it twice.

    Raises:
        Unreadable: It is no date and time, or the clocks never show it.
        Repeated: They show it twice, and ``which`` names none of both.
        UnknownZone: There is no such zone.
    """
    place = zone(zone_name)
    try:
        local = datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        raise Unreadable("Write a date and a time.") from None
    if not FIRST_YEAR <= local.year <= LAST_YEAR:
        raise Unreadable(f"Write a date of the years {FIRST_YEAR} to {LAST_YEAR}.")
    early, late = (local.replace(tzinfo=place, fold=fold).astimezone(UTC) for fold in (0, 1))
    if early == late:
        return early
    if late < early:
        around = [each.astimezone(place) for each in (late, early)]
        choices = " or ".join(f"{each:%H:%M %Z}" for each in around)
        raise Unreadable(f"The clocks of {zone_name} skip this time. Choose {choices}.")
    if which not in {FIRST, SECOND}:
        raise Repeated(f"The clocks of {zone_name} show this time twice. Choose one of the two.")
    return early if which == FIRST else late


def _refuse_constant(name: str) -> object:
    raise ValueError(name)


def _of_kind(text: str, kind: type, rule: str) -> object:
    found = json_value(text)
    if not isinstance(found, kind):
        raise Unreadable(rule)
    return found
