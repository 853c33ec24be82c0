"""What falls due next, as far as beat knows: it asks the store no more often than it has to."""

from datetime import timedelta

from tickerq_celery.runtime.core import Core
from tickerq_celery.store.runs.next_due import NextDue, NextDueQuery


class DueWatch:
    """Keeps the last answer of the store, with the monotonic moment at which it came."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._query = NextDueQuery()
        self._seen: NextDue | None = None
        self._seen_at = 0.0

    def now(self) -> NextDue:
        """Return what is due: by the last answer where that knew of something that is by now."""
        if self._seen is not None:
            known = self._seen.after(self._core.clock.monotonic() - self._seen_at)
            if known.is_due:
                return known
        return self.poll()

    def recent(self, *, within: timedelta) -> NextDue:
        """Return what falls due next by the last answer, by a new one where that is older."""
        if self._seen is not None:
            seconds = self._core.clock.monotonic() - self._seen_at
            if seconds < within.total_seconds():
                return self._seen.after(seconds)
        return self.poll()

    def poll(self) -> NextDue:
        """Ask the store.

        Raises:
            StoreError: The database is unreachable.
        """
        self._seen = self._core.read(self._query.read)
        # After the answer: what has passed since then has passed in the store, too.
        self._seen_at = self._core.clock.monotonic()
        return self._seen
