"""The table of what Celery's result backend is still to be told."""

from sqlalchemy import Column, ForeignKey, Index, Integer, Table

from tickerq_celery.store.tables.column_types import Id, Name, UtcDateTime
from tickerq_celery.store.tables.conventions import metadata

# A row for each call of a Celery task that was cancelled before it was published, from the transaction of the
# cancel until the result backend has it as REVOKED. In a table of its own, as most runs never have one, and
# as a cancelled run that is retried has another task id.
revocations = Table(
    "tickerq_revocations",
    metadata,
    Column("id", Id, primary_key=True),
    Column("namespace", Name(100), nullable=False),
    Column(
        "ticker_id",
        Id,
        ForeignKey("tickerq_tickers.id", name="fk_tickerq_revocations_ticker_id", ondelete="CASCADE"),
        nullable=False,
    ),
    Column("task_id", Name(255), nullable=False),
    # When the sweep takes it over from the process that has it, and how often it has: the fence of its end.
    Column("take_over_at", UtcDateTime, nullable=False),
    Column("takeovers", Integer, nullable=False),
    Index("ix_tickerq_revocations_take_over_at", "namespace", "take_over_at", "id"),
    Index("ix_tickerq_revocations_ticker_id", "ticker_id"),
)
