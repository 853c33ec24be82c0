"""Write a worker's row and functions, and seed their cron tickers."""

from sqlalchemy import Connection

from tickerq_celery.cron.seeding import function_records, seed_in
from tickerq_celery.enums import HoldReason
from tickerq_celery.runtime.core import Core
from tickerq_celery.runtime.node import Presence
from tickerq_celery.store import functions, holds


def enrol(core: Core, presence: Presence) -> None:
    """Write a worker's row and functions, seed their cron tickers, and lift what was held for them.

    Raises:
        StoreError: The database is away.
    """
    core.database.write(lambda connection: _enrol(core, connection, presence))


def _enrol(core: Core, connection: Connection, presence: Presence) -> None:
    if core.config.seed:
        seed_in(core, connection)
    else:
        functions.register(
            connection, core.clock, core.config.namespace, list(function_records(core.registry))
        )
    presence.register(connection)
    holds.lift(
        connection,
        core.clock,
        namespace=core.config.namespace,
        reason=HoldReason.FUNCTION,
        keys=list(presence.profile.functions),
        limit=core.config.batch_size,
    )
