"""What a verb did to several cron tickers at once, and which of them it left as they are."""

from dataclasses import dataclass
from uuid import UUID

from tickerq_celery.tickers.views import Cron


@dataclass(frozen=True, slots=True, kw_only=True)
class CronSkip:
    """A cron ticker that was left as it is, and why: "it is paused already by ann: bank holiday"."""

    id: UUID
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CronBatch:
    """Those that were changed, as they now are, and those that were skipped, in the order of their ids."""

    changed: tuple[Cron, ...]
    skipped: tuple[CronSkip, ...]
