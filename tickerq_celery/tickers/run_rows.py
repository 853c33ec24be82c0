"""Checked tickers as the rows that will be stored; nothing here touches the database."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from tickerq_celery import validation
from tickerq_celery.enums import HoldReason, TickerKind, TickerPriority, TickerStatus, TickerType
from tickerq_celery.ids import new_id
from tickerq_celery.payload.codec import Packed
from tickerq_celery.schedule.bounds import delay_of, jitter_from
from tickerq_celery.schedule.planner import Misfire
from tickerq_celery.tickers import chains
from tickerq_celery.tickers.chain_templates import copies
from tickerq_celery.tickers.timeouts import checked_timeouts


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionDefaults:
    """What a function says for tickers that do not say it themselves."""

    retries: int = 0
    retry_intervals: tuple[float, ...] = ()
    priority: int = TickerPriority.NORMAL
    queue: str | None = None
    timeout: float | None = None
    priority_queues: Mapping[TickerPriority, str] = field(default_factory=dict)


def ticker_fields(ticker: Any, defaults: FunctionDefaults) -> dict[str, Any]:
    """Return the checked columns that time tickers and cron tickers share.

    Raises:
        TickerValidationError: A field holds what cannot be stored.
    """
    intervals = defaults.retry_intervals if ticker.retry_intervals is None else ticker.retry_intervals
    named = defaults.queue if ticker.queue is None else ticker.queue
    priority = defaults.priority if ticker.priority is None else ticker.priority
    priority = validation.member("priority", priority, TickerPriority)
    queue = defaults.priority_queues.get(priority) if named is None else named
    key = ticker.concurrency_key
    description = ticker.description
    timeouts = checked_timeouts(ticker.timeout, ticker.hard_timeout, of_function=defaults.timeout)
    return {
        "description": description
        if description is None
        else validation.words("description", description, validation.LONGEST_DESCRIPTION),
        "retries": validation.retries(defaults.retries if ticker.retries is None else ticker.retries),
        "retry_intervals": validation.retry_intervals(intervals),
        "timeout": timeouts.soft,
        "hard_timeout": timeouts.hard,
        "priority": int(priority),
        "queue": queue if queue is None else validation.name("queue", queue, validation.LONGEST_QUEUE),
        "concurrency_key": key
        if key is None
        else validation.name("concurrency_key", key, validation.LONGEST_CONCURRENCY_KEY),
        "tags": validation.tags(ticker.tags),
    }


def time_ticker_row(
    ticker: Any,
    *,
    namespace: str,
    function: str,
    request: Packed,
    now: datetime,
    shared: dict[str, Any],
) -> dict[str, Any]:
    """Return the row of a new time ticker; a past execution time is due now.

    Raises:
        TickerValidationError: The execution time or the unique key cannot be used.
    """
    at = now if ticker.execution_time is None else validation.moment("execution_time", ticker.execution_time)
    key = ticker.unique_key
    if key is not None:
        validation.name("unique_key", key, validation.LONGEST_KEY)
    return {
        **_blank(now),
        **shared,
        "id": new_id(),
        "namespace": namespace,
        "type": int(TickerType.TIME_TICKER),
        "function": function,
        "request": request.data,
        "encoding": request.encoding,
        "execution_time": at,
        "due_at": max(at, now),
        "unique_key": key,
        "active_key": key,
        "has_children": bool(ticker.children),
    }


def as_child(row: Mapping[str, Any], ticker: Any, *, parent_id: UUID) -> dict[str, Any]:
    """Return a time ticker's row as one that waits for its parent, and maybe for its own execution time.

    Raises:
        TickerValidationError: The run condition is none.
    """
    condition = chains.run_condition(ticker.run_condition)
    return {
        **row,
        **waiting_for(parent_id),
        # Without a moment of its own it has none: it runs when its parent lets it.
        "execution_time": None if ticker.execution_time is None else row["execution_time"],
        "run_condition": None if condition is None else int(condition),
    }


def waiting_for(parent_id: UUID) -> dict[str, Any]:
    """Return the columns that hold a child until its parent starts or ends."""
    return {
        "parent_id": parent_id,
        "due_at": None,
        "held_for": HoldReason.PARENT.value,
        "hold_key": str(parent_id),
    }


def occurrence_row(cron: Mapping[str, Any], *, instant: datetime | None, now: datetime) -> dict[str, Any]:
    """Return the row of an occurrence; without an ``instant`` it was asked for by hand and is due now.

    One with an instant is due as much later as the cron ticker's jitter says for it.
    """
    at = now
    if instant is not None:
        at = instant + delay_of(cron["id"], instant, jitter_from(cron["jitter_ms"]))
    return {
        **_blank(now),
        "id": new_id(),
        "namespace": cron["namespace"],
        "type": int(TickerType.CRON_TICKER_OCCURRENCE),
        "kind": cron["kind"],
        "function": cron["function"],
        "description": cron["description"],
        "request": cron["request"],
        "encoding": cron["encoding"],
        "retries": cron["retries"],
        "retry_intervals": cron["retry_intervals"],
        "timeout": cron["timeout"],
        "hard_timeout": cron["hard_timeout"],
        "priority": cron["priority"],
        "queue": cron["queue"],
        "concurrency_key": cron["concurrency_key"],
        "tags": cron["tags"],
        "execution_time": at,
        "due_at": at,
        "cron_ticker_id": cron["id"],
        "instant": instant,
        "has_children": bool(cron["children"]),
    }


def occurrence_children(
    cron: Mapping[str, Any], occurrence: Mapping[str, Any], *, now: datetime
) -> list[dict[str, Any]]:
    """Return the rows of an occurrence's own copy of its cron ticker's chain, parents first."""
    rows: list[dict[str, Any]] = []
    for columns in copies(cron["children"]):
        place = columns.pop("parent")
        parent = occurrence if place is None else rows[place]
        rows.append(
            {
                **_blank(now),
                **columns,
                **waiting_for(parent["id"]),
                "id": new_id(),
                "namespace": occurrence["namespace"],
                "type": int(TickerType.TIME_TICKER),
                "execution_time": None,
            }
        )
    return rows


def skipped_row(row: Mapping[str, Any], *, reason: str, now: datetime) -> dict[str, Any]:
    """Return an occurrence's row as one that was skipped before it could run."""
    return {
        **row,
        "status": TickerStatus.SKIPPED,
        "due_at": None,
        "active_key": None,
        "has_children": False,
        "skipped_reason": reason,
        "ended_at": now,
        "ended_status": TickerStatus.SKIPPED,
    }


def skip_record(cron: Mapping[str, Any], misfire: Misfire, *, reason: str, now: datetime) -> dict[str, Any]:
    """Return the row of the one record of instants that get no occurrence.

    It stands for all of them and so for no single one: each of them can still get its occurrence.
    """
    row = occurrence_row(cron, instant=misfire.first, now=now) | {"instant": None}
    return skipped_row(row, reason=reason, now=now)


def _blank(now: datetime) -> dict[str, Any]:
    return {
        "status": TickerStatus.IDLE,
        "kind": TickerKind.FUNCTION.value,
        "claim_no": 0,
        "publish_count": 0,
        "is_due": False,
        "retry_count": 0,
        "rescue_count": 0,
        "attempts_before": 0,
        "held_for": None,
        "hold_key": None,
        "not_before": None,
        "cron_ticker_id": None,
        "instant": None,
        "unique_key": None,
        "active_key": None,
        "parent_id": None,
        "run_condition": None,
        "skipped_reason": None,
        "ended_at": None,
        "ended_status": None,
        "created_at": now,
        "updated_at": now,
    }
