"""A revision that no version ships: what the tests of the machinery migrate to."""

import sqlalchemy as sa
from alembic import op

revision = "0002_later"
down_revision = "0001_first_tables"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table("tickerq_later", sa.Column("id", sa.Integer(), primary_key=True))


def downgrade() -> None:
    op.drop_table("tickerq_later")
