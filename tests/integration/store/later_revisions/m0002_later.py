"""A revision that no version ships: what the tests of the machinery migrate to."""

import sqlalchemy as sa
from alembic import op

from tickerq_celery.store.migrations.repeatable import add_column, create_index, create_table

revision = "0002_later"
down_revision = "0001_first_tables"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_table("tickerq_later", sa.Column("id", sa.Integer(), primary_key=True))
    add_column("tickerq_drops", sa.Column("later", sa.Integer(), nullable=True))
    create_index("ix_tickerq_drops_later", "tickerq_drops", ["later"], unique=False)
    add_column("tickerq_drops", sa.Column("last", sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_index("ix_tickerq_drops_later", "tickerq_drops")
    op.drop_column("tickerq_drops", "later")
    op.drop_column("tickerq_drops", "last")
    op.drop_table("tickerq_later")
