"""The tables of what runs: cron tickers, tickers, their attempts and log lines."""

from uuid import UUID

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    Table,
    UniqueConstraint,
)

from tickerq_celery.enums import TERMINAL, TickerStatus
from tickerq_celery.store.tables.column_types import (
    Duration,
    Durations,
    Id,
    Json,
    LongText,
    Name,
    Payload,
    Status,
    UtcDateTime,
)
from tickerq_celery.store.tables.conventions import STORAGE, VACUUMED_OFTEN, metadata, where_set


def _of_ended(name: str, *columns: str) -> Index:
    """Return an index of history: no claim, start or hold writes it, on any database."""
    return where_set("ended_at", name, *columns)


cron_tickers = Table(
    "tickerq_cron_tickers",
    metadata,
    Column("id", Id, primary_key=True),
    Column("namespace", Name(100), nullable=False),
    # A TickerKind; a Celery task's name stands in `function`, its call in `request`.
    Column("kind", Name(20), nullable=False),
    Column("function", Name(200), nullable=False),
    Column("description", Name(500)),
    Column("expression", Name(200), nullable=False),
    Column("time_zone", Name(100), nullable=False),
    Column("day_or", Boolean(create_constraint=False), nullable=False),
    Column("start_at", UtcDateTime),
    Column("end_at", UtcDateTime),
    Column("max_runs", Integer),
    # How many instants got their occurrence so far: histories are pruned, so it cannot be counted later.
    Column("run_count", Integer, nullable=False),
    Column("exclude", Json),
    Column("jitter", Duration, nullable=False),
    Column("request", Payload),
    Column("encoding", SmallInteger, nullable=False),
    # Of calls of Celery tasks: the task id that the call names, and an OnLost; NULL for functions.
    Column("task_id", Name(255)),
    Column("on_lost", Name(20)),
    Column("retries", Integer, nullable=False),
    Column("retry_intervals", Durations, nullable=False),
    Column("timeout", Duration),
    Column("hard_timeout", Duration),
    Column("misfire", Name(20), nullable=False),
    Column("misfire_limit", Integer, nullable=False),
    Column("misfire_grace", Duration),
    Column("overlap", Name(20), nullable=False),
    Column("priority", SmallInteger, nullable=False),
    Column("queue", Name(200)),
    Column("concurrency_key", Name(90)),
    Column("tags", Json, nullable=False),
    Column("is_enabled", Boolean(create_constraint=False), nullable=False),
    Column("paused_reason", Name(500)),
    Column("paused_by", Name(200)),
    Column("paused_at", UtcDateTime),
    # The first instant that a pause has kept from firing; NULL unless it fires no more for a pause.
    Column("resume_from", UtcDateTime),
    Column("resumed_at", UtcDateTime),
    Column("resumed_by", Name(200)),
    Column("resumed_reason", Name(500)),
    # After how many failed occurrences in a row it is paused; NULL is never.
    Column("pause_on_failure", Integer),
    # What code or an import defines under this key is stored once.
    Column("seed_key", Name(200)),
    # What the code says; one differs from what counts where an operator has overridden it.
    Column("seed_expression", Name(200)),
    Column("seed_time_zone", Name(100)),
    Column("seed_day_or", Boolean(create_constraint=False)),
    Column("next_run_at", UtcDateTime),
    # While a catch-up is stored in parts: all from the next instant up to this moment run, as decided then.
    Column("catch_up_until", UtcDateTime),
    Column("last_run_at", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    # The chain that each occurrence gets, as chain_templates.py writes it.
    Column("children", Json),
    # Who added it, as far as its caller said.
    Column("created_by", Name(200)),
    # The latest instant whose occurrence was pruned: up to it, a backfill might run again what has run.
    Column("pruned_until", UtcDateTime),
    # The latest instant that `skip_next` has skipped; it may have been unskipped since.
    Column("skipped_until", UtcDateTime),
    UniqueConstraint("namespace", "seed_key", name="uq_tickerq_cron_tickers_namespace_seed_key"),
    Index("ix_tickerq_cron_tickers_namespace_next_run_at", "namespace", "next_run_at", "id"),
    Index("ix_tickerq_cron_tickers_namespace_function", "namespace", "function", "id"),
    Index("ix_tickerq_cron_tickers_namespace_skipped_until", "namespace", "skipped_until", "id"),
)
tickers = Table(
    "tickerq_tickers",
    metadata,
    Column("id", Id, primary_key=True),
    Column("namespace", Name(100), nullable=False),
    Column("type", SmallInteger, nullable=False),
    Column("kind", Name(20), nullable=False),
    Column("function", Name(200), nullable=False),
    Column("description", Name(500)),
    Column("status", Status, nullable=False),
    Column("claim_no", Integer, nullable=False),
    # NULL unless the run may be claimed from that moment on: the claim's index holds nothing else.
    Column("due_at", UtcDateTime),
    Column("held_for", Name(20)),
    Column("hold_key", Name(300)),
    # Since when it is held; NULL unless it is.
    Column("held_since", UtcDateTime),
    # When one that waits for the overlap lock would be due without it; NULL for all others.
    Column("not_before", UtcDateTime),
    # The function limits how many of its runs with the same key are active at once.
    Column("concurrency_key", Name(90)),
    # NULL unless Queued: when the sweep asks whether the message was lost; publications.NEVER for some calls.
    Column("check_at", UtcDateTime),
    # Of this claim: the first one, and one for each time its message was seen to be lost.
    Column("publish_count", SmallInteger, nullable=False),
    Column("published_at", UtcDateTime),
    # NULL unless InProgress: the node that runs it.
    Column("running_on", Id),
    Column("lock_holder", Name(200)),
    Column("locked_at", UtcDateTime),
    Column("started_at", UtcDateTime),
    # Of the latest start by a worker, which knows by it that the start is its own if the answer is lost.
    Column("start_id", Id),
    # NULL unless InProgress: which cancellation was requested, and the cron ticker of which it alone may run.
    Column("cancel_request", Name(20)),
    Column("alone_for", Id),
    Column("execution_time", UtcDateTime),
    Column("is_late", Boolean(create_constraint=False), nullable=False),
    Column("request", Payload),
    Column("encoding", SmallInteger, nullable=False),
    # Of a Celery task's call: the id of its messages where that is not the run's own, and an OnLost.
    Column("task_id", Name(255)),
    Column("on_lost", Name(20)),
    # How many executions of a Celery task workers have reported: the fence of what the latest one reports.
    Column("executions", Integer, nullable=False),
    Column("retries", Integer, nullable=False),
    Column("retry_intervals", Durations, nullable=False),
    # Of a Celery task's run the retries of its latest message, which Celery counts.
    Column("retry_count", Integer, nullable=False),
    Column("rescue_count", Integer, nullable=False),
    # NULL where the function's own count.
    Column("timeout", Duration),
    Column("hard_timeout", Duration),
    Column("exception_type", Name(300)),
    Column("exception_message", LongText),
    Column("skipped_reason", LongText),
    Column("elapsed", Duration),
    # Of the attempt that runs or ran last, from 0 to 1. In no index, so that a report rewrites one row only.
    Column("progress", Float),
    Column("progress_message", Name(200)),
    # How many attempts there were when the run was last retried manually: their numbers go on from there.
    Column("attempts_before", Integer, nullable=False),
    # And when that was: a bulk job does not mean a run that was let start again after the job's moment.
    Column("retried_at", UtcDateTime),
    Column(
        "parent_id",
        Id,
        ForeignKey("tickerq_tickers.id", name="fk_tickerq_tickers_parent_id", ondelete="CASCADE"),
    ),
    Column("run_condition", SmallInteger),
    Column(
        "cron_ticker_id",
        Id,
        ForeignKey("tickerq_cron_tickers.id", name="fk_tickerq_tickers_cron_ticker_id", ondelete="CASCADE"),
    ),
    Column("instant", UtcDateTime),
    Column("priority", SmallInteger, nullable=False),
    Column("queue", Name(200)),
    Column("tags", Json, nullable=False),
    Column("unique_key", Name(200)),
    # The unique key, until the run is terminal.
    Column("active_key", Name(200)),
    # The end, written once: what history is listed by.
    Column("ended_at", UtcDateTime),
    Column("ended_status", Status),
    # The node that ran its last attempt: the holder of the lock, in a column that no claim writes.
    Column("ended_on", Name(200)),
    # An Origin, and who made it, as far as its caller said.
    Column("origin", Name(20), nullable=False),
    Column("created_by", Name(200)),
    # No foreign keys: the run that it was copied from, or the head of its chain, may be pruned.
    Column("cloned_from", Id),
    # NULL of a run without children that is no child; a head's own id.
    Column("root_id", Id),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    # Spares the end of a run without children, which most are, a look for them.
    Column("has_children", Boolean(create_constraint=False), nullable=False),
    # What the function returned, kept for the children only.
    Column("result", Payload),
    CheckConstraint(f"status BETWEEN {min(TickerStatus).value} AND {max(TickerStatus).value}", name="status"),
    CheckConstraint(f"due_at IS NULL OR status = {TickerStatus.IDLE.value}", name="due_at"),
    CheckConstraint(f"(check_at IS NULL) = (status <> {TickerStatus.QUEUED.value})", name="check_at"),
    CheckConstraint(f"running_on IS NULL OR status = {TickerStatus.IN_PROGRESS.value}", name="running_on"),
    CheckConstraint(f"(ended_at IS NULL) = (status < {min(TERMINAL).value})", name="ended_at"),
    where_set(
        "cron_ticker_id",
        "uq_tickerq_tickers_cron_ticker_id_instant",
        "cron_ticker_id",
        "instant",
        unique=True,
    ),
    where_set(
        "active_key", "uq_tickerq_tickers_namespace_active_key", "namespace", "active_key", unique=True
    ),
    where_set("alone_for", "uq_tickerq_tickers_alone_for", "alone_for", unique=True),
    where_set("due_at", "ix_tickerq_tickers_namespace_due_at", "namespace", "due_at", "id"),
    # Of each function in each queue the most urgent first, then the oldest: due_flows.py.
    where_set(
        "due_at",
        "ix_tickerq_tickers_due_flow",
        "namespace",
        "function",
        "queue",
        "priority",
        "due_at",
        "id",
        # Always so: else PostgreSQL would read and sort all of it for lists of what is due, in another order.
        also="priority >= 0",
    ),
    where_set("check_at", "ix_tickerq_tickers_check_at", "check_at"),
    where_set("running_on", "ix_tickerq_tickers_running_on", "running_on"),
    where_set("parent_id", "ix_tickerq_tickers_parent_id", "parent_id"),
    where_set("task_id", "ix_tickerq_tickers_task_id", "task_id"),
    # The end lets holds be released by priority, then the oldest first, without a sort.
    where_set("held_for", "ix_tickerq_tickers_held_for", "held_for", "hold_key", "priority", "id"),
    _of_ended("ix_tickerq_tickers_ended_at", "ended_at", "id"),
    # These two of all runs: what has a status, and whether any that has not ended is of a function, is asked
    # without the end's moment, by which alone a database would know that a partial one has it.
    Index("ix_tickerq_tickers_ended_status", "ended_status", "ended_at", "id"),
    Index("ix_tickerq_tickers_function", "function", "ended_status", "ended_at", "id"),
    _of_ended("ix_tickerq_tickers_kind", "type", "kind", "ended_at", "id"),
    _of_ended("ix_tickerq_tickers_cron", "cron_ticker_id", "ended_status", "ended_at", "id"),
    _of_ended("ix_tickerq_tickers_root", "root_id", "ended_at", "id"),
    _of_ended("ix_tickerq_tickers_ended_on", "ended_on", "ended_at", "id"),
    info={STORAGE: VACUUMED_OFTEN},
)


def _run_id(table: str) -> Column[UUID]:
    """Return the column by which rows belong to a run, and go with it."""
    owner = ForeignKey("tickerq_tickers.id", name=f"fk_{table}_ticker_id", ondelete="CASCADE")
    return Column("ticker_id", Id, owner, primary_key=True)


attempts = Table(
    "tickerq_attempts",
    metadata,
    _run_id("tickerq_attempts"),
    Column("claim_no", Integer, primary_key=True, autoincrement=False),
    # Celery's count in the message of a Celery task: one claim may be delivered and retried; 0 for functions.
    Column("retries", Integer, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("status", Status, nullable=False),
    Column("started_at", UtcDateTime),
    Column("ended_at", UtcDateTime, nullable=False),
    Column("exception_type", Name(300)),
    Column("exception_message", LongText),
    Column("traceback", LongText),
    Column("node", Name(200)),
)
progress = Table(
    "tickerq_progress",
    metadata,
    _run_id("tickerq_progress"),
    Column("claim_no", Integer, nullable=False),
    Column("fraction", Float),
    Column("message", Name(200)),
)
logs = Table(
    "tickerq_logs",
    metadata,
    _run_id("tickerq_logs"),
    Column("claim_no", Integer, primary_key=True, autoincrement=False),
    # The number of the first of its lines.
    Column("first", Integer, primary_key=True, autoincrement=False),
    Column("attempt", Integer, nullable=False),
    Column("lines", Json, nullable=False),
)
