"""Creates the database: the ticker store's tables, and the example's own by its own migrations."""

import sys
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy.exc import DBAPIError

from examples.notifications.celery_app import tickerq
from tickerq_celery.errors import StoreError, TickerError

CONFIG = Config(Path(__file__).with_name("alembic.ini"))


def main() -> None:
    """Create or migrate what is missing; running it again changes nothing."""
    try:
        tickerq.create_schema()
        command.upgrade(CONFIG, "head")
    except StoreError as exc:
        sys.exit(f"{exc}; is the server up, and was the database made?")
    except TickerError as exc:
        sys.exit(str(exc))
    except (DBAPIError, CommandError) as exc:
        # Tables that no migration made, or one that is not here: another version of this example did.
        sys.exit(f"the tables of this example cannot be migrated: {getattr(exc, 'orig', exc)}")


if __name__ == "__main__":
    main()
