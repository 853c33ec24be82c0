"""Run by Alembic with the connection that schema.migrate opened."""

from alembic import context

from tickerq_celery.models import metadata
from tickerq_celery.schema import VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
)
with context.begin_transaction():
    context.run_migrations()
