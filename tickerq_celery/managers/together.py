"""All managers of one application."""

from collections.abc import Callable, Collection
from uuid import UUID

from tickerq_celery.core import Core
from tickerq_celery.managers.cron_tickers import CronTickerManager
from tickerq_celery.managers.pauses import PauseManager
from tickerq_celery.managers.runs import RunReader
from tickerq_celery.managers.storing import Storing
from tickerq_celery.managers.time_tickers import TimeTickerManager


class Managers:
    """The managers; ``dispatch_now`` publishes runs that are due at once."""

    def __init__(self, core: Core, dispatch_now: Callable[[Collection[UUID]], None]) -> None:
        storing = Storing(core, dispatch_now)
        self.time_tickers = TimeTickerManager(storing)
        self.cron_tickers = CronTickerManager(storing)
        self.runs = RunReader(core)
        self.pauses = PauseManager(core)
