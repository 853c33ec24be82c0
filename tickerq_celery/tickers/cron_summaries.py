"""The short view of a cron ticker that lists are made of."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from tickerq_celery.enums import MisfirePolicy, OverlapPolicy, TickerKind, TickerPriority
from tickerq_celery.schedule.interval import every_in
from tickerq_celery.schedule.sentence import sentence_of
from tickerq_celery.tickers.versions import stamp


@dataclass(frozen=True, slots=True, kw_only=True)
class CronSummary:
    """A cron ticker as lists show it, without its request and its chain; times are aware UTC.

    ``run_count`` is how many instants got their occurrence so far.
    """

    id: UUID
    namespace: str
    kind: TickerKind
    function: str
    description: str | None
    expression: str
    time_zone: str
    day_or: bool
    start_at: datetime | None
    end_at: datetime | None
    max_runs: int | None
    run_count: int
    is_enabled: bool
    paused_reason: str | None
    paused_by: str | None
    paused_at: datetime | None
    is_seeded: bool
    seed_expression: str | None
    misfire: MisfirePolicy
    overlap: OverlapPolicy
    retries: int
    priority: TickerPriority
    queue: str | None
    concurrency_key: str | None
    tags: tuple[str, ...]
    next_run_at: datetime | None
    last_run_at: datetime | None
    created_at: datetime
    updated_at: datetime

    @property
    def version(self) -> str:
        """Which version of the definition this is, for ``expected=``; a fire does not change it."""
        return stamp(self.updated_at)

    @property
    def every(self) -> timedelta | None:
        """The interval; None where it is a cron expression."""
        return every_in(self.expression)

    @property
    def words(self) -> str:
        """When it fires, as a sentence; its expression where that cannot be read."""
        return sentence_of(self.expression, day_or=self.day_or)
