"""All tables, as version 0.1.0 brings them; until that is released scripts/freeze-tables writes them anew."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from tickerq_celery.store.migrations.repeatable import create_index, create_table, set_table_storage
from tickerq_celery.store.tables import column_types

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
    create_table(
        "tickerq_audit",
        sa.Column("id", column_types.Id, nullable=False),
        sa.Column("namespace", sa.String(length=100), nullable=False),
        sa.Column("at", column_types.UtcDateTime(), nullable=False),
        sa.Column("action", sa.String(length=50), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("object_kind", sa.String(length=20), nullable=False),
        sa.Column("object_id", sa.String(length=200), nullable=True),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("role", sa.String(length=100), nullable=True),
        sa.Column("address", sa.String(length=100), nullable=True),
        sa.Column("via", sa.String(length=100), nullable=True),
        sa.Column("request_id", sa.String(length=200), nullable=True),
        sa.Column("said_by", sa.String(length=200), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=True),
        sa.Column("ids", column_types.Json(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("before", column_types.Json(), nullable=True),
        sa.Column("after", column_types.Json(), nullable=True),
        sa.Column("error", column_types.LongText, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_tickerq_audit"),
        **_OPTIONS,
    )
    create_index(
        "ix_tickerq_audit_namespace_actor",
        "tickerq_audit",
        ["namespace", "actor", "at", "id"],
        unique=False,
    )
    create_index("ix_tickerq_audit_namespace_at", "tickerq_audit", ["namespace", "at", "id"], unique=False)
    create_index(
        "ix_tickerq_audit_namespace_object",
        "tickerq_audit",
        ["namespace", "object_kind", "object_id", "at", "id"],
        unique=False,
    )
    create_table(
        "tickerq_bulk",
        sa.Column("id", column_types.Id, nullable=False),
        sa.Column("namespace", sa.String(length=100), nullable=False),
        sa.Column("action", sa.String(length=50), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("ids", column_types.Json(), nullable=True),
        sa.Column("total", sa.Integer(), nullable=True),
        sa.Column("wanted", column_types.Json(), nullable=True),
        sa.Column("as_of", column_types.UtcDateTime(), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("role", sa.String(length=100), nullable=True),
        sa.Column("address", sa.String(length=100), nullable=True),
        sa.Column("via", sa.String(length=100), nullable=True),
        sa.Column("request_id", sa.String(length=200), nullable=True),
        sa.Column("said_by", sa.String(length=200), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.Column("position", column_types.Id, nullable=True),
        sa.Column("later", column_types.Json(), nullable=False),
        sa.Column("changed", sa.BigInteger(), nullable=False),
        sa.Column("skipped", sa.BigInteger(), nullable=False),
        sa.Column("skips", column_types.Json(), nullable=False),
        sa.Column("error", column_types.LongText, nullable=True),
        sa.Column("created_at", column_types.UtcDateTime(), nullable=False),
        sa.Column("started_at", column_types.UtcDateTime(), nullable=True),
        sa.Column("updated_at", column_types.UtcDateTime(), nullable=False),
        sa.Column("ended_at", column_types.UtcDateTime(), nullable=True),
        sa.Column("batches", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_tickerq_bulk"),
        **_OPTIONS,
    )
    create_index(
        "ix_tickerq_bulk_namespace_state",
        "tickerq_bulk",
        ["namespace", "state", "id"],
        unique=False,
    )
    create_table(
        "tickerq_cron_tickers",
        sa.Column("id", column_types.Id, nullable=False),
        sa.Column("namespace", sa.String(length=100), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("function", sa.String(length=200), nullable=False),
        sa.Column("description", sa.String(length=500), nullable=True),
        sa.Column("expression", sa.String(length=200), nullable=False),
        sa.Column("time_zone", sa.String(length=100), nullable=False),
        sa.Column("day_or", sa.Boolean(), nullable=False),
        sa.Column("start_at", column_types.UtcDateTime(), nullable=True),
        sa.Column("end_at", column_types.UtcDateTime(), nullable=True),
        sa.Column("max_runs", sa.Integer(), nullable=True),
        sa.Column("run_count", sa.Integer(), nullable=False),
        sa.Column("exclude", column_types.Json(), nullable=True),
        sa.Column("jitter", column_types.Duration(), nullable=False),
        sa.Column("request", column_types.Payload, nullable=True),
        sa.Column("encoding", sa.SmallInteger(), nullable=False),
        sa.Column("task_id", sa.String(length=255), nullable=True),
        sa.Column("on_lost", sa.String(length=20), nullable=True),
        sa.Column("retries", sa.Integer(), nullable=False),
        sa.Column("retry_intervals", column_types.Durations(), nullable=False),
        sa.Column("timeout", column_types.Duration(), nullable=True),
        sa.Column("hard_timeout", column_types.Duration(), nullable=True),
        sa.Column("misfire", sa.String(length=20), nullable=False),
        sa.Column("misfire_limit", sa.Integer(), nullable=False),
        sa.Column("misfire_grace", column_types.Duration(), nullable=True),
        sa.Column("overlap", sa.String(length=20), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("queue", sa.String(length=200), nullable=True),
        sa.Column("concurrency_key", sa.String(length=90), nullable=True),
        sa.Column("tags", column_types.Json(), nullable=False),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        sa.Column("paused_reason", sa.String(length=500), nullable=True),
        sa.Column("paused_by", sa.String(length=200), nullable=True),
        sa.Column("paused_at", column_types.UtcDateTime(), nullable=True),
        sa.Column("resume_from", column_types.UtcDateTime(), nullable=True),
        sa.Column("resumed_at", column_types.UtcDateTime(), nullable=True),
        sa.Column("resumed_by", sa.String(length=200), nullable=True),
        sa.Column("resumed_reason", sa.String(length=500), nullable=True),
        sa.Column("pause_on_failure", sa.Integer(), nullable=True),
        sa.Column("seed_key", sa.String(length=200), nullable=True),
        sa.Column("seed_expression", sa.String(length=200), nullable=True),
        sa.Column("seed_time_zone", sa.String(length=100), nullable=True),
        sa.Column("seed_day_or", sa.Boolean(), nullable=True),
        sa.Column("next_run_at", column_types.UtcDateTime(), nullable=True),
        sa.Column("catch_up_until", column_types.UtcDateTime(), nullable=True),
        sa.Column("last_run_at", column_types.UtcDateTime(), nullable=True),
        sa.Column("created_at", column_types.UtcDateTime(), nullable=False),
        sa.Column("updated_at", column_types.UtcDateTime(), nullable=False),
        sa.Column("children", column_types.Json(), nullable=True),
        sa.Column("created_by", sa.String(length=200), nullable=True),
        sa.Column("pruned_until", column_types.UtcDateTime(), nullable=True),
        sa.Column("skipped_until", column_types.UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_tickerq_cron_tickers"),
        sa.UniqueConstraint("namespace", "seed_key", name="uq_tickerq_cron_tickers_namespace_seed_key"),
        **_OPTIONS,
    )
    create_index(
        "ix_tickerq_cron_tickers_namespace_function",
        "tickerq_cron_tickers",
        ["namespace", "function", "id"],
        unique=False,
    )
    create_index(
        "ix_tickerq_cron_tickers_namespace_next_run_at",
        "tickerq_cron_tickers",
        ["namespace", "next_run_at", "id"],
        unique=False,
    )
    create_index(
        "ix_tickerq_cron_tickers_namespace_skipped_until",
        "tickerq_cron_tickers",
        ["namespace", "skipped_until", "id"],
        unique=False,
    )
    create_table(
        "tickerq_drops",
        sa.Column("namespace", sa.String(length=100), nullable=False),
        sa.Column("hour", column_types.UtcDateTime(), nullable=False),
        sa.Column("reason", sa.String(length=20), nullable=False),
        sa.Column("node_id", column_types.Id, nullable=False),
        sa.Column("dropped", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("namespace", "hour", "reason", "node_id", name="pk_tickerq_drops"),
        **_OPTIONS,
    )
    create_table(
        "tickerq_functions",
        sa.Column("namespace", sa.String(length=100), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("path", sa.String(length=500), nullable=False),
        sa.Column("summary", sa.String(length=200), nullable=True),
        sa.Column("queue", sa.String(length=200), nullable=True),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("max_concurrency", sa.Integer(), nullable=True),
        sa.Column("max_concurrency_per_key", sa.Integer(), nullable=True),
        sa.Column("rate_limit", sa.String(length=20), nullable=True),
        sa.Column("rate_free_at", column_types.UtcDateTime(), nullable=True),
        sa.Column("on_lost", sa.String(length=20), nullable=False),
        sa.Column("retries", sa.Integer(), nullable=False),
        sa.Column("retry_intervals", column_types.Durations(), nullable=False),
        sa.Column("timeout", column_types.Duration(), nullable=True),
        sa.Column("hard_timeout", column_types.Duration(), nullable=True),
        sa.Column("request_schema", column_types.Json(), nullable=True),
        sa.Column("registered_at", column_types.UtcDateTime(), nullable=False),
        sa.Column("updated_at", column_types.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("namespace", "name", name="pk_tickerq_functions"),
        **_OPTIONS,
    )
    create_table(
        "tickerq_lost_nodes",
        sa.Column("id", column_types.Id, nullable=False),
        sa.Column("found_at", column_types.UtcDateTime(), nullable=False),
        sa.Column("namespace", sa.String(length=100), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("host", sa.String(length=200), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("version", sa.String(length=50), nullable=False),
        sa.Column("queues", column_types.Json(), nullable=False),
        sa.Column("started_at", column_types.UtcDateTime(), nullable=False),
        sa.Column("seen_at", column_types.UtcDateTime(), nullable=False),
        sa.Column("stopping_since", column_types.UtcDateTime(), nullable=True),
        sa.Column("found_by", sa.String(length=200), nullable=False),
        sa.Column("returned_at", column_types.UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", "found_at", name="pk_tickerq_lost_nodes"),
        **_OPTIONS,
    )
    create_index(
        "ix_tickerq_lost_nodes_namespace_found_at",
        "tickerq_lost_nodes",
        ["namespace", "found_at", "id"],
        unique=False,
    )
    create_table(
        "tickerq_meta",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("store_id", column_types.Id, nullable=False),
        sa.Column("schema", sa.Integer(), nullable=False),
        sa.Column("compatible_from", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("created_at", column_types.UtcDateTime(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_tickerq_meta_single")),
        sa.PrimaryKeyConstraint("id", name="pk_tickerq_meta"),
        **_OPTIONS,
    )
    create_table(
        "tickerq_nodes",
        sa.Column("id", column_types.Id, nullable=False),
        sa.Column("namespace", sa.String(length=100), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("host", sa.String(length=200), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("version", sa.String(length=50), nullable=False),
        sa.Column("queues", column_types.Json(), nullable=False),
        sa.Column("broker", sa.String(length=300), nullable=True),
        sa.Column("pool", sa.String(length=100), nullable=True),
        sa.Column("concurrency", sa.Integer(), nullable=True),
        sa.Column("prefetch", sa.Integer(), nullable=True),
        sa.Column("functions", column_types.Json(), nullable=False),
        sa.Column("functions_hash", sa.String(length=64), nullable=False),
        sa.Column("definitions", column_types.Json(), nullable=False),
        sa.Column("definitions_hash", sa.String(length=64), nullable=False),
        sa.Column("entries", column_types.Json(), nullable=True),
        sa.Column("heartbeat", column_types.Duration(), nullable=False),
        sa.Column("lease", column_types.Duration(), nullable=False),
        sa.Column("counter", sa.BigInteger(), nullable=False),
        sa.Column("started_at", column_types.UtcDateTime(), nullable=False),
        sa.Column("seen_at", column_types.UtcDateTime(), nullable=False),
        sa.Column("clock_at", column_types.UtcDateTime(), nullable=False),
        sa.Column("stopping_since", column_types.UtcDateTime(), nullable=True),
        sa.Column("idle_since", column_types.UtcDateTime(), nullable=True),
        sa.Column("memory", sa.BigInteger(), nullable=True),
        sa.Column("ticked_at", column_types.UtcDateTime(), nullable=True),
        sa.Column("claimed", sa.BigInteger(), nullable=True),
        sa.Column("pruned_at", column_types.UtcDateTime(), nullable=True),
        sa.Column("pruned", sa.BigInteger(), nullable=True),
        sa.Column("refusal", sa.String(length=300), nullable=True),
        sa.Column("refused_since", column_types.UtcDateTime(), nullable=True),
        sa.Column("refused_at", column_types.UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_tickerq_nodes"),
        **_OPTIONS,
    )
    create_index("ix_tickerq_nodes_namespace_kind", "tickerq_nodes", ["namespace", "kind"], unique=False)
    create_table(
        "tickerq_pauses",
        sa.Column("namespace", sa.String(length=100), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.Column("paused_by", sa.String(length=200), nullable=True),
        sa.Column("paused_at", column_types.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("namespace", "kind", "name", name="pk_tickerq_pauses"),
        **_OPTIONS,
    )
    create_table(
        "tickerq_rollup_state",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("ended_at", column_types.UtcDateTime(), nullable=False),
        sa.Column("ended_id", column_types.Id, nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_tickerq_rollup_state_single")),
        sa.PrimaryKeyConstraint("id", name="pk_tickerq_rollup_state"),
        **_OPTIONS,
    )
    create_table(
        "tickerq_rollups",
        sa.Column("namespace", sa.String(length=100), nullable=False),
        sa.Column("minutes", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("begins_at", column_types.UtcDateTime(), nullable=False),
        sa.Column("function", sa.String(length=200), nullable=False),
        sa.Column("type", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("status", column_types.Status(), autoincrement=False, nullable=False),
        sa.Column("error_type", sa.String(length=300), nullable=False),
        sa.Column("ends", sa.BigInteger(), nullable=False),
        sa.Column("late", sa.BigInteger(), nullable=False),
        sa.Column("retried", sa.BigInteger(), nullable=False),
        sa.Column("published", sa.BigInteger(), nullable=False),
        sa.Column("duration_count", sa.BigInteger(), nullable=False),
        sa.Column("duration_sum", column_types.Duration(), nullable=False),
        sa.Column("duration_max", column_types.Duration(), nullable=False),
        sa.Column("durations", column_types.Json(), nullable=False),
        sa.Column("lag_count", sa.BigInteger(), nullable=False),
        sa.Column("lag_sum", column_types.Duration(), nullable=False),
        sa.Column("lag_max", column_types.Duration(), nullable=False),
        sa.Column("lags", column_types.Json(), nullable=False),
        sa.Column("first_ended_at", column_types.UtcDateTime(), nullable=False),
        sa.Column("last_ended_at", column_types.UtcDateTime(), nullable=False),
        sa.Column("last_id", column_types.Id, nullable=False),
        sa.PrimaryKeyConstraint(
            "namespace",
            "minutes",
            "begins_at",
            "function",
            "type",
            "kind",
            "status",
            "error_type",
            name="pk_tickerq_rollups",
        ),
        **_OPTIONS,
    )
    create_table(
        "tickerq_seeders",
        sa.Column("namespace", sa.String(length=100), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("is_due", sa.Boolean(), nullable=False),
        sa.Column("ran_at", column_types.UtcDateTime(), nullable=True),
        sa.Column("ran_on", sa.String(length=200), nullable=True),
        sa.PrimaryKeyConstraint("namespace", "name", name="pk_tickerq_seeders"),
        **_OPTIONS,
    )
    create_table(
        "tickerq_tickers",
        sa.Column("id", column_types.Id, nullable=False),
        sa.Column("namespace", sa.String(length=100), nullable=False),
        sa.Column("type", sa.SmallInteger(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("function", sa.String(length=200), nullable=False),
        sa.Column("description", sa.String(length=500), nullable=True),
        sa.Column("status", column_types.Status(), nullable=False),
        sa.Column("claim_no", sa.Integer(), nullable=False),
        sa.Column("due_at", column_types.UtcDateTime(), nullable=True),
        sa.Column("held_for", sa.String(length=20), nullable=True),
        sa.Column("hold_key", sa.String(length=300), nullable=True),
        sa.Column("held_since", column_types.UtcDateTime(), nullable=True),
        sa.Column("not_before", column_types.UtcDateTime(), nullable=True),
        sa.Column("concurrency_key", sa.String(length=90), nullable=True),
        sa.Column("check_at", column_types.UtcDateTime(), nullable=True),
        sa.Column("publish_count", sa.SmallInteger(), nullable=False),
        sa.Column("published_at", column_types.UtcDateTime(), nullable=True),
        sa.Column("running_on", column_types.Id, nullable=True),
        sa.Column("lock_holder", sa.String(length=200), nullable=True),
        sa.Column("locked_at", column_types.UtcDateTime(), nullable=True),
        sa.Column("started_at", column_types.UtcDateTime(), nullable=True),
        sa.Column("start_id", column_types.Id, nullable=True),
        sa.Column("cancel_request", sa.String(length=20), nullable=True),
        sa.Column("alone_for", column_types.Id, nullable=True),
        sa.Column("execution_time", column_types.UtcDateTime(), nullable=True),
        sa.Column("is_late", sa.Boolean(), nullable=False),
        sa.Column("request", column_types.Payload, nullable=True),
        sa.Column("encoding", sa.SmallInteger(), nullable=False),
        sa.Column("task_id", sa.String(length=255), nullable=True),
        sa.Column("on_lost", sa.String(length=20), nullable=True),
        sa.Column("executions", sa.Integer(), nullable=False),
        sa.Column("retries", sa.Integer(), nullable=False),
        sa.Column("retry_intervals", column_types.Durations(), nullable=False),
        sa.Column("retry_count", sa.Integer(), nullable=False),
        sa.Column("rescue_count", sa.Integer(), nullable=False),
        sa.Column("timeout", column_types.Duration(), nullable=True),
        sa.Column("hard_timeout", column_types.Duration(), nullable=True),
        sa.Column("exception_type", sa.String(length=300), nullable=True),
        sa.Column("exception_message", column_types.LongText, nullable=True),
        sa.Column("skipped_reason", column_types.LongText, nullable=True),
        sa.Column("elapsed", column_types.Duration(), nullable=True),
        sa.Column("progress", sa.Float(), nullable=True),
        sa.Column("progress_message", sa.String(length=200), nullable=True),
        sa.Column("attempts_before", sa.Integer(), nullable=False),
        sa.Column("retried_at", column_types.UtcDateTime(), nullable=True),
        sa.Column("parent_id", column_types.Id, nullable=True),
        sa.Column("run_condition", sa.SmallInteger(), nullable=True),
        sa.Column("cron_ticker_id", column_types.Id, nullable=True),
        sa.Column("instant", column_types.UtcDateTime(), nullable=True),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("queue", sa.String(length=200), nullable=True),
        sa.Column("tags", column_types.Json(), nullable=False),
        sa.Column("unique_key", sa.String(length=200), nullable=True),
        sa.Column("active_key", sa.String(length=200), nullable=True),
        sa.Column("ended_at", column_types.UtcDateTime(), nullable=True),
        sa.Column("ended_status", column_types.Status(), nullable=True),
        sa.Column("ended_on", sa.String(length=200), nullable=True),
        sa.Column("origin", sa.String(length=20), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=True),
        sa.Column("cloned_from", column_types.Id, nullable=True),
        sa.Column("root_id", column_types.Id, nullable=True),
        sa.Column("created_at", column_types.UtcDateTime(), nullable=False),
        sa.Column("updated_at", column_types.UtcDateTime(), nullable=False),
        sa.Column("has_children", sa.Boolean(), nullable=False),
        sa.Column("result", column_types.Payload, nullable=True),
        sa.CheckConstraint("(check_at IS NULL) = (status <> 1)", name=op.f("ck_tickerq_tickers_check_at")),
        sa.CheckConstraint("due_at IS NULL OR status = 0", name=op.f("ck_tickerq_tickers_due_at")),
        sa.CheckConstraint("(ended_at IS NULL) = (status < 3)", name=op.f("ck_tickerq_tickers_ended_at")),
        sa.CheckConstraint("running_on IS NULL OR status = 2", name=op.f("ck_tickerq_tickers_running_on")),
        sa.CheckConstraint("status BETWEEN 0 AND 7", name=op.f("ck_tickerq_tickers_status")),
        sa.ForeignKeyConstraint(
            ["cron_ticker_id"],
            ["tickerq_cron_tickers.id"],
            name="fk_tickerq_tickers_cron_ticker_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["parent_id"],
            ["tickerq_tickers.id"],
            name="fk_tickerq_tickers_parent_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_tickerq_tickers"),
        **_OPTIONS,
    )
    set_table_storage(
        "tickerq_tickers",
        postgresql_with={
            "autovacuum_vacuum_scale_factor": 0.01,
            "autovacuum_vacuum_threshold": 1000,
            "autovacuum_vacuum_cost_delay": 1,
        },
    )
    create_index(
        "uq_tickerq_tickers_alone_for",
        "tickerq_tickers",
        ["alone_for"],
        unique=True,
        where="alone_for IS NOT NULL",
    )
    create_index(
        "uq_tickerq_tickers_cron_ticker_id_instant",
        "tickerq_tickers",
        ["cron_ticker_id", "instant"],
        unique=True,
        where="cron_ticker_id IS NOT NULL",
    )
    create_index(
        "uq_tickerq_tickers_namespace_active_key",
        "tickerq_tickers",
        ["namespace", "active_key"],
        unique=True,
        where="active_key IS NOT NULL",
    )
    create_index(
        "ix_tickerq_tickers_check_at",
        "tickerq_tickers",
        ["check_at"],
        unique=False,
        where="check_at IS NOT NULL",
    )
    create_index(
        "ix_tickerq_tickers_cron",
        "tickerq_tickers",
        ["cron_ticker_id", "ended_status", "ended_at", "id"],
        unique=False,
        where="ended_at IS NOT NULL",
    )
    create_index(
        "ix_tickerq_tickers_due_flow",
        "tickerq_tickers",
        ["namespace", "function", "queue", "priority", "due_at", "id"],
        unique=False,
        where="due_at IS NOT NULL AND priority >= 0",
    )
    create_index(
        "ix_tickerq_tickers_ended_at",
        "tickerq_tickers",
        ["ended_at", "id"],
        unique=False,
        where="ended_at IS NOT NULL",
    )
    create_index(
        "ix_tickerq_tickers_ended_on",
        "tickerq_tickers",
        ["ended_on", "ended_at", "id"],
        unique=False,
        where="ended_at IS NOT NULL",
    )
    create_index(
        "ix_tickerq_tickers_ended_status",
        "tickerq_tickers",
        ["ended_status", "ended_at", "id"],
        unique=False,
    )
    create_index(
        "ix_tickerq_tickers_function",
        "tickerq_tickers",
        ["function", "ended_status", "ended_at", "id"],
        unique=False,
    )
    create_index(
        "ix_tickerq_tickers_held_for",
        "tickerq_tickers",
        ["held_for", "hold_key", "priority", "id"],
        unique=False,
        where="held_for IS NOT NULL",
    )
    create_index(
        "ix_tickerq_tickers_kind",
        "tickerq_tickers",
        ["type", "kind", "ended_at", "id"],
        unique=False,
        where="ended_at IS NOT NULL",
    )
    create_index(
        "ix_tickerq_tickers_namespace_due_at",
        "tickerq_tickers",
        ["namespace", "due_at", "id"],
        unique=False,
        where="due_at IS NOT NULL",
    )
    create_index(
        "ix_tickerq_tickers_parent_id",
        "tickerq_tickers",
        ["parent_id"],
        unique=False,
        where="parent_id IS NOT NULL",
    )
    create_index(
        "ix_tickerq_tickers_root",
        "tickerq_tickers",
        ["root_id", "ended_at", "id"],
        unique=False,
        where="ended_at IS NOT NULL",
    )
    create_index(
        "ix_tickerq_tickers_running_on",
        "tickerq_tickers",
        ["running_on"],
        unique=False,
        where="running_on IS NOT NULL",
    )
    create_index(
        "ix_tickerq_tickers_task_id",
        "tickerq_tickers",
        ["task_id"],
        unique=False,
        where="task_id IS NOT NULL",
    )
    create_table(
        "tickerq_attempts",
        sa.Column("ticker_id", column_types.Id, nullable=False),
        sa.Column("claim_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("retries", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("status", column_types.Status(), nullable=False),
        sa.Column("started_at", column_types.UtcDateTime(), nullable=True),
        sa.Column("ended_at", column_types.UtcDateTime(), nullable=False),
        sa.Column("exception_type", sa.String(length=300), nullable=True),
        sa.Column("exception_message", column_types.LongText, nullable=True),
        sa.Column("traceback", column_types.LongText, nullable=True),
        sa.Column("node", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(
            ["ticker_id"],
            ["tickerq_tickers.id"],
            name="fk_tickerq_attempts_ticker_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("ticker_id", "claim_no", "retries", "number", name="pk_tickerq_attempts"),
        **_OPTIONS,
    )
    create_table(
        "tickerq_logs",
        sa.Column("ticker_id", column_types.Id, nullable=False),
        sa.Column("claim_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("first", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("lines", column_types.Json(), nullable=False),
        sa.ForeignKeyConstraint(
            ["ticker_id"],
            ["tickerq_tickers.id"],
            name="fk_tickerq_logs_ticker_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("ticker_id", "claim_no", "first", name="pk_tickerq_logs"),
        **_OPTIONS,
    )
    create_table(
        "tickerq_progress",
        sa.Column("ticker_id", column_types.Id, nullable=False),
        sa.Column("claim_no", sa.Integer(), nullable=False),
        sa.Column("fraction", sa.Float(), nullable=True),
        sa.Column("message", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(
            ["ticker_id"],
            ["tickerq_tickers.id"],
            name="fk_tickerq_progress_ticker_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("ticker_id", name="pk_tickerq_progress"),
        **_OPTIONS,
    )
    create_table(
        "tickerq_revocations",
        sa.Column("id", column_types.Id, nullable=False),
        sa.Column("namespace", sa.String(length=100), nullable=False),
        sa.Column("ticker_id", column_types.Id, nullable=False),
        sa.Column("task_id", sa.String(length=255), nullable=False),
        sa.Column("take_over_at", column_types.UtcDateTime(), nullable=False),
        sa.Column("takeovers", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["ticker_id"],
            ["tickerq_tickers.id"],
            name="fk_tickerq_revocations_ticker_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_tickerq_revocations"),
        **_OPTIONS,
    )
    create_index(
        "ix_tickerq_revocations_take_over_at",
        "tickerq_revocations",
        ["namespace", "take_over_at", "id"],
        unique=False,
    )
    create_index("ix_tickerq_revocations_ticker_id", "tickerq_revocations", ["ticker_id"], unique=False)


def downgrade() -> None:
    op.drop_table("tickerq_revocations")
    op.drop_table("tickerq_progress")
    op.drop_table("tickerq_logs")
    op.drop_table("tickerq_attempts")
    op.drop_table("tickerq_tickers")
    op.drop_table("tickerq_seeders")
    op.drop_table("tickerq_rollups")
    op.drop_table("tickerq_rollup_state")
    op.drop_table("tickerq_pauses")
    op.drop_table("tickerq_nodes")
    op.drop_table("tickerq_meta")
    op.drop_table("tickerq_lost_nodes")
    op.drop_table("tickerq_functions")
    op.drop_table("tickerq_drops")
    op.drop_table("tickerq_cron_tickers")
    op.drop_table("tickerq_bulk")
    op.drop_table("tickerq_audit")
