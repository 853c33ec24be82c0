"""Values that users get, all frozen: the store as a manager read it at one moment, and the settings."""

from tickerq_celery.payload.codec import StoredRequest
from tickerq_celery.runtime.config import TickerConfig
from tickerq_celery.schedule.preview import Explanation, Upcoming
from tickerq_celery.tickers.pages import Page, Walk
from tickerq_celery.tickers.pauses import Pause
from tickerq_celery.tickers.views import Attempt, Cron, LogLine, Run

__all__ = [
    "Attempt",
    "Cron",
    "Explanation",
    "LogLine",
    "Page",
    "Pause",
    "Run",
    "StoredRequest",
    "TickerConfig",
    "Upcoming",
    "Walk",
]
