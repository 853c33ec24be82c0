"""The progress of a running attempt, beside the row that its function's own transaction may end."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from tickerq_celery import sqltypes

revision = "0008_progress"
down_revision = "0007_intervals"
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
    op.create_table(
        "tickerq_progress",
        sa.Column("ticker_id", sqltypes.Id, nullable=False),
        sa.Column("claim_no", sa.Integer(), nullable=False),
        sa.Column("fraction", sa.Float(), nullable=True),
        sa.Column("message", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(
            ["ticker_id"], ["tickerq_tickers.id"], name="fk_tickerq_progress_ticker_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("ticker_id", name="pk_tickerq_progress"),
        **_OPTIONS,
    )


def downgrade() -> None:
    op.drop_table("tickerq_progress")
