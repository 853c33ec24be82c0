"""All managers of one application."""

from tickerq_celery.core import Core
from tickerq_celery.immediate import Immediate
from tickerq_celery.managers.cron_tickers import CronTickerManager
from tickerq_celery.managers.pauses import PauseManager
from tickerq_celery.managers.runs import RunReader
from tickerq_celery.managers.storing import Storing
from tickerq_celery.managers.time_tickers import TimeTickerManager


class Managers:
    """The managers, and what publishes runs that are due at once."""

    def __init__(self, core: Core, immediate: Immediate) -> None:
        self.immediate = immediate
        storing = Storing(core, immediate.dispatch)
        self.time_tickers = TimeTickerManager(storing)
        self.cron_tickers = CronTickerManager(storing)
        self.runs = RunReader(core)
        self.pauses = PauseManager(core)
