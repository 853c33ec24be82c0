"""The tables of the roll-up: ends by the hour and shorter periods, and up to which end they are counted."""

from sqlalchemy import BigInteger, CheckConstraint, Column, SmallInteger, Table

from tickerq_celery.store.tables.column_types import Duration, Id, Json, Name, Status, UtcDateTime
from tickerq_celery.store.tables.conventions import metadata

rollups = Table(
    "tickerq_rollups",
    metadata,
    Column("namespace", Name(100), primary_key=True),
    # An hour, or of late half an hour or a minute: each end is counted in one period of each length.
    Column("minutes", SmallInteger, primary_key=True, autoincrement=False),
    # In UTC: ends from it on, before the next one.
    Column("begins_at", UtcDateTime, primary_key=True),
    # Of periods shorter than an hour only failures have a function; type is -1, and kind is empty.
    Column("function", Name(200), primary_key=True),
    Column("type", SmallInteger, primary_key=True, autoincrement=False),
    Column("kind", Name(20), primary_key=True),
    Column("status", Status, primary_key=True, autoincrement=False),
    # Empty where there was no exception. All of the key together: 2,492 of MariaDB's 3,072 bytes.
    Column("error_type", Name(300), primary_key=True),
    Column("ends", BigInteger, nullable=False),
    Column("late", BigInteger, nullable=False),
    # Of runs that needed a retry, and of calls of which nothing but their publication is known.
    Column("retried", BigInteger, nullable=False),
    Column("published", BigInteger, nullable=False),
    # The sums and histograms are of so many ends; of others it is not known. 0 is the longest of none.
    Column("duration_count", BigInteger, nullable=False),
    Column("duration_sum", Duration, nullable=False),
    Column("duration_max", Duration, nullable=False),
    Column("durations", Json, nullable=False),
    Column("lag_count", BigInteger, nullable=False),
    Column("lag_sum", Duration, nullable=False),
    Column("lag_max", Duration, nullable=False),
    Column("lags", Json, nullable=False),
    Column("first_ended_at", UtcDateTime, nullable=False),
    Column("last_ended_at", UtcDateTime, nullable=False),
    # The run that ended last.
    Column("last_id", Id, nullable=False),
)
rollup_state = Table(
    "tickerq_rollup_state",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    # The watermark of all namespaces: what ended before it, in the order of both columns, is counted.
    Column("ended_at", UtcDateTime, nullable=False),
    Column("ended_id", Id, nullable=False),
    CheckConstraint("id = 1", name="single"),
)
