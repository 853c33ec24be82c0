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

from tickerq_celery.store.tables.column_types import Duration, Durations, Id, Json, Name, UtcDateTime
from tickerq_celery.store.tables.conventions import metadata

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
    # Of a worker: what its tasks run in, such as prefork.
    Column("pool", Name(100)),
    Column("concurrency", Integer),
    Column("prefetch", Integer),
    # The limits of each function: what claims go by. Nodes with the same hash have the same.
    Column("functions", Json, nullable=False),
    Column("functions_hash", Name(64), nullable=False),
    # Each function's definition: a digest, and the settings that are no defaults. In columns of their own: a
    # new version of the code is no other set of limits.
    Column("definitions", Json, nullable=False),
    Column("definitions_hash", Name(64), nullable=False),
    # The seed keys of the entries that a beat's code defines; NULL for a worker.
    Column("entries", Json),
    # The settings by which it is silent or dead: others may have other ones.
    Column("heartbeat", Duration, nullable=False),
    Column("lease", Duration, nullable=False),
    # Grows with each heartbeat: a node whose counter does not grow for one lease is dead.
    Column("counter", BigInteger, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    # Its own clock at that heartbeat.
    Column("clock_at", UtcDateTime, nullable=False),
    # When a worker that shuts down stopped to consume; what it had begun may go on.
    Column("stopping_since", UtcDateTime),
    # Of a worker: since when its heartbeats say that it has no message, neither running nor prefetched.
    Column("idle_since", UtcDateTime),
    # In bytes, of the process and its children; NULL where it could not be read.
    Column("memory", BigInteger),
    # Of a beat: its last complete tick, and how often it has claimed a run since it started.
    Column("ticked_at", UtcDateTime),
    Column("claimed", BigInteger),
    # Of a beat that prunes: the end of its last round, and how many rows it has deleted since it started.
    Column("pruned_at", UtcDateTime),
    Column("pruned", BigInteger),
    # Of a beat: what the broker has done instead of taking messages, since when, and when last; NULL where it
    # took the last ones.
    Column("refusal", Name(300)),
    Column("refused_since", UtcDateTime),
    Column("refused_at", UtcDateTime),
    Index("ix_tickerq_nodes_namespace_kind", "namespace", "kind"),
)
lost_nodes = Table(
    "tickerq_lost_nodes",
    metadata,
    # The node's own, which may be lost more than once.
    Column("id", Id, primary_key=True),
    Column("found_at", UtcDateTime, primary_key=True),
    Column("namespace", Name(100), nullable=False),
    Column("kind", Name(20), nullable=False),
    Column("name", Name(200), nullable=False),
    Column("host", Name(200), nullable=False),
    Column("pid", Integer, nullable=False),
    Column("version", Name(50), nullable=False),
    Column("queues", Json, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("stopping_since", UtcDateTime),
    Column("found_by", Name(200), nullable=False),
    # When it registered again: it had been taken for dead, and was not.
    Column("returned_at", UtcDateTime),
    Index("ix_tickerq_lost_nodes_namespace_found_at", "namespace", "found_at", "id"),
)
functions = Table(
    "tickerq_functions",
    metadata,
    Column("namespace", Name(100), primary_key=True),
    Column("name", Name(200), primary_key=True),
    Column("path", Name(500), nullable=False),
    # The first line of its docstring.
    Column("summary", Name(200)),
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
    Column("timeout", Duration),
    Column("hard_timeout", Duration),
    Column("request_schema", Json),
    Column("registered_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
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
)
