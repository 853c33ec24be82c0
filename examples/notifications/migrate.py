"""Creates the database: the ticker store's tables and the example's own."""

from examples.notifications.celery_app import database, tickerq


def main() -> None:
    """Create or migrate what is missing; running it again changes nothing."""
    tickerq.create_schema()
    database.create_tables()


if __name__ == "__main__":
    main()
