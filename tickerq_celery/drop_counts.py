"""Keep in the store how many messages were dropped, hour by hour."""

from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy import Connection

from tickerq_celery.core import Core
from tickerq_celery.drops import Tally
from tickerq_celery.errors import StoreError
from tickerq_celery.store import drops

_KEPT = timedelta(days=30)
_RECENT = timedelta(days=1)


def write(core: Core, tally: Tally) -> None:
    """Add a tally to the counts of this hour, and delete those of 30 days ago; where that fails, it stays.

    Raises:
        StoreError: The database is away.
    """
    counts = tally.take()
    if not counts:
        return

    def keep(connection: Connection) -> None:
        drops.count(connection, core.clock, core.config.namespace, core.node.id, counts)
        drops.forget(connection, core.clock, core.config.namespace, after=_KEPT)

    try:
        core.database.write(keep)
    except StoreError:
        tally.put_back(counts)
        raise


def recent(core: Core) -> Mapping[str, int]:
    """Return what was dropped in the last 24 hours, by reason, the most frequent first.

    Raises:
        StoreError: The database is away.
    """
    return core.database.read(
        lambda connection: drops.recent(connection, core.clock, core.config.namespace, within=_RECENT)
    )
