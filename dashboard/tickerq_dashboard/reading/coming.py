"""What is to come, read from the store: all of it, or of very many cron tickers a page."""

from datetime import datetime, timedelta
from typing import Any

from tickerq_celery import TickerQ
from tickerq_celery.views import Outlook
from tickerq_dashboard.upcoming_filters import UpcomingFilters

# With more cron tickers behind the first page, there are pages of so many items.
MOST_ON_ONE, COMING_EACH = 300, 100
LONGEST_LOOK = timedelta(seconds=1)


def all_coming(tickerq: TickerQ, asked: UpcomingFilters, now: datetime, limit: int) -> Outlook:
    """Return what is to come in a span, up to a limit."""
    return tickerq.outlook.upcoming(asked.ends(now), limit=limit, **_keywords(tickerq, asked))


def coming_page(tickerq: TickerQ, asked: UpcomingFilters, now: datetime, cursor: str | None) -> Outlook:
    """Return a page of what is to come in a span: all of it, where that is of few cron tickers."""
    given = _keywords(tickerq, asked) | {"whole_within": MOST_ON_ONE, "cursor": cursor}
    return tickerq.outlook.by_first_start(asked.ends(now), limit=COMING_EACH, **given)


def _keywords(tickerq: TickerQ, asked: UpcomingFilters) -> dict[str, Any]:
    budget = min(LONGEST_LOOK, tickerq.config.read_budget)
    return {"since": asked.since, "budget": budget, "function": asked.function or None}
