"""Runs and cron tickers that are calls of Celery tasks, and the entries that each beat's code defines."""

import sqlalchemy as sa
from alembic import op

from tickerq_celery import sqltypes

revision = "0010_entries"
down_revision = "0009_policies"
branch_labels = None
depends_on = None

_TABLES = ("tickerq_cron_tickers", "tickerq_tickers")


def upgrade() -> None:
    for table in _TABLES:
        kind = sa.Column("kind", sa.String(length=20), nullable=False, server_default="function")
        op.add_column(table, kind)
    op.add_column("tickerq_nodes", sa.Column("entries", sqltypes.Json(), nullable=True))


def downgrade() -> None:
    op.drop_column("tickerq_nodes", "entries")
    for table in _TABLES:
        op.drop_column(table, "kind")
