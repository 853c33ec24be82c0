"""Counts of dropped messages, by hour and reason."""

import threading
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta

from tickerq_celery.errors import StoreError
from tickerq_celery.runtime.core import Core
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.runs import drops
from tickerq_celery.tickers.drop_reasons import DropReason

_KEPT = timedelta(days=30)
_RECENT = timedelta(days=1)


def recent(core: Core) -> Mapping[str, int]:
    """Return what was dropped in the last 24 hours, by reason, the most frequent first.

    Raises:
        StoreError: The database cannot be reached.
    """
    return core.read(drops.recent, within=_RECENT)


class DropCounter:
    """Counts drops by reason, for several threads."""

    def __init__(self) -> None:
        self._counts: Counter[DropReason] = Counter()
        self._mutex = threading.Lock()

    def note(self, reason: DropReason) -> None:
        """Count one drop."""
        with self._mutex:
            self._counts[reason] += 1

    def take(self) -> Mapping[DropReason, int]:
        """Return what was counted since the last call."""
        with self._mutex:
            taken, self._counts = self._counts, Counter()
        return taken

    def put_back(self, counts: Mapping[DropReason, int]) -> None:
        """Keep what was taken and could not be written."""
        with self._mutex:
            self._counts.update(counts)


def write(core: Core, counter: DropCounter) -> None:
    """Add a counter to the counts of this hour, and delete those of 30 days ago; where that fails, it stays.

    Raises:
        StoreError: The database cannot be reached.
    """
    counts = counter.take()
    if not counts:
        return

    def keep(tx: Transaction) -> None:
        drops.count(tx, core.node.id, counts)
        drops.forget(tx, after=_KEPT)

    try:
        core.write(keep)
    except StoreError:
        counter.put_back(counts)
        raise
