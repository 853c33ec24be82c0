"""Bounds of cron tickers: from when to when, how often, on which dates not, and their jitter."""

import sqlalchemy as sa
from alembic import op

from tickerq_celery import sqltypes

revision = "0007_intervals"
down_revision = "0006_cancel"
branch_labels = None
depends_on = None

_TABLE = "tickerq_cron_tickers"


def upgrade() -> None:
    op.add_column(_TABLE, sa.Column("start_at", sqltypes.UtcDateTime(), nullable=True))
    op.add_column(_TABLE, sa.Column("end_at", sqltypes.UtcDateTime(), nullable=True))
    op.add_column(_TABLE, sa.Column("max_runs", sa.Integer(), nullable=True))
    op.add_column(_TABLE, sa.Column("run_count", sa.Integer(), nullable=False, server_default="0"))
    op.add_column(_TABLE, sa.Column("exclude", sqltypes.Json(), nullable=True))
    op.add_column(_TABLE, sa.Column("jitter_ms", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    for name in ("jitter_ms", "exclude", "run_count", "max_runs", "end_at", "start_at"):
        op.drop_column(_TABLE, name)
