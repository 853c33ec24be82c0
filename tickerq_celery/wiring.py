"""The composition root: every part of a TickerQ, made when it is first asked for."""

from functools import cached_property

from tickerq_celery.broker.publisher import CeleryPublisher
from tickerq_celery.managers.aio import Aio
from tickerq_celery.managers.cron_tickers import CronTickerManager
from tickerq_celery.managers.pauses import PauseManager
from tickerq_celery.managers.runs import RunManager
from tickerq_celery.managers.time_tickers import TimeTickerManager
from tickerq_celery.managers.unit_of_work import UnitOfWork
from tickerq_celery.runs.canceller import Canceller
from tickerq_celery.runs.publisher import Publisher
from tickerq_celery.worker.parts import WorkerParts

# How many seconds a cancel may wait for a broker, twice: to connect, and for an answer.
_NOTIFY_TIMEOUT = 0.5


class Parts(WorkerParts):
    """What a worker uses, and the managers: they share how they store, dispatch and cancel."""

    @cached_property
    def time_tickers(self) -> TimeTickerManager:
        """Runs at one moment: schedule, change, find."""
        return TimeTickerManager(self._storing, self._canceller)

    @cached_property
    def cron_tickers(self) -> CronTickerManager:
        """Standing definitions: store, change, pause, find."""
        return CronTickerManager(self._storing, self._canceller)

    @cached_property
    def runs(self) -> RunManager:
        """Runs of both kinds: get, find, count, retry."""
        return RunManager(self._storing, self._canceller)

    @cached_property
    def pauses(self) -> PauseManager:
        """Pauses of a function, of a tag, or of everything."""
        return PauseManager(self.core)

    @cached_property
    def aio(self) -> Aio:
        """The same managers for event loops."""
        return Aio(
            time_tickers=self.time_tickers, cron_tickers=self.cron_tickers, runs=self.runs, pauses=self.pauses
        )

    def close(self) -> None:
        """Close this process's connections to the store and the broker."""
        super().close()
        self._notifier.close()

    @cached_property
    def _storing(self) -> UnitOfWork:
        return UnitOfWork(self.core, self.immediate.dispatch)

    @cached_property
    def _canceller(self) -> Canceller:
        return Canceller(self.core, self._notifier, self.immediate.dispatch)

    @cached_property
    def _notifier(self) -> Publisher:
        core = self.core
        return CeleryPublisher(self.app, core.codec, lease=core.config.lease, connect_timeout=_NOTIFY_TIMEOUT)
