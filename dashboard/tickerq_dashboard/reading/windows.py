"""The windows of time that figures are of: how long, and in what steps."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A length that can be chosen, the step of its series, and how both are said."""

    slug: str
    length: timedelta
    step: timedelta
    said: str
    step_said: str

    def since(self, now: datetime) -> datetime:
        """Return the whole hour, or the midnight of UTC, with which the window begins."""
        if self.step < timedelta(days=1):
            return (now - self.length).replace(minute=0, second=0, microsecond=0)
        return (now - self.length).replace(hour=0, minute=0, second=0, microsecond=0) + self.step


WINDOWS = {
    each.slug: each
    for each in (
        Window(
            slug="24h",
            length=timedelta(hours=24),
            step=timedelta(hours=1),
            said="24 h",
            step_said="each hour",
        ),
        Window(
            slug="7d", length=timedelta(days=7), step=timedelta(hours=6), said="7 d", step_said="each 6 hours"
        ),
        Window(
            slug="30d",
            length=timedelta(days=30),
            step=timedelta(days=1),
            said="30 d",
            step_said="each day of UTC",
        ),
    )
}
DEFAULT = WINDOWS["24h"]
