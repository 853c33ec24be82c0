"""The first tables."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from tickerq_celery import sqltypes

revision = "0001_first_tables"
down_revision = None
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
        "tickerq_audit",
        sa.Column("id", sqltypes.Id, nullable=False),
        sa.Column("namespace", sa.String(length=100), nullable=False),
        sa.Column("at", sqltypes.UtcDateTime(), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=True),
        sa.Column("action", sa.String(length=50), nullable=False),
        sa.Column("object_kind", sa.String(length=50), nullable=False),
        sa.Column("object_id", sa.String(length=200), nullable=False),
        sa.Column("detail", sqltypes.Json(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_tickerq_audit"),
        **_OPTIONS,
    )
    op.create_index("ix_tickerq_audit_namespace_at", "tickerq_audit", ["namespace", "at", "id"], unique=False)
    op.create_table(
        "tickerq_cron_tickers",
        sa.Column("id", sqltypes.Id, nullable=False),
        sa.Column("namespace", sa.String(length=100), nullable=False),
        sa.Column("function", sa.String(length=200), nullable=False),
        sa.Column("description", sa.String(length=500), nullable=True),
        sa.Column("expression", sa.String(length=200), nullable=False),
        sa.Column("time_zone", sa.String(length=100), nullable=False),
        sa.Column("day_or", sa.Boolean(), nullable=False),
        sa.Column("request", sqltypes.Payload, nullable=True),
        sa.Column("encoding", sa.SmallInteger(), nullable=False),
        sa.Column("retries", sa.Integer(), nullable=False),
        sa.Column("retry_intervals", sqltypes.Json(), nullable=False),
        sa.Column("misfire", sa.String(length=20), nullable=False),
        sa.Column("misfire_limit", sa.Integer(), nullable=False),
        sa.Column("misfire_grace", sa.Float(), nullable=True),
        sa.Column("overlap", sa.String(length=20), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("queue", sa.String(length=200), nullable=True),
        sa.Column("tags", sqltypes.Json(), nullable=False),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        sa.Column("paused_reason", sa.String(length=500), nullable=True),
        sa.Column("paused_by", sa.String(length=200), nullable=True),
        sa.Column("paused_at", sqltypes.UtcDateTime(), nullable=True),
        sa.Column("seed_key", sa.String(length=200), nullable=True),
        sa.Column("seed_expression", sa.String(length=200), nullable=True),
        sa.Column("next_run_at", sqltypes.UtcDateTime(), nullable=True),
        sa.Column("last_run_at", sqltypes.UtcDateTime(), nullable=True),
        sa.Column("created_at", sqltypes.UtcDateTime(), nullable=False),
        sa.Column("updated_at", sqltypes.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_tickerq_cron_tickers"),
        sa.UniqueConstraint("namespace", "seed_key", name="uq_tickerq_cron_tickers_namespace_seed_key"),
        **_OPTIONS,
    )
    op.create_index(
        "ix_tickerq_cron_tickers_namespace_next_run_at",
        "tickerq_cron_tickers",
        ["namespace", "next_run_at", "id"],
        unique=False,
    )
    op.create_table(
        "tickerq_functions",
        sa.Column("namespace", sa.String(length=100), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("path", sa.String(length=500), nullable=False),
        sa.Column("queue", sa.String(length=200), nullable=True),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("max_concurrency", sa.Integer(), nullable=False),
        sa.Column("on_lost", sa.String(length=20), nullable=False),
        sa.Column("retries", sa.Integer(), nullable=False),
        sa.Column("retry_intervals", sqltypes.Json(), nullable=False),
        sa.Column("request_schema", sqltypes.Json(), nullable=True),
        sa.Column("registered_at", sqltypes.UtcDateTime(), nullable=False),
        sa.Column("updated_at", sqltypes.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("namespace", "name", name="pk_tickerq_functions"),
        **_OPTIONS,
    )
    op.create_table(
        "tickerq_meta",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("store_id", sqltypes.Id, nullable=False),
        sa.Column("schema", sa.Integer(), nullable=False),
        sa.Column("compatible_from", sa.Integer(), nullable=False),
        sa.Column("created_at", sqltypes.UtcDateTime(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_tickerq_meta_single")),
        sa.PrimaryKeyConstraint("id", name="pk_tickerq_meta"),
        **_OPTIONS,
    )
    op.create_table(
        "tickerq_nodes",
        sa.Column("id", sqltypes.Id, nullable=False),
        sa.Column("namespace", sa.String(length=100), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("host", sa.String(length=200), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("version", sa.String(length=50), nullable=False),
        sa.Column("queues", sqltypes.Json(), nullable=False),
        sa.Column("concurrency", sa.Integer(), nullable=True),
        sa.Column("prefetch", sa.Integer(), nullable=True),
        sa.Column("functions", sqltypes.Json(), nullable=False),
        sa.Column("functions_hash", sa.String(length=64), nullable=False),
        sa.Column("clock_offset_ms", sa.Integer(), nullable=False),
        sa.Column("counter", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sqltypes.UtcDateTime(), nullable=False),
        sa.Column("seen_at", sqltypes.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_tickerq_nodes"),
        **_OPTIONS,
    )
    op.create_index("ix_tickerq_nodes_namespace_kind", "tickerq_nodes", ["namespace", "kind"], unique=False)
    op.create_table(
        "tickerq_rollups",
        sa.Column("namespace", sa.String(length=100), nullable=False),
        sa.Column("hour", sqltypes.UtcDateTime(), nullable=False),
        sa.Column("function", sa.String(length=200), nullable=False),
        sa.Column("status", sqltypes.Status(), autoincrement=False, nullable=False),
        sa.Column("runs", sa.BigInteger(), nullable=False),
        sa.Column("elapsed_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("namespace", "hour", "function", "status", name="pk_tickerq_rollups"),
        **_OPTIONS,
    )
    op.create_table(
        "tickerq_tickers",
        sa.Column("id", sqltypes.Id, nullable=False),
        sa.Column("namespace", sa.String(length=100), nullable=False),
        sa.Column("type", sa.SmallInteger(), nullable=False),
        sa.Column("function", sa.String(length=200), nullable=False),
        sa.Column("description", sa.String(length=500), nullable=True),
        sa.Column("status", sqltypes.Status(), nullable=False),
        sa.Column("claim_no", sa.Integer(), nullable=False),
        sa.Column("due_at", sqltypes.UtcDateTime(), nullable=True),
        sa.Column("held_for", sa.String(length=20), nullable=True),
        sa.Column("hold_key", sa.String(length=300), nullable=True),
        sa.Column("check_at", sqltypes.UtcDateTime(), nullable=True),
        sa.Column("publish_count", sa.SmallInteger(), nullable=False),
        sa.Column("published_at", sqltypes.UtcDateTime(), nullable=True),
        sa.Column("running_on", sqltypes.Id, nullable=True),
        sa.Column("lock_holder", sa.String(length=200), nullable=True),
        sa.Column("locked_at", sqltypes.UtcDateTime(), nullable=True),
        sa.Column("started_at", sqltypes.UtcDateTime(), nullable=True),
        sa.Column("execution_time", sqltypes.UtcDateTime(), nullable=True),
        sa.Column("is_due", sa.Boolean(), nullable=False),
        sa.Column("request", sqltypes.Payload, nullable=True),
        sa.Column("encoding", sa.SmallInteger(), nullable=False),
        sa.Column("retries", sa.Integer(), nullable=False),
        sa.Column("retry_intervals", sqltypes.Json(), nullable=False),
        sa.Column("retry_count", sa.Integer(), nullable=False),
        sa.Column("rescue_count", sa.Integer(), nullable=False),
        sa.Column("exception_type", sa.String(length=300), nullable=True),
        sa.Column("exception_message", sqltypes.LongText, nullable=True),
        sa.Column("skipped_reason", sqltypes.LongText, nullable=True),
        sa.Column("elapsed_ms", sa.BigInteger(), nullable=True),
        sa.Column("parent_id", sqltypes.Id, nullable=True),
        sa.Column("run_condition", sa.SmallInteger(), nullable=True),
        sa.Column("cron_ticker_id", sqltypes.Id, nullable=True),
        sa.Column("instant", sqltypes.UtcDateTime(), nullable=True),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("queue", sa.String(length=200), nullable=True),
        sa.Column("tags", sqltypes.Json(), nullable=False),
        sa.Column("unique_key", sa.String(length=200), nullable=True),
        sa.Column("active_key", sa.String(length=200), nullable=True),
        sa.Column("ended_at", sqltypes.UtcDateTime(), nullable=True),
        sa.Column("ended_status", sqltypes.Status(), nullable=True),
        sa.Column("created_at", sqltypes.UtcDateTime(), nullable=False),
        sa.Column("updated_at", sqltypes.UtcDateTime(), nullable=False),
        sa.CheckConstraint("(ended_at IS NULL) = (status < 3)", name=op.f("ck_tickerq_tickers_ended_at")),
        sa.CheckConstraint("due_at IS NULL OR status = 0", name=op.f("ck_tickerq_tickers_due_at")),
        sa.CheckConstraint("running_on IS NULL OR status = 2", name=op.f("ck_tickerq_tickers_running_on")),
        sa.CheckConstraint("status BETWEEN 0 AND 7", name=op.f("ck_tickerq_tickers_status")),
        sa.ForeignKeyConstraint(
            ["cron_ticker_id"],
            ["tickerq_cron_tickers.id"],
            name="fk_tickerq_tickers_cron_ticker_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["tickerq_tickers.id"], name="fk_tickerq_tickers_parent_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_tickerq_tickers"),
        sa.UniqueConstraint("cron_ticker_id", "instant", name="uq_tickerq_tickers_cron_ticker_id_instant"),
        sa.UniqueConstraint("namespace", "active_key", name="uq_tickerq_tickers_namespace_active_key"),
        **_OPTIONS,
    )
    op.create_index("ix_tickerq_tickers_check_at", "tickerq_tickers", ["check_at"], unique=False)
    op.create_index("ix_tickerq_tickers_ended_at", "tickerq_tickers", ["ended_at", "id"], unique=False)
    op.create_index(
        "ix_tickerq_tickers_ended_status", "tickerq_tickers", ["ended_status", "ended_at", "id"], unique=False
    )
    op.create_index(
        "ix_tickerq_tickers_function", "tickerq_tickers", ["function", "ended_at", "id"], unique=False
    )
    op.create_index(
        "ix_tickerq_tickers_held_for", "tickerq_tickers", ["held_for", "hold_key", "id"], unique=False
    )
    op.create_index(
        "ix_tickerq_tickers_namespace_due_at", "tickerq_tickers", ["namespace", "due_at", "id"], unique=False
    )
    op.create_index("ix_tickerq_tickers_parent_id", "tickerq_tickers", ["parent_id"], unique=False)
    op.create_index("ix_tickerq_tickers_running_on", "tickerq_tickers", ["running_on"], unique=False)
    op.create_table(
        "tickerq_attempts",
        sa.Column("ticker_id", sqltypes.Id, nullable=False),
        sa.Column("claim_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("status", sqltypes.Status(), nullable=False),
        sa.Column("started_at", sqltypes.UtcDateTime(), nullable=True),
        sa.Column("finished_at", sqltypes.UtcDateTime(), nullable=False),
        sa.Column("exception_type", sa.String(length=300), nullable=True),
        sa.Column("exception_message", sqltypes.LongText, nullable=True),
        sa.Column("traceback", sqltypes.LongText, nullable=True),
        sa.Column("node", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(
            ["ticker_id"], ["tickerq_tickers.id"], name="fk_tickerq_attempts_ticker_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("ticker_id", "claim_no", name="pk_tickerq_attempts"),
        **_OPTIONS,
    )


def downgrade() -> None:
    op.drop_table("tickerq_attempts")
    op.drop_table("tickerq_tickers")
    op.drop_table("tickerq_rollups")
    op.drop_table("tickerq_nodes")
    op.drop_table("tickerq_meta")
    op.drop_table("tickerq_functions")
    op.drop_table("tickerq_cron_tickers")
    op.drop_table("tickerq_audit")
