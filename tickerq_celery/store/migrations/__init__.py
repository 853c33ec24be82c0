"""Alembic revisions of the store's tables, shipped with the package."""
