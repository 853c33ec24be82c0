"""What enrolled workers have seeded."""

from typing import Any

from sqlalchemy import Row, select

from tests.inner import Core
from tests.integration.making import enrolled
from tests.tables import cron_tickers

DAILY = "0 0 9 * * *"
HOURLY = "0 0 * * * *"


def rows(core: Core, table: Any = cron_tickers) -> list[Row[Any]]:
    statement = select(table).where(table.c.namespace == core.config.namespace)
    return core.database.read(lambda connection: list(connection.execute(statement)))


def seeded(core: Core) -> Row[Any]:
    """Enrol a worker and return the one cron ticker there is."""
    (row,) = rows(enrolled(core))
    return row
