"""Pauses of functions, tags and everything; what a pause of a cron ticker keeps, and pauses by failures."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from tickerq_celery import sqltypes

revision = "0009_policies"
down_revision = "0008_progress"
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
    for column in (
        sa.Column("resume_from", sqltypes.UtcDateTime()),
        sa.Column("resumed_at", sqltypes.UtcDateTime()),
        sa.Column("pause_on_failure", sa.Integer(), nullable=False, server_default="0"),
    ):
        op.add_column("tickerq_cron_tickers", column)
    op.create_table(
        "tickerq_pauses",
        sa.Column("namespace", sa.String(length=100), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.String(length=500)),
        sa.Column("paused_by", sa.String(length=200)),
        sa.Column("paused_at", sqltypes.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("namespace", "kind", "name", name="pk_tickerq_pauses"),
        **_OPTIONS,
    )


def downgrade() -> None:
    op.drop_table("tickerq_pauses")
    for name in ("pause_on_failure", "resumed_at", "resume_from"):
        op.drop_column("tickerq_cron_tickers", name)
