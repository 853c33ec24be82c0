"""The windows of time that figures are of: how long, and in what steps."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowChoice:
    """A length that can be chosen, the step of its series, and how it is said."""

    slug: str
    length: timedelta
    step: timedelta
    said: str

    def since(self, now: datetime) -> datetime:
        """Return with what the window begins: the whole hour or shorter step, or the midnight of UTC."""
        begin = now - self.length
        if self.step >= _DAY:
            return begin.replace(hour=0, minute=0, second=0, microsecond=0) + self.step
        minutes = min(self.step, _HOUR) // timedelta(minutes=1)
        return begin.replace(minute=begin.minute // minutes * minutes, second=0, microsecond=0)


# Of one function figures are by the hour.
WINDOWS = {
    each.slug: each
    for each in (
        WindowChoice(slug="24h", length=_DAY, step=_HOUR, said="24 h"),
        WindowChoice(slug="7d", length=7 * _DAY, step=6 * _HOUR, said="7 d"),
        WindowChoice(slug="30d", length=30 * _DAY, step=_DAY, said="30 d"),
    )
}
DEFAULT = WINDOWS["24h"]
# Of all functions there are shorter steps: as many as a wide chart has room for.
OF_ALL = {
    each.slug: each
    for each in (
        WindowChoice(slug="1h", length=_HOUR, step=_HOUR / 60, said="1 h"),
        replace(DEFAULT, step=_HOUR / 2),
        replace(WINDOWS["7d"], step=4 * _HOUR),
        WINDOWS["30d"],
    )
}
