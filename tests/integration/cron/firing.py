"""Fire cron tickers as a beat does, and look at what became of their instants."""

from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import update

from tests.inner import Core
from tests.integration.making import ListPublisher, occurrences_of
from tests.tables import cron_tickers
from tickerq_celery.cron.firing import Firing
from tickerq_celery.enums import TickerStatus
from tickerq_celery.runs.replaced import revoke


def fire(core: Core, publisher: ListPublisher | None = None) -> None:
    """Create the occurrences that are due; what this replaces is revoked by ``publisher``."""
    while Firing(core, partial(revoke, publisher or ListPublisher())).fire():
        pass


def instants(core: Core, cron_id: UUID, status: TickerStatus = TickerStatus.IDLE) -> list[datetime]:
    return [row.instant for row in occurrences_of(core, cron_id) if row.status is status]


def alter(core: Core, cron_id: UUID, **values: Any) -> None:
    """Change a cron ticker's row directly."""
    statement = update(cron_tickers).where(cron_tickers.c.id == cron_id).values(**values)
    core.database.write(lambda connection: connection.execute(statement))
