"""What is asked of runs that are under way, and how long an attempt may take."""

import sqlalchemy as sa
from alembic import op

from tickerq_celery import sqltypes

revision = "0006_cancel"
down_revision = "0005_limits"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("tickerq_tickers", sa.Column("cancel_request", sa.String(length=20)))
    op.add_column("tickerq_tickers", sa.Column("alone_for", sqltypes.Id))
    op.create_index("uq_tickerq_tickers_alone_for", "tickerq_tickers", ["alone_for"], unique=True)
    for table in ("tickerq_tickers", "tickerq_cron_tickers"):
        op.add_column(table, sa.Column("timeout", sa.Float()))
        op.add_column(table, sa.Column("hard_timeout", sa.Float()))


def downgrade() -> None:
    for table in ("tickerq_tickers", "tickerq_cron_tickers"):
        op.drop_column(table, "hard_timeout")
        op.drop_column(table, "timeout")
    op.drop_index("uq_tickerq_tickers_alone_for", table_name="tickerq_tickers")
    op.drop_column("tickerq_tickers", "alone_for")
    op.drop_column("tickerq_tickers", "cancel_request")
