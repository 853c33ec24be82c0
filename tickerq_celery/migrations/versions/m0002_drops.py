"""Counts of dropped messages."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from tickerq_celery import sqltypes

revision = "0002_drops"
down_revision = "0001_first_tables"
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
        "tickerq_drops",
        sa.Column("namespace", sa.String(length=100), nullable=False),
        sa.Column("hour", sqltypes.UtcDateTime(), nullable=False),
        sa.Column("reason", sa.String(length=20), nullable=False),
        sa.Column("node_id", sqltypes.Id, nullable=False),
        sa.Column("dropped", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("namespace", "hour", "reason", "node_id", name="pk_tickerq_drops"),
        **_OPTIONS,
    )


def downgrade() -> None:
    op.drop_table("tickerq_drops")
