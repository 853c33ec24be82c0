"""What the machine knows of a cron ticker: which instants passed, and what became of each."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Row

from tests.inner import Misfire
from tests.missed import missed
from tickerq_celery.enums import TickerStatus

PERIOD = timedelta(seconds=10)
EXPRESSION = "*/10 * * * * *"
# Of another year: it fires no more in a test.
FAR_EXPRESSION = "0 0 1 1 *"
_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


def first_after(moment: datetime) -> datetime:
    """Return the first instant strictly after a moment."""
    return _EPOCH + ((moment - _EPOCH) // PERIOD + 1) * PERIOD


def instants(first: datetime, before: datetime) -> list[datetime]:
    """Return the instants from one of them up to before a moment."""
    count = max(0, -((first - before) // PERIOD))
    return [first + n * PERIOD for n in range(count)]


class CronLife:
    """Follows one cron ticker; every instant that it passes must be an occurrence or in a skip record."""

    def __init__(self) -> None:
        self.is_being_deleted = False
        self.fires_no_more = False
        self._fired: set[datetime] = set()
        self._recorded: set[datetime] = set()
        # The instant whose skip is being undone: the cron ticker may go back to it.
        self._back: datetime | None = None

    def has_fired_after(self, instant: datetime) -> bool:
        """Whether a later instant has its occurrence already."""
        return any(each > instant for each in self._fired)

    def comes_back(self, instant: datetime) -> None:
        """Note that the skip of an instant to come is undone."""
        self._fired.remove(instant)
        self._back = instant

    def follow(
        self, then: Row[Any] | None, now: Row[Any], occurrences: Sequence[Row[Any]], *, moment: datetime
    ) -> None:
        """Take in what one step did to the cron ticker: its row, and the occurrences that are new."""
        for occurrence in occurrences:
            self._take_in(occurrence, moment)
        if self.fires_no_more:
            return
        assert (now.next_run_at is None) != (now.resume_from is None), f"no next instant, or two: {now}"
        is_firing = now.next_run_at is not None
        assert now.is_enabled or not is_firing, f"it fires in its pause: {now}"
        again = [each for each in self._fired if is_firing and each >= now.next_run_at]
        assert not again, f"instants that have an occurrence, and come again: {again}"
        if then is None:
            assert _next(now) == first_after(moment), f"it begins at {_next(now)}, not after {moment}"
            return
        first = _next(then) if self._back is None else min(self._back, _next(then))
        self._back = None
        assert _next(now) >= first, f"it went back from {first}"
        passed = set(instants(_next(then), _next(now)))
        forgotten = sorted(passed - self._fired - self._recorded)
        assert not forgotten, f"instants that are neither an occurrence nor in a skip record: {forgotten}"

    def _take_in(self, occurrence: Row[Any], moment: datetime) -> None:
        misfire = missed(occurrence.skipped_reason)
        if misfire is not None:
            self._record(occurrence, misfire, moment)
        elif occurrence.instant is not None:
            self._fire(occurrence, moment)

    def _fire(self, occurrence: Row[Any], moment: datetime) -> None:
        instant: datetime = occurrence.instant
        is_passed_over = str(occurrence.skipped_reason).startswith("Skipped on request")
        assert instant == first_after(instant - PERIOD), f"{instant} is no instant"
        assert instant <= moment or is_passed_over, f"{instant} fired before its time, at {moment}"
        assert instant not in self._fired, f"{instant} fired twice"
        self._fired.add(instant)

    def _record(self, occurrence: Row[Any], misfire: Misfire, moment: datetime) -> None:
        assert occurrence.status is TickerStatus.SKIPPED
        assert misfire.last <= moment, f"missed before its time: {misfire}"
        recorded = instants(misfire.first, misfire.last + PERIOD)
        assert recorded[0] == misfire.first, f"{misfire.first} is no instant"
        is_counted_well = not misfire.count_is_exact or len(recorded) == misfire.count
        assert is_counted_well, f"{len(recorded)} instants: {occurrence.skipped_reason}"
        twice = self._recorded & set(recorded)
        assert not twice, f"recorded twice: {sorted(twice)}"
        self._recorded.update(recorded)


def _next(row: Row[Any]) -> datetime:
    """Return the first instant that has not been recorded: the next one, or the first that a pause keeps."""
    moment: datetime = row.next_run_at or row.resume_from
    return moment
