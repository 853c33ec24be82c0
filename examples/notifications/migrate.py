"""Creates the database: the ticker store's tables, and the example's own by its own migrations."""

import sys
from pathlib import Path

from alembic import command
from alembic.config import Config

from examples.notifications.celery_app import tickerq
from tickerq_celery import TickerError

CONFIG = Config(Path(__file__).with_name("alembic.ini"))


def main() -> None:
    """Create or migrate what is missing; running it again changes nothing."""
    try:
        tickerq.create_schema()
    except TickerError as exc:
        sys.exit(f"{exc}; is the server up, and was the database made?")
    command.upgrade(CONFIG, "head")


if __name__ == "__main__":
    main()
