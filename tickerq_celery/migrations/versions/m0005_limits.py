"""Concurrency keys, rate limits, and places given by priority."""

import sqlalchemy as sa
from alembic import op

from tickerq_celery import sqltypes

revision = "0005_limits"
down_revision = "0004_data"
branch_labels = None
depends_on = None

_HOLDS = "ix_tickerq_tickers_held_for"


def upgrade() -> None:
    for table in ("tickerq_tickers", "tickerq_cron_tickers"):
        op.add_column(table, sa.Column("concurrency_key", sa.String(length=90), nullable=True))
    for column in (
        sa.Column("max_concurrency_per_key", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("rate_limit", sa.String(length=20), nullable=True),
        sa.Column("rate_free_at", sqltypes.UtcDateTime(), nullable=True),
    ):
        op.add_column("tickerq_functions", column)
    op.drop_index(_HOLDS, table_name="tickerq_tickers")
    op.create_index(_HOLDS, "tickerq_tickers", ["held_for", "hold_key", "priority", "id"], unique=False)


def downgrade() -> None:
    op.drop_index(_HOLDS, table_name="tickerq_tickers")
    op.create_index(_HOLDS, "tickerq_tickers", ["held_for", "hold_key", "id"], unique=False)
    for name in ("max_concurrency_per_key", "rate_limit", "rate_free_at"):
        op.drop_column("tickerq_functions", name)
    for table in ("tickerq_tickers", "tickerq_cron_tickers"):
        op.drop_column(table, "concurrency_key")
