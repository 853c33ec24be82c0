"""Checked cron tickers as the rows that will be stored; nothing here touches the database."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from tickerq_celery import validation
from tickerq_celery.enums import MisfirePolicy, OverlapPolicy, TickerKind
from tickerq_celery.errors import InvalidCronError, TickerValidationError
from tickerq_celery.ids import new_id
from tickerq_celery.payload.codec import Packed
from tickerq_celery.schedule.bounds import BOUND_FIELDS, checked_bounds
from tickerq_celery.schedule.cron import NO_TIME
from tickerq_celery.schedule.interval import expression_from
from tickerq_celery.schedule.timetable import Instants, make_timetable, timetable_of
from tickerq_celery.tickers.chain_templates import Template
from tickerq_celery.tickers.inputs import CronTicker
from tickerq_celery.tickers.run_rows import FunctionDefaults, ticker_fields

OCCURRENCE_FIELDS = frozenset(
    {
        "function", "request", "encoding", "description", "retries", "retry_intervals", "timeout",
        "hard_timeout", "priority", "queue", "concurrency_key", "tags",
    }
)  # fmt: skip
_MOST_MISFIRES = 1_000
_LONGEST_GRACE = timedelta(days=3650)
_LONGEST_KEY = 200
_HASHED = 16


def cron_ticker_row(
    ticker: CronTicker,
    *,
    namespace: str,
    request: Packed,
    children: Template | None,
    defaults: FunctionDefaults,
    default_zone: str,
    now: datetime,
    run_count: int = 0,
) -> dict[str, Any]:
    """Return the row of a new cron ticker.

    Raises:
        InvalidCronError: The expression cannot be parsed, or never fires.
        TickerValidationError: Another field holds what cannot be stored.
    """
    zone = default_zone if ticker.time_zone is None else ticker.time_zone
    bounds = checked_bounds(**{name: getattr(ticker, name) for name in BOUND_FIELDS})
    timetable = make_timetable(
        expression_from(ticker.expression, ticker.every),
        time_zone=zone,
        day_or=validation.flag("day_or", ticker.day_or),
        now=now,
        bounds=bounds,
    )
    if timetable.instants.next_after(now) is None:
        raise InvalidCronError(timetable.expression, f"never fires any more: {NO_TIME}")
    is_enabled = validation.flag("is_enabled", ticker.is_enabled)
    return {
        **ticker_fields(ticker, defaults),
        "id": new_id(),
        "namespace": namespace,
        "kind": TickerKind.FUNCTION.value,
        "function": ticker.function,
        **replace(bounds, start_at=timetable.start_at).columns(),
        "run_count": run_count,
        "expression": timetable.expression,
        "time_zone": zone,
        "day_or": ticker.day_or,
        "request": request.data,
        "encoding": request.encoding,
        "children": children,
        "is_enabled": is_enabled,
        "misfire": validation.choice("misfire", ticker.misfire, MisfirePolicy).value,
        "misfire_limit": validation.whole("misfire_limit", ticker.misfire_limit, 1, _MOST_MISFIRES),
        "misfire_grace": _misfire_grace(ticker.misfire_grace),
        "overlap": validation.choice("overlap", ticker.overlap, OverlapPolicy).value,
        "pause_on_failure": validation.failures(ticker.pause_on_failure),
        "seed_key": None,
        "seed_expression": None,
        "next_run_at": next_run(timetable, now=now, max_runs=bounds.max_runs, run_count=run_count)
        if is_enabled
        else None,
        "created_at": now,
        "updated_at": now,
    }


def next_run(instants: Instants, *, now: datetime, max_runs: int | None, run_count: int) -> datetime | None:
    """Return the first instant strictly after ``now``, or None if there is none, or no run is left."""
    if max_runs is not None and run_count >= max_runs:
        return None
    return instants.next_after(now)


def next_run_of(cron: Mapping[str, Any], moment: datetime) -> datetime | None:
    """Return the first instant of a cron ticker's row strictly after ``moment``, within its bounds.

    Raises:
        TickerValidationError: Its expression or its zone cannot be read on this machine.
    """
    return next_run(timetable_of(cron), now=moment, max_runs=cron["max_runs"], run_count=cron["run_count"])


def times_of_code(row: Mapping[str, Any], *, expression: str, time_zone: str, day_or: bool) -> dict[str, Any]:
    """Return the times that code gives a cron ticker's row; an operator's, who changed one of them, stay."""
    named = {"expression": expression, "time_zone": time_zone, "day_or": day_or}
    seeds = {f"seed_{name}": value for name, value in named.items()}
    is_own = any(row[f"seed_{name}"] != row[name] for name in named)
    return seeds if is_own else seeds | named


def of_occurrences(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of a cron ticker's changes that its occurrences have, too."""
    return {name: value for name, value in changes.items() if name in OCCURRENCE_FIELDS}


def refuse_changes_of_a_call(changes: Mapping[str, object]) -> None:
    """Refuse to change what the call of a Celery task consists of.

    Raises:
        TickerValidationError: ``changes`` has such a field.
    """
    for name in sorted((OCCURRENCE_FIELDS | {"children"}) & changes.keys() - {"tags"}):
        raise TickerValidationError(
            name, changes[name], "it belongs to the call of a Celery task: change it where that is defined"
        )


def _misfire_grace(value: object) -> float | None:
    if value is None:
        return None
    return validation.seconds(
        "misfire_grace",
        value,
        least=validation.MORE_THAN_ZERO,
        most=_LONGEST_GRACE,
        note="None means no limit",
    )


def short_key(key: str) -> str:
    """Return a key that a column can hold: a hash takes the place of the end of a long one.

    It also closes one that ends in a blank, since MariaDB compares texts without their last blanks.
    """
    if len(key) <= _LONGEST_KEY and not key.endswith(" "):
        return key
    return f"{key[: _LONGEST_KEY - _HASHED]}{sha256(key.encode()).hexdigest()[:_HASHED]}"
