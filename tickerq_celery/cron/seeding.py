"""Register a worker's functions and seed the cron tickers that they define."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from tickerq_celery.cron.overlap import release_queue
from tickerq_celery.cron.rescheduling import reschedule
from tickerq_celery.errors import UnreadableRequestError
from tickerq_celery.functions.definition import Function
from tickerq_celery.functions.records import function_records
from tickerq_celery.payload.codec import Packed
from tickerq_celery.runtime.core import Core
from tickerq_celery.schedule.interval import every_in
from tickerq_celery.store.cron import cron_pauses, cron_tickers
from tickerq_celery.store.cron.occurrences import rewrite_pending
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.functions import functions
from tickerq_celery.tickers.cron_rows import CronEdit, CronRow, new_cron_row, with_times_of_code
from tickerq_celery.tickers.work import Work


def seed(core: Core) -> None:
    """Write the functions of this process and seed their cron tickers.

    Raises:
        StoreError: The database is unreachable.
    """
    core.write(seed_in, core)


def seed_in(tx: Transaction, core: Core) -> None:
    """Do what ``seed`` does, in a transaction that is open already."""
    functions.register(tx, list(function_records(core.registry)))
    defined = {function.name: function for function in core.registry if function.cron is not None}
    now = tx.now
    known = cron_tickers.seeded(tx, defined)
    new = sorted(defined.keys() - known.keys())
    if new:
        cron_tickers.insert_new(tx, [_seed_row(core, defined[name], now) for name in new])
        # Another worker, of another version maybe, may have been faster.
        known = cron_tickers.seeded(tx, defined)
    for name, row in known.items():
        if _as_defined(core, defined[name], row, now) != row:
            _follow(core, tx, defined[name], row.id)


def _seed_row(core: Core, function: Function, now: datetime) -> CronRow:
    request = core.codec.pack(function.request)
    work = Work(
        namespace=core.config.namespace,
        function=function.name,
        description=function.description,
        request=request.data,
        encoding=request.encoding,
        retries=function.retries,
        retry_intervals=function.retry_intervals,
        priority=function.priority,
        queue=core.queue_of(function),
        tags=function.tags or (),
    )
    row = new_cron_row(
        work,
        expression=str(function.cron),
        time_zone=function.time_zone or core.config.time_zone,
        day_or=function.day_or,
        bounds=function.bounds,
        now=now,
    )
    return replace(
        row.seeded(function.name),
        misfire=function.misfire,
        misfire_limit=function.misfire_limit,
        misfire_grace=function.misfire_grace,
        overlap=function.overlap,
        pause_on_failure=function.pause_on_failure,
    )


def _follow(core: Core, tx: Transaction, function: Function, cron_id: UUID) -> None:
    """Let a cron ticker follow the code, as it is once this transaction alone can change it."""
    before = cron_tickers.lock(tx, cron_id)
    if before is None:
        return
    wanted = _as_defined(core, function, before, tx.now)
    if wanted != before:
        after = reschedule(tx, before, wanted)
        cron_tickers.edit(tx, before, after)
        release_queue(tx, before, after)
        rewrite_pending(tx, [CronEdit(before=before, after=after)])


def _as_defined(core: Core, function: Function, row: CronRow, now: datetime) -> CronRow:
    """Return a row as the code defines it; an operator's own times stay."""
    bounds = function.bounds
    timed = with_times_of_code(
        row,
        expression=str(function.cron),
        time_zone=function.time_zone or core.config.time_zone,
        day_or=function.day_or,
    )
    every = every_in(timed.expression)
    request = _request(core, function, row)
    return replace(
        timed,
        description=row.description if function.description is None else function.description,
        request=request.data,
        encoding=request.encoding,
        tags=row.tags if function.tags is None else function.tags,
        retries=function.retries,
        retry_intervals=function.retry_intervals,
        misfire=function.misfire,
        misfire_limit=function.misfire_limit,
        misfire_grace=function.misfire_grace,
        overlap=function.overlap,
        pause_on_failure=function.pause_on_failure,
        priority=function.priority,
        queue=core.queue_of(function),
        start_at=bounds.start_at if every is None else _begun(bounds.start_at, row, now),
        end_at=bounds.end_at,
        max_runs=bounds.max_runs,
        exclude=bounds.exclude,
        # The code's jitter need not fit an operator's own interval.
        jitter=bounds.jitter if every is None else min(bounds.jitter, every),
    )


def _request(core: Core, function: Function, row: CronRow) -> Packed:
    """Return the code's request, or the row's where the code has none or the same."""
    stored = Packed(row.request, row.encoding)
    if function.request is None:
        return stored
    try:
        is_same = core.codec.unpack(stored) == function.request
    except UnreadableRequestError:
        is_same = False
    # Compared as JSON: what is encrypted differs each time.
    return stored if is_same else core.codec.pack(function.request)


def _begun(named: datetime | None, row: CronRow, now: datetime) -> datetime:
    """Return from when on an interval counts: from where the code says, or since it was seeded."""
    if named is not None:
        return named
    # One to come was not made by seeding: the code named it, and does so no more.
    return now.replace(microsecond=0) if row.start_at is None or row.start_at > now else row.start_at


def prune(core: Core) -> list[str]:
    """Pause seeded cron tickers that the code no longer defines; return their functions' names.

    Raises:
        StoreError: The database is unreachable.
    """
    return core.write(_prune, core)


def _prune(tx: Transaction, core: Core) -> list[str]:
    defined = {function.name for function in core.registry if function.cron is not None}
    orphans = cron_tickers.lock_seeded_except(tx, defined)
    for cron in orphans:
        cron_pauses.pause(tx, cron, reason="no code defines it any more", by=None)
    return [cron.function for cron in orphans]
