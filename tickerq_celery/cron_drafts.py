"""Checked cron tickers as the rows that will be stored; nothing here touches the database."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tickerq_celery import limits
from tickerq_celery.chain_templates import Template
from tickerq_celery.cron import CronSchedule
from tickerq_celery.drafts import FunctionDefaults, ticker_fields
from tickerq_celery.enums import MisfirePolicy, OverlapPolicy
from tickerq_celery.errors import TickerValidationError
from tickerq_celery.tickers import CronTicker
from tickerq_celery.uuid7 import new_id

OCCURRENCE_FIELDS = frozenset(
    {"function", "request", "description", "retries", "retry_intervals", "priority", "queue", "tags"}
)
_MOST_MISFIRES = 1_000
_LONGEST_GRACE = 3650 * 24 * 3600


def cron_ticker_row(
    ticker: CronTicker,
    *,
    namespace: str,
    request: bytes | None,
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
        "request": request,
        "encoding": 0,
        "children": children,
        "is_enabled": is_enabled,
        "misfire": _policy("misfire", ticker.misfire, MisfirePolicy),
        "misfire_limit": _misfire_limit(ticker.misfire_limit),
        "misfire_grace": _misfire_grace(ticker.misfire_grace),
        "overlap": _policy("overlap", ticker.overlap, OverlapPolicy),
        "pause_on_failure": limits.failures(ticker.pause_on_failure),
        "seed_key": None,
        "seed_expression": None,
        "next_run_at": schedule.next_after(now) if is_enabled else None,
        "created_at": now,
        "updated_at": now,
    }


def schedule_of(cron: Mapping[str, Any]) -> CronSchedule:
    """Return the schedule of a cron ticker's row.

    Raises:
        InvalidCronError: The expression cannot be parsed.
        TickerValidationError: There is no such time zone on this machine.
    """
    return CronSchedule.parse(cron["expression"], time_zone=cron["time_zone"], day_or=cron["day_or"])


def next_run(cron: Mapping[str, Any], now: datetime) -> datetime | None:
    """Return the first instant of a cron ticker's row strictly after ``now``."""
    return schedule_of(cron).next_after(now)


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


def _policy(field: str, value: object, policies: Any) -> str:
    try:
        return str(policies(value).value)
    except ValueError as error:
        allowed = ", ".join(policy.value for policy in policies)
        raise TickerValidationError(field, value, f"pass one of {allowed}") from error
