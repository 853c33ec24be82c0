"""A clock that only moves when a test says so."""

from datetime import UTC, datetime, timedelta

START = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)


def at(hour: int, minute: int = 0, *, day: int = START.day) -> datetime:
    """Return a moment of the day on which a clock starts, or of another day of that month."""
    return START.replace(day=day, hour=hour, minute=minute)


class ManualClock:
    """Moves only when it is advanced; SQL statements get its moment as a literal."""

    def __init__(self, start: datetime = START) -> None:
        self._now = start
        self._monotonic = 1_000.0

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def sql_literal(self) -> datetime | None:
        return self._now

    def advance(self, **duration: float) -> None:
        """Let time pass: ``clock.advance(minutes=5)``."""
        step = timedelta(**duration)
        self._now += step
        self._monotonic += step.total_seconds()

    def set(self, moment: datetime) -> None:
        """Set the wall clock, as an administrator would; the monotonic one does not notice."""
        self._now = moment
