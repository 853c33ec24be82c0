"""Progress, log lines, and the attempts before a retry by hand."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from tickerq_celery import sqltypes

revision = "0004_data"
down_revision = "0003_chains"
branch_labels = None
depends_on = None

_OPTIONS: dict[str, Any] = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
    "mariadb_engine": "InnoDB",
    "mariadb_charset": "utf8mb4",
    "mariadb_collate": "utf8mb4_bin",
}


def upgrade() -> None:
    op.add_column("tickerq_tickers", sa.Column("progress", sa.Float(), nullable=True))
    op.add_column("tickerq_tickers", sa.Column("progress_message", sa.String(length=200), nullable=True))
    op.add_column(
        "tickerq_tickers", sa.Column("attempts_before", sa.Integer(), server_default="0", nullable=False)
    )
    op.create_table(
        "tickerq_logs",
        sa.Column("ticker_id", sqltypes.Id, nullable=False),
        sa.Column("claim_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("first", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("lines", sqltypes.Json(), nullable=False),
        sa.ForeignKeyConstraint(
            ["ticker_id"], ["tickerq_tickers.id"], name="fk_tickerq_logs_ticker_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("ticker_id", "claim_no", "first", name="pk_tickerq_logs"),
        **_OPTIONS,
    )


def downgrade() -> None:
    op.drop_table("tickerq_logs")
    op.drop_column("tickerq_tickers", "attempts_before")
    op.drop_column("tickerq_tickers", "progress_message")
    op.drop_column("tickerq_tickers", "progress")
