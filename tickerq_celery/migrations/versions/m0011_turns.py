"""When who waits for its turn would be due, and the zone and day rule that code gave a cron ticker."""

import sqlalchemy as sa
from alembic import op

from tickerq_celery import sqltypes

revision = "0011_turns"
down_revision = "0010_entries"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("tickerq_tickers", sa.Column("not_before", sqltypes.UtcDateTime()))
    op.add_column("tickerq_cron_tickers", sa.Column("seed_time_zone", sqltypes.Name(100)))
    op.add_column("tickerq_cron_tickers", sa.Column("seed_day_or", sa.Boolean(create_constraint=False)))


def downgrade() -> None:
    op.drop_column("tickerq_cron_tickers", "seed_day_or")
    op.drop_column("tickerq_cron_tickers", "seed_time_zone")
    op.drop_column("tickerq_tickers", "not_before")
