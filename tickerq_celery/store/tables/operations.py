"""The tables of what people do: the audit, and bulk jobs."""

from sqlalchemy import BigInteger, Column, Index, Integer, Table

from tickerq_celery.store.tables.column_types import Id, Json, LongText, Name, UtcDateTime
from tickerq_celery.store.tables.conventions import metadata

audit = Table(
    "tickerq_audit",
    metadata,
    # The operation's own id where its actor has one: submitted twice, it violates the key.
    Column("id", Id, primary_key=True),
    Column("namespace", Name(100), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("action", Name(50), nullable=False),
    Column("outcome", Name(20), nullable=False),
    Column("object_kind", Name(20), nullable=False),
    # Of one object its id, or the name of what is paused; NULL of several.
    Column("object_id", Name(200)),
    Column("actor", Name(200), nullable=False),
    Column("role", Name(100)),
    Column("address", Name(100)),
    Column("via", Name(100)),
    Column("request_id", Name(200)),
    Column("said_by", Name(200)),
    Column("reason", Name(500)),
    # Of an operation with an id: a digest of its action and arguments.
    Column("digest", Name(64)),
    Column("ids", Json, nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("before", Json),
    Column("after", Json),
    # Of a refusal: why.
    Column("error", LongText),
    Index("ix_tickerq_audit_namespace_at", "namespace", "at", "id"),
    Index("ix_tickerq_audit_namespace_object", "namespace", "object_kind", "object_id", "at", "id"),
    Index("ix_tickerq_audit_namespace_actor", "namespace", "actor", "at", "id"),
)
bulk = Table(
    "tickerq_bulk",
    metadata,
    Column("id", Id, primary_key=True),
    Column("namespace", Name(100), nullable=False),
    Column("action", Name(50), nullable=False),
    Column("state", Name(20), nullable=False),
    # Either the ids of runs, sorted, and how many they are, or a filter of them as JSON.
    Column("ids", Json),
    Column("total", Integer),
    Column("wanted", Json),
    # Runs that came to be as the filter wants them after this moment are not meant.
    Column("as_of", UtcDateTime, nullable=False),
    Column("actor", Name(200), nullable=False),
    Column("role", Name(100)),
    Column("address", Name(100)),
    Column("via", Name(100)),
    Column("request_id", Name(200)),
    Column("said_by", Name(200)),
    Column("reason", Name(500)),
    # The last run that was looked at: the next batch goes on after it.
    Column("position", Id),
    # Runs that other transactions had locked: they are looked at once more at the end.
    Column("later", Json, nullable=False),
    Column("changed", BigInteger, nullable=False),
    Column("skipped", BigInteger, nullable=False),
    # How many were skipped for each reason, with a few ids of each.
    Column("skips", Json, nullable=False),
    Column("error", LongText),
    Column("created_at", UtcDateTime, nullable=False),
    Column("started_at", UtcDateTime),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("batches", Integer, nullable=False),
    Index("ix_tickerq_bulk_namespace_state", "namespace", "state", "id"),
)
