"""Run the store's revisions with Alembic, which takes 9 MB: imported only where a store is migrated."""

from collections.abc import Sequence
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

_MIGRATIONS = Path(__file__).parent


def upgrade(connection: Connection, revisions: Sequence[Path]) -> None:
    """Bring the tables to the last of the revisions in these folders."""
    command.upgrade(alembic_config(connection, revisions), "head")


def alembic_config(connection: Connection, revisions: Sequence[Path]) -> Config:
    """Return Alembic's configuration for the revisions in these folders, bound to ``connection``."""
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    folders = "\n".join(str(folder) for folder in revisions)
    config.set_main_option("version_locations", folders.replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
