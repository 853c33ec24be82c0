"""What is due: cron tickers are fired and runs dispatched, a batch at a time, until nothing is left."""

import logging
from datetime import timedelta
from functools import partial

from tickerq_celery.beat.tick_record import TickRecord
from tickerq_celery.cron.firing import Firing
from tickerq_celery.errors import StoreError
from tickerq_celery.runs.claimer import Claimer
from tickerq_celery.runs.dispatcher import Dispatcher
from tickerq_celery.runtime.core import Core
from tickerq_celery.store.runs.next_due import NextDue, NextDueQuery

logger = logging.getLogger(__name__)
_SHORTEST_WAIT = timedelta(milliseconds=50)
# In seconds. What falls due in a sweep is done between its parts, but not so often that the sweep is late.
_MOST_BETWEEN = 0.25


class DueWatch:
    """What falls due next, as far as beat knows: it asks the store no more often than it has to.

    It keeps the last answer, with the monotonic moment at which it came.
    """

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


class DueWork:
    """Fires and dispatches what is due, and says how long there is nothing more to do."""

    def __init__(
        self, core: Core, firing: Firing, claimer: Claimer, dispatcher: Dispatcher, ticks: TickRecord
    ) -> None:
        self._core = core
        self._firing = firing
        self._claimer = claimer
        self._dispatch = partial(dispatcher.dispatch, holder=core.node.name)
        self._ticks = ticks
        self._due = DueWatch(core)
        self._stuck_for = timedelta(0)
        self._between_until = 0.0

    def do(self) -> timedelta:
        """Do a batch of what is due; return how long there is nothing more to do.

        Raises:
            StoreError: The database is unreachable.
            PublishError: The broker is.
        """
        poll = self._core.config.poll_interval
        due = self._due.now()
        if not due.is_due:
            self._stuck_for = timedelta(0)
            return due.wait(most=poll)
        is_full = self._fire_and_dispatch(due)
        next_poll = self._claimer.next_poll
        if next_poll is not None:
            self._stuck_for = timedelta(0)
            # Runs are due all the time then: only a cron ticker may come before.
            following = self._due.recent(within=timedelta(0) if due.is_cron_due else poll)
            return timedelta(0) if is_full else following.until_cron(most=timedelta(seconds=next_poll))
        following = self._due.poll()
        if is_full or not following.is_due or following.moment != due.moment:
            self._stuck_for = timedelta(0)
            return timedelta(0) if is_full else following.wait(most=poll)
        # What is due is locked elsewhere, or cannot be read: asking without a pause would not help.
        self._stuck_for = min(max(self._stuck_for * 2, _SHORTEST_WAIT), poll)
        return self._stuck_for

    def begin_sweep(self) -> None:
        """Let ``do_between`` do what falls due in the next quarter of a second, and not later."""
        self._between_until = self._core.clock.monotonic() + _MOST_BETWEEN

    def do_between(self) -> None:
        """Do what has fallen due in the middle of a sweep, unless it is a backlog or the sweep takes long."""
        if self._stuck_for or self._core.clock.monotonic() >= self._between_until:
            return
        due = self._due.recent(within=self._core.config.poll_interval)
        if due.is_due:
            if self._fire_and_dispatch(due):
                self._between_until = 0.0
            self._due.poll()

    def _fire_and_dispatch(self, due: NextDue) -> bool:
        """Do what is due, a batch of each, or two while a backlog is stored; return True if more is."""
        is_full = due.is_cron_due and self._fire()
        is_more = self._dispatch()
        if is_full and is_more and self._claimer.next_poll is not None:
            # The first may have been for other cron tickers and keys than the backlog's. What is due of other
            # functions comes with the second: it must not wait until the next part is stored.
            is_more = self._dispatch()
        return is_more or is_full

    def _fire(self) -> bool:
        try:
            return self._firing.fire()
        except StoreError:
            raise
        except Exception:
            # What is due already must not wait for the cron tickers to be put right.
            logger.exception("cron tickers could not be fired")
            self._ticks.fail()
            return False
