"""How Alembic migrates the example's own tables; it leaves those of the ticker store alone."""

from alembic import context

from examples.notifications.celery_app import database
from examples.notifications.models import Base
from tickerq_celery.alembic import include_name

with database.engine.connect() as connection:
    context.configure(connection=connection, target_metadata=Base.metadata, include_name=include_name)
    with context.begin_transaction():
        context.run_migrations()
