"""Run by Alembic with the connection that schema.migrate opened."""

from alembic import context

from tickerq_celery.store.database.schema import VERSION_TABLE
from tickerq_celery.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
)
with context.begin_transaction():
    context.run_migrations()
