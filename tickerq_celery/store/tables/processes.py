"""The tables of processes, functions, pauses, seeders, dropped messages, and of the store itself."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    Integer,
    SmallInteger,
    Table,
)

from tickerq_celery.store.tables.column_types import Durations, Id, Json, Name, UtcDateTime
from tickerq_celery.store.tables.conventions import OPTIONS, metadata

nodes = Table(
    "tickerq_nodes",
    metadata,
    Column("id", Id, primary_key=True),
    Column("namespace", Name(100), nullable=False),
    Column("kind", Name(20), nullable=False),
    Column("name", Name(200), nullable=False),
    Column("host", Name(200), nullable=False),
    Column("pid", Integer, nullable=False),
    Column("version", Name(50), nullable=False),
    Column("queues", Json, nullable=False),
    # Where its messages are, without user and password.
    Column("broker", Name(300)),
    Column("concurrency", Integer),
    Column("prefetch", Integer),
    Column("functions", Json, nullable=False),
    Column("functions_hash", Name(64), nullable=False),
    # The seed keys of the entries that a beat's code defines; NULL for a worker.
    Column("entries", Json),
    Column("clock_offset_ms", Integer, nullable=False),
    # Grows with each heartbeat: a node whose counter does not grow for one lease is dead.
    Column("counter", BigInteger, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    # When a worker that shuts down stopped to consume; what it had begun may go on.
    Column("stopping_since", UtcDateTime),
    Index("ix_tickerq_nodes_namespace_kind", "namespace", "kind"),
    **OPTIONS,
)
functions = Table(
    "tickerq_functions",
    metadata,
    Column("namespace", Name(100), primary_key=True),
    Column("name", Name(200), primary_key=True),
    Column("path", Name(500), nullable=False),
    Column("queue", Name(200)),
    Column("priority", SmallInteger, nullable=False),
    # NULL is no limit.
    Column("max_concurrency", Integer),
    Column("max_concurrency_per_key", Integer),
    Column("rate_limit", Name(20)),
    # NULL before the first claim under a rate: when the next group of runs may be claimed.
    Column("rate_free_at", UtcDateTime),
    Column("on_lost", Name(20), nullable=False),
    Column("retries", Integer, nullable=False),
    Column("retry_intervals", Durations, nullable=False),
    Column("request_schema", Json),
    Column("registered_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    **OPTIONS,
)
pauses = Table(
    "tickerq_pauses",
    metadata,
    Column("namespace", Name(100), primary_key=True),
    Column("kind", Name(20), primary_key=True),
    # The function's name, or the tag; empty for everything.
    Column("name", Name(200), primary_key=True),
    Column("reason", Name(500)),
    Column("paused_by", Name(200)),
    Column("paused_at", UtcDateTime, nullable=False),
    **OPTIONS,
)
seeders = Table(
    "tickerq_seeders",
    metadata,
    Column("namespace", Name(100), primary_key=True),
    # Empty: the row that a worker locks while it enrols.
    Column("name", Name(200), primary_key=True),
    # The highest that has run; NULL where it ran without one, or never.
    Column("version", Integer),
    # Of a seeder without a version: it has to run.
    Column("is_due", Boolean(create_constraint=False), nullable=False),
    Column("ran_at", UtcDateTime),
    Column("ran_on", Name(200)),
    **OPTIONS,
)
meta = Table(
    "tickerq_meta",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("store_id", Id, nullable=False),
    Column("schema", Integer, nullable=False),
    Column("compatible_from", Integer, nullable=False),
    # Of the tables as the version that migrated last defines them.
    Column("digest", Name(64), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    CheckConstraint("id = 1", name="single"),
    **OPTIONS,
)
drops = Table(
    "tickerq_drops",
    metadata,
    Column("namespace", Name(100), primary_key=True),
    Column("hour", UtcDateTime, primary_key=True),
    Column("reason", Name(20), primary_key=True),
    # Of the worker that dropped them, so that no heartbeat waits for another's row.
    Column("node_id", Id, primary_key=True),
    Column("dropped", BigInteger, nullable=False),
    **OPTIONS,
)
