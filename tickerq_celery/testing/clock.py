"""The clock of a test: it goes with the system's until it is set, and moves on when it is advanced."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from tickerq_celery import validation
from tickerq_celery.clock import SystemClock
from tickerq_celery.errors import TickerValidationError

_NOTHING = timedelta(0)


class MovableClock:
    """What a test's store and engine go by, in Python and in SQL.

    Until it is set it goes with the system's clock, as the code under test does that asks for the time
    itself; ``advance`` keeps it ahead of that. Once it is set it stands, and ``advance`` alone moves it.
    """

    def __init__(self) -> None:
        self._system = SystemClock()
        self._ahead = _NOTHING
        self._standing: datetime | None = None
        self._advanced = _NOTHING
        self._on_first_set: Callable[[], None] | None = None
        # From then on a moment before the present one would be a step back.
        self._has_begun = False

    def now(self) -> datetime:
        """Return the present moment as an aware UTC datetime."""
        return self._system.now() + self._ahead if self._standing is None else self._standing

    def monotonic(self) -> float:
        """Return seconds that never go back; only differences mean anything."""
        return self._system.monotonic() + self._advanced.total_seconds()

    def sql_literal(self) -> datetime | None:
        """Return the moment that SQL statements bind as now."""
        return self.now()

    def set(self, moment: datetime) -> None:
        """Let the clock stand at an aware moment.

        The first call decides when the test takes place: the cron tickers that functions define count from
        there. After that, and once something has run, a later moment lets the time between pass, as
        ``advance`` does.

        Raises:
            TickerValidationError: The moment is naive, or time would go back.
        """
        checked = validation.moment("moment", moment)
        if self._has_begun and checked < self.now():
            reason = f"time does not go back: the clock is at {self.now().isoformat()}"
            raise TickerValidationError("moment", moment, reason)
        self._standing, self._has_begun = checked, True
        first, self._on_first_set = self._on_first_set, None
        if first is not None:
            first()

    def advance(
        self, *, weeks: float = 0, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0
    ) -> None:
        """Let time pass.

        Raises:
            TickerValidationError: It would go back.
        """
        step = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
        if step < _NOTHING:
            raise TickerValidationError("advance", step, "time does not go back")
        self._on_first_set, self._has_begun = None, True
        self._move(step)

    def when_first_set(self, action: Callable[[], None] | None) -> None:
        """Call ``action`` once, when the clock is set before anything else; None calls nothing any more."""
        self._on_first_set = action
        self._has_begun = self._has_begun or action is None

    @contextmanager
    def replay(self) -> Iterator[Callable[[datetime], None]]:
        """Let the clock stand where the given function puts it; it is back, and goes on, after the block.

        What the block advances it beyond the present moment stays.
        """
        before, end = self._standing, self.now()
        self._standing = end
        try:
            yield self._stand_at
        finally:
            beyond = max(_NOTHING, self._standing - end)
            self._standing = before
            self._shift(beyond)

    def _stand_at(self, moment: datetime) -> None:
        self._standing = moment

    def _move(self, step: timedelta) -> None:
        self._advanced += step
        self._shift(step)

    def _shift(self, step: timedelta) -> None:
        if self._standing is None:
            self._ahead += step
        else:
            self._standing += step
