"""TickerScheduler: what beat runs. It asks the store what is due, and sleeps until then."""

import logging
import math
from typing import Any

from celery import signals
from celery.backends.base import DisabledBackend
from celery.beat import Scheduler

from tickerq_celery.beat.beat_schedule import read_entries
from tickerq_celery.beat.entry_sending import DueEntry
from tickerq_celery.beat.loop import BeatLoop
from tickerq_celery.errors import ConfigError
from tickerq_celery.extension import TickerQ
from tickerq_celery.runtime.frozen_heap import freeze_heap

logger = logging.getLogger(__name__)
# Sent by `celery beat` alone, once its scheduler is there.
signals.beat_init.connect(freeze_heap, weak=False)


class TickerScheduler(Scheduler):
    """Any number of beats may run it at once: they share the work, none is the leader."""

    runs_tickers = True

    def __init__(self, app: Any, *args: Any, **kwargs: Any) -> None:
        self._loop: BeatLoop | None = None
        self._entries: dict[str, Any] = {}
        self._is_refused = False
        try:
            super().__init__(app, *args, **kwargs)
            self.max_interval = math.ceil(TickerQ.of(app).config.poll_interval.total_seconds())
        except ConfigError as error:
            raise refusal(error) from error

    def setup_schedule(self) -> None:
        """Open the store. Called by beat in the process that will tick, never for its banner."""
        tickerq = TickerQ.of(self.app)
        config = tickerq.config
        # Without a result backend there is nothing to clean up.
        if not isinstance(self.app.backend, DisabledBackend):
            self.install_default_entries({})
        self.update_from_dict(self.app.conf.beat_schedule)
        own = read_entries(self.app, self._entries, payload_limit=config.payload_limit)
        for reason in own.refused:
            logger.error("%s", reason)
        self._loop = BeatLoop(self.app, tickerq.core, own.kept, apply_entry=self._apply)

    def _apply(self, entry: DueEntry) -> None:
        # By its name when an entry is due: whoever watches beat may come later than its scheduler.
        self.apply_entry(entry)

    def update_from_dict(self, entries: dict[str, Any]) -> None:
        """Take entries of Celery's, the later one of two of one name."""
        self._entries |= entries

    def get_schedule(self) -> dict[str, Any]:
        return {}

    schedule = property(get_schedule)

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Do what is due and return how many seconds to sleep; end beat for a store to refuse."""
        try:
            return 1.0 if self._loop is None else self._loop.tick()
        except ConfigError as error:
            self._is_refused = True
            raise refusal(error) from error

    def apply_async(self, entry: Any, producer: Any = None, advance: bool = True, **kwargs: Any) -> None:
        """Publish the due run of an entry: what ``apply_entry`` of Celery's beat calls."""
        entry.publish()

    def should_sync(self) -> bool:
        return False

    def close(self) -> None:
        """Remove this beat's node row and let go of its connections; may be called again."""
        if self._loop is not None:
            self._loop.close()
        if self._is_refused:
            # Beat takes SystemExit in a tick for a wish to stop, and would end as if all were well.
            raise SystemExit(1)

    @property
    def info(self) -> str:
        """What beat's banner shows."""
        return f"    . store -> {TickerQ.of(self.app).core.database.shown}"


def refusal(error: ConfigError) -> SystemExit:
    """Log in one line why beat cannot run, and return what ends it: the line stands without a traceback."""
    logger.critical("beat cannot run: %s", error)
    return SystemExit(1)
