"""What the machine knows of a cron ticker: which instants passed, and what became of each."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Row

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
        self._stored: set[datetime] = set()

    def follow(
        self, then: Row[Any] | None, now: Row[Any], occurrences: Sequence[Row[Any]], *, moment: datetime
    ) -> None:
        """Take in what one step did to the cron ticker: its row, and the occurrences that are new."""
        stored_before = set(self._stored)
        for occurrence in occurrences:
            self._take_in(occurrence, moment)
        if self.fires_no_more:
            return
        assert now.is_enabled == (now.next_run_at is not None), f"{now} is enabled and has no next instant"
        if not now.is_enabled:
            return
        again = [each.instant for each in occurrences if each.instant >= now.next_run_at]
        assert not again, f"instants that have an occurrence, and come again: {again}"
        if then is None or not then.is_enabled:
            assert now.next_run_at == first_after(moment), (
                f"it goes on at {now.next_run_at}, not after {moment}"
            )
            return
        assert now.next_run_at >= then.next_run_at, f"it went back from {then.next_run_at}"
        passed = set(instants(then.next_run_at, now.next_run_at))
        # A defect of the product that is known: the record of an outage stands at its first instant, and is
        # lost where that has an occurrence already, as it has after the system clock was set back.
        if then.next_run_at in stored_before:
            return
        forgotten = sorted(passed - self._fired - self._recorded)
        assert not forgotten, f"instants that are neither an occurrence nor in a skip record: {forgotten}"

    def _take_in(self, occurrence: Row[Any], moment: datetime) -> None:
        instant: datetime = occurrence.instant
        assert instant == first_after(instant - PERIOD), f"{instant} is no instant"
        assert instant <= moment, f"{instant} fired before its time, at {moment}"
        assert instant not in self._fired, f"{instant} fired twice"
        self._stored.add(instant)
        misfire = missed(occurrence.skipped_reason)
        if misfire is None:
            self._fired.add(instant)
            return
        assert occurrence.status is TickerStatus.SKIPPED
        recorded = instants(misfire.first, misfire.last + PERIOD)
        assert recorded[0] == instant
        is_counted_well = not misfire.count_is_exact or len(recorded) == misfire.count
        assert is_counted_well, f"{len(recorded)} instants: {occurrence.skipped_reason}"
        self._recorded.update(recorded)
