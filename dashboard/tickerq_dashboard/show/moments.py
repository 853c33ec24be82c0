"""Moments in the reader's zone: today by the clock, this week by the day, else by the date."""

import re
from collections.abc import Mapping, Set
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from tickerq_dashboard.show.durations import age

_WEEK = timedelta(days=6)
# As the core writes moments in sentences, and in the reasons that it stores.
IN_TEXT = r"\b\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)"
_MOMENTS = re.compile(IN_TEXT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """What a page tells the time by: the moment of its rendering, and the reader's zone.

    ``refused`` is what the reader has chosen where that is no zone, so that it is UTC.
    """

    now: datetime
    zone: tzinfo
    name: str
    refused: str = ""

    def local(self, when: datetime) -> datetime:
        """Return a moment as the reader's clocks show it."""
        return when.astimezone(self.zone)

    @property
    def abbreviation(self) -> str:
        """What the zone is called at present: CET, UTC."""
        return self.local(self.now).strftime("%Z")

    def short(self, when: datetime) -> str:
        """Return a moment for a list: 15:03:46, "Tue 18:02", "2026-11-12 08:00"."""
        local, today = self.local(when), self.local(self.now)
        if local.date() == today.date():
            return f"{local:%H:%M:%S}"
        if abs(local - today) < _WEEK:
            return f"{local:%a %H:%M}"
        return f"{local:%Y-%m-%d %H:%M}"

    def cell(self, when: datetime) -> str:
        """Return a moment for a narrow column: as ``short``, and the date alone where it is long ago."""
        return (
            self.short(when).removesuffix(f"{self.local(when): %H:%M}")
            if self._is_far(when)
            else self.short(when)
        )

    def _is_far(self, when: datetime) -> bool:
        return abs(when - self.now) >= _WEEK

    def localised(self, text: str) -> str:
        """Return a text of the core with its moments in the reader's zone."""
        return _MOMENTS.sub(lambda found: self.single(read(found[0])), text)

    def whole(self, when: datetime) -> str:
        """Return a moment with its date, second and zone."""
        return f"{self.local(when):%Y-%m-%d %H:%M:%S %Z}"

    def exact(self, when: datetime) -> str:
        """Return a moment with its offset, as a field takes it: 2026-11-24 15:03:46+01:00."""
        return self.local(when).isoformat(sep=" ", timespec="seconds")

    def single(self, when: datetime) -> str:
        """Return a moment that stands alone, with its zone."""
        return f"{self.short(when)} {self.local(when):%Z}"

    def distance(self, when: datetime, *, units: int = 2) -> str:
        """Return how far off a moment is, in one unit or in two: "12 s ago", "in 5 min", "2 h 26 min ago"."""
        if when > self.now:
            return f"in {age(when - self.now, units=units)}"
        return f"{age(self.now - when, units=units)} ago"


def machine(when: datetime) -> str:
    """Return a moment for machines, in ISO 8601 with Z."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read(text: str) -> datetime:
    """Return a moment that was found in a text."""
    return datetime.fromisoformat(text.replace(" ", "T"))


def zone_named(name: str) -> tuple[tzinfo, str]:
    """Return the zone of a stored name and that name; UTC where this machine has none of that name."""
    if name != "UTC" and name in _zone_names():
        return ZoneInfo(name), name
    return UTC, "UTC"


def zone_meant(text: str) -> str | None:
    """Return the name of the zone that a reader means, in any case, or by its city alone: "kolkata"."""
    return _zones_by_words().get(text.strip().replace(" ", "_").casefold())


@cache
def _zone_names() -> Set[str]:
    """Return the names of all zones; to look for them in the system's files takes longer than a page."""
    return available_timezones()


@cache
def _zones_by_words() -> Mapping[str, str]:
    by_city: dict[str, list[str]] = {}
    for name in _zone_names():
        by_city.setdefault(name.rpartition("/")[2].casefold(), []).append(name)
    cities = {city: names[0] for city, names in by_city.items() if len(names) == 1}
    return cities | {name.casefold(): name for name in _zone_names()}
