"""Register a worker's functions and seed the cron tickers that they define."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from tickerq_celery.cron.overlap import end_turns
from tickerq_celery.cron.rescheduling import move
from tickerq_celery.enums import TickerKind
from tickerq_celery.functions.definition import Function
from tickerq_celery.ids import new_id
from tickerq_celery.payload.requests import json_schema
from tickerq_celery.runtime.core import Core
from tickerq_celery.schedule.bounds import MILLISECOND
from tickerq_celery.schedule.interval import every_in
from tickerq_celery.schedule.timetable import make_timetable
from tickerq_celery.store import cron_pauses, cron_tickers, functions
from tickerq_celery.store.database.batches import insert_if_absent
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.functions import FunctionRecord
from tickerq_celery.store.occurrences import rewrite_pending
from tickerq_celery.store.tables import cron_tickers as cron_table
from tickerq_celery.tickers.cron_rows import of_occurrences, times_of_code


def seed(core: Core) -> None:
    """Write the functions of this process and seed their cron tickers.

    Raises:
        StoreError: The database is away.
    """
    core.write(lambda tx: seed_in(core, tx))


def seed_in(core: Core, tx: Transaction) -> None:
    """Do what ``seed`` does, in a transaction that is open already."""
    functions.register(tx, list(function_records(core.registry)))
    defined = {function.name: function for function in core.registry if function.cron is not None}
    now = tx.now
    known = cron_tickers.seeded(tx, defined)
    new = sorted(defined.keys() - known.keys())
    if new:
        insert_if_absent(tx, cron_table, [_seed_row(core, defined[name], now) for name in new])
        # Another worker, of another version maybe, may have been faster.
        known = cron_tickers.seeded(tx, defined)
    for name, row in known.items():
        if _changes(core, defined[name], row._asdict(), now):
            _follow(core, tx, defined[name], row.id, now)


def function_records(registry: Iterable[Function]) -> Iterable[FunctionRecord]:
    """Yield what the store keeps of each function of a process."""
    for function in registry:
        yield FunctionRecord(
            name=function.name,
            path=function.signature.path,
            queue=function.queue,
            priority=int(function.priority),
            max_concurrency=function.max_concurrency,
            max_concurrency_per_key=function.max_concurrency_per_key,
            rate_limit=None if function.rate_limit is None else str(function.rate_limit),
            on_lost=function.on_lost.value,
            retries=function.retries,
            retry_intervals=function.retry_intervals,
            request_schema=json_schema(function.signature.request_type),
        )


def _seed_row(core: Core, function: Function, now: datetime) -> dict[str, Any]:
    expression = str(function.cron)
    zone = function.time_zone or core.config.time_zone
    timetable = make_timetable(
        expression, time_zone=zone, day_or=function.day_or, now=now, bounds=function.bounds
    )
    return {
        **replace(function.bounds, start_at=timetable.start_at).columns(),
        "id": new_id(),
        "namespace": core.config.namespace,
        "kind": TickerKind.FUNCTION.value,
        "run_count": 0,
        "function": function.name,
        "description": None,
        "expression": expression,
        "time_zone": zone,
        "day_or": function.day_or,
        "request": None,
        "encoding": 0,
        "retries": function.retries,
        "retry_intervals": list(function.retry_intervals),
        "misfire": function.misfire.value,
        "misfire_limit": 100,
        "misfire_grace": None,
        "overlap": function.overlap.value,
        "pause_on_failure": function.pause_on_failure,
        "priority": int(function.priority),
        "queue": _queue(core, function),
        "concurrency_key": None,
        "tags": [],
        "is_enabled": True,
        "seed_key": function.name,
        "seed_expression": expression,
        "seed_time_zone": zone,
        "seed_day_or": function.day_or,
        "next_run_at": timetable.next_after(now),
        "created_at": now,
        "updated_at": now,
    }


def _follow(core: Core, tx: Transaction, function: Function, cron_id: UUID, now: datetime) -> None:
    """Let a cron ticker follow the code, as it stands once nobody else can change it."""
    row = cron_tickers.lock(tx, cron_id)
    if row is None:
        return
    cron = row._asdict()
    changes = _changes(core, function, cron, now)
    if changes:
        changes |= move(tx, core, cron, changes, now=now)
        cron_tickers.edit(tx, cron_id, changes)
        end_turns(tx, core, cron, changes)
        rewrite_pending(tx, cron_id, of_occurrences(changes))


def _changes(core: Core, function: Function, row: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Return what the code says otherwise than the row; an operator's own times stay."""
    wanted: dict[str, Any] = {
        "retries": function.retries,
        "retry_intervals": list(function.retry_intervals),
        "misfire": function.misfire.value,
        "overlap": function.overlap.value,
        "pause_on_failure": function.pause_on_failure,
        "priority": int(function.priority),
        "queue": _queue(core, function),
        **function.bounds.columns(),
        **times_of_code(
            row,
            expression=str(function.cron),
            time_zone=function.time_zone or core.config.time_zone,
            day_or=function.day_or,
        ),
    }
    every = every_in(wanted.get("expression", row["expression"]))
    if wanted["start_at"] is None and every is not None:
        # An interval began to count when it was seeded, or begins now; nothing else may depend on a start.
        began = row["start_at"]
        # One to come was not made by that: the code named it, and does so no more.
        wanted["start_at"] = now.replace(microsecond=0) if began is None or began > now else began
    if every is not None:
        # The code's jitter need not fit an operator's own interval.
        wanted["jitter_ms"] = min(wanted["jitter_ms"], every // MILLISECOND)
    return {name: value for name, value in wanted.items() if row[name] != value}


def _queue(core: Core, function: Function) -> str | None:
    named = function.queue
    return core.config.priority_queues.get(function.priority) if named is None else named


def prune(core: Core) -> list[str]:
    """Pause seeded cron tickers that the code no longer defines; return their functions' names.

    Raises:
        StoreError: The database is away.
    """
    return core.write(lambda tx: _prune(core, tx))


def _prune(core: Core, tx: Transaction) -> list[str]:
    defined = {function.name for function in core.registry if function.cron is not None}
    now = tx.now
    gone = cron_tickers.seeded_otherwise(tx, defined)
    for row in gone:
        cron_pauses.pause(tx, row._asdict(), reason="no code defines it any more", by=None, now=now)
    return [row.function for row in gone]
