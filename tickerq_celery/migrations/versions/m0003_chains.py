"""Chains: which runs have children, what they are offered, and the chains of cron tickers."""

import sqlalchemy as sa
from alembic import op

from tickerq_celery import sqltypes

revision = "0003_chains"
down_revision = "0002_drops"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "tickerq_tickers",
        sa.Column(
            "has_children", sa.Boolean(create_constraint=False), nullable=False, server_default=sa.false()
        ),
    )
    op.add_column("tickerq_tickers", sa.Column("result", sqltypes.Payload))
    op.add_column("tickerq_cron_tickers", sa.Column("children", sqltypes.Json()))


def downgrade() -> None:
    op.drop_column("tickerq_cron_tickers", "children")
    op.drop_column("tickerq_tickers", "result")
    op.drop_column("tickerq_tickers", "has_children")
