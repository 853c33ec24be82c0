"""How many runs are active, in numbers that are counted to a bound and no further."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tickerq_celery.enums import HoldReason

MOST_COUNTED = 10_000


@dataclass(frozen=True, slots=True, order=True)
class Count:
    """A number that was counted to a bound of 10,000 and no further: then there are so many ``or_more``.

    ``is_partial`` says that counting ended before that, and not all was looked at.
    """

    number: int
    is_partial: bool = field(default=False, compare=False)

    @property
    def or_more(self) -> bool:
        """Whether there may be more than the number."""
        return self.is_partial or self.number >= MOST_COUNTED

    def __str__(self) -> str:
        return f"{self.number:,}{'+' if self.or_more else ''}"

    def __int__(self) -> int:
        return self.number


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCounts:
    """How many runs of a namespace, or of a function, are active at one moment, ``at``; each counts once.

    ``in_progress`` run, and ``queued`` were claimed and have not started, published or not; so many of these
    are ``published``: Celery tasks that the broker has and no worker has reported yet. ``due`` may be
    claimed now, the first of them since ``due_since``; ``scheduled`` may be later. ``held`` may not run for
    each reason, those too of which there is none. ``due_crons`` are the cron tickers that are to fire now,
    the first of them since ``due_crons_since``: for more than a moment where no beat fires them. Of a
    function they are not counted.
    """

    at: datetime
    in_progress: Count
    queued: Count
    published: Count
    due: Count
    due_since: datetime | None
    scheduled: Count
    held: Mapping[HoldReason, Count]
    due_crons: Count = Count(0)
    due_crons_since: datetime | None = None

    @property
    def crons_lag(self) -> timedelta:
        """How long the first of the cron tickers that are due has been so; zero where none is."""
        return self._passed(self.due_crons_since)

    @property
    def lag(self) -> timedelta:
        """How long the first of what is due has been so; zero where nothing is."""
        return self._passed(self.due_since)

    def _passed(self, since: datetime | None) -> timedelta:
        return timedelta(0) if since is None else max(timedelta(0), self.at - since)
