"""Creates the database: the ticker store's tables and the example's own."""

import sys

from examples.notifications.celery_app import database, tickerq
from tickerq_celery import TickerError


def main() -> None:
    """Create or migrate what is missing; running it again changes nothing."""
    try:
        tickerq.create_schema()
    except TickerError as exc:
        sys.exit(f"{exc}; is the server up, and was the database made?")
    database.create_tables()


if __name__ == "__main__":
    main()
