"""The managers of one TickerQ."""

from collections.abc import Callable

from tickerq_celery.managers.cron_tickers import CronTickerManager
from tickerq_celery.managers.pauses import PauseManager
from tickerq_celery.managers.runs import RunManager
from tickerq_celery.managers.time_tickers import TimeTickerManager
from tickerq_celery.managers.unit_of_work import Storing
from tickerq_celery.runs.canceller import Canceller, Messenger
from tickerq_celery.runs.immediate import Immediate
from tickerq_celery.runtime.core import Core


class Managers:
    """All of them share how they store and dispatch."""

    def __init__(self, core: Core, immediate: Immediate, messenger: Callable[[], Messenger]) -> None:
        self.immediate = immediate
        storing = Storing(core, immediate.dispatch)
        canceller = Canceller(core, messenger, immediate.dispatch)
        self.time_tickers = TimeTickerManager(storing, canceller)
        self.cron_tickers = CronTickerManager(storing, canceller)
        self.runs = RunManager(storing, canceller)
        self.pauses = PauseManager(core)
