"""The managers of one TickerQ."""

from collections.abc import Callable

from tickerq_celery.managers.cron_tickers import CronTickerManager
from tickerq_celery.managers.pauses import PauseManager
from tickerq_celery.managers.runs import RunManager
from tickerq_celery.managers.time_tickers import TimeTickerManager
from tickerq_celery.managers.unit_of_work import Storing
from tickerq_celery.runs.canceller import Canceller
from tickerq_celery.runs.immediate import ImmediateDispatch
from tickerq_celery.runs.publisher import Publisher
from tickerq_celery.runtime.core import Core


class Managers:
    """All of them share how they store and dispatch."""

    def __init__(self, core: Core, immediate: ImmediateDispatch, messenger: Callable[[], Publisher]) -> None:
        self.immediate = immediate
        storing = Storing(core, immediate.dispatch)
        canceller = Canceller(core, messenger, immediate.dispatch)
        self.time_tickers = TimeTickerManager(storing, canceller)
        self.cron_tickers = CronTickerManager(storing, canceller)
        self.runs = RunManager(storing, canceller)
        self.pauses = PauseManager(core)
