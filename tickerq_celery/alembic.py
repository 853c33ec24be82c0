"""For an application that keeps its own Alembic migrations in the store's database.

Alembic's autogenerate compares the application's models with the whole database, and proposes to drop each
table that no model has, the store's tables among them. This hook leaves those out. In the application's
``env.py``::

    from tickerq_celery.alembic import include_name

    context.configure(connection=connection, target_metadata=Base.metadata, include_name=include_name)

The store's tables have migrations of their own: ``tickerq migrate``.
"""

__all__ = ["include_name"]

_PREFIX = "tickerq_"


def include_name(name: str | None, type_: str, parent_names: object) -> bool:
    """Return False for a table of the store, and True for everything else; for Alembic's ``include_name``.

    Every name with ``tickerq_`` at its beginning is the store's, so that an older version of this package
    leaves out the tables of a newer one, too.
    """
    return type_ != "table" or name is None or not name.startswith(_PREFIX)
