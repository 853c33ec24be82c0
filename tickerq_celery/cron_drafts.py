"""Checked cron tickers as the rows that will be stored; nothing here touches the database."""

from datetime import datetime
from typing import Any

from tickerq_celery import limits
from tickerq_celery.chain_templates import Template
from tickerq_celery.codec import Packed
from tickerq_celery.cron import CronSchedule
from tickerq_celery.drafts import FunctionDefaults, ticker_fields
from tickerq_celery.enums import MisfirePolicy, OverlapPolicy
from tickerq_celery.errors import TickerValidationError
from tickerq_celery.tickers import CronTicker
from tickerq_celery.uuid7 import new_id

OCCURRENCE_FIELDS = frozenset(
    {
        "function", "request", "encoding", "description", "retries", "retry_intervals", "timeout",
        "hard_timeout", "priority", "queue", "concurrency_key", "tags",
    }
)  # fmt: skip
_MOST_MISFIRES = 1_000
_LONGEST_GRACE = 3650 * 24 * 3600


def cron_ticker_row(
    ticker: CronTicker,
    *,
    namespace: str,
    request: Packed,
    children: Template | None,
    defaults: FunctionDefaults,
    default_zone: str,
    now: datetime,
) -> dict[str, Any]:
    """Return the row of a new cron ticker.

    Raises:
        InvalidCronError: The expression cannot be parsed, or never fires.
        TickerValidationError: Another field holds what cannot be stored.
    """
    zone = default_zone if ticker.time_zone is None else ticker.time_zone
    schedule = CronSchedule.parse(ticker.expression, time_zone=zone, day_or=_flag("day_or", ticker.day_or))
    is_enabled = _flag("is_enabled", ticker.is_enabled)
    return {
        **ticker_fields(ticker, defaults),
        "id": new_id(),
        "namespace": namespace,
        "function": ticker.function,
        "expression": schedule.expression,
        "time_zone": zone,
        "day_or": ticker.day_or,
        "request": request.data,
        "encoding": request.encoding,
        "children": children,
        "is_enabled": is_enabled,
        "misfire": limits.choice("misfire", ticker.misfire, MisfirePolicy).value,
        "misfire_limit": _misfire_limit(ticker.misfire_limit),
        "misfire_grace": _misfire_grace(ticker.misfire_grace),
        "overlap": limits.choice("overlap", ticker.overlap, OverlapPolicy).value,
        "seed_key": None,
        "seed_expression": None,
        "next_run_at": schedule.next_after(now) if is_enabled else None,
        "created_at": now,
        "updated_at": now,
    }


def next_run(expression: str, time_zone: str, day_or: bool, now: datetime) -> datetime | None:
    """Return the first instant of an expression strictly after ``now``."""
    return CronSchedule.parse(expression, time_zone=time_zone, day_or=day_or).next_after(now)


def _flag(field: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise TickerValidationError(field, value, "pass True or False")
    return value


def _misfire_limit(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= _MOST_MISFIRES:
        raise TickerValidationError("misfire_limit", value, f"pass a whole number from 1 to {_MOST_MISFIRES}")
    return value


def _misfire_grace(value: object) -> float | None:
    if value is None:
        return None
    if value == 0:
        raise TickerValidationError("misfire_grace", value, "pass more than 0 seconds, or None for no limit")
    return limits.seconds("misfire_grace", value, _LONGEST_GRACE)
