"""The managers for event loops."""

from typing import Final

from tickerq_celery.managers.asynchronous import AsyncManager, AsyncVerb
from tickerq_celery.managers.audit import AsyncAudit
from tickerq_celery.managers.bulk import AsyncBulk
from tickerq_celery.managers.cron.cron_tickers import AsyncCronTickers
from tickerq_celery.managers.error_groups import AsyncErrors
from tickerq_celery.managers.functions import AsyncFunctions
from tickerq_celery.managers.health import AsyncHealth
from tickerq_celery.managers.nodes import AsyncNodes
from tickerq_celery.managers.outlook import AsyncOutlook
from tickerq_celery.managers.pauses import AsyncPauses
from tickerq_celery.managers.runs.chains import AsyncChains
from tickerq_celery.managers.runs.runs import AsyncRuns
from tickerq_celery.managers.stats import AsyncStats
from tickerq_celery.managers.time_tickers.task_scheduling import TaskScheduling
from tickerq_celery.managers.time_tickers.time_tickers import AsyncTimeTickers
from tickerq_celery.tickers.sessions import AsyncSessionLike


class Aio(AsyncManager):
    """The managers for event loops: ``await tickerq.aio.time_tickers.add(…)``."""

    schedule: Final = AsyncVerb(TaskScheduling[AsyncSessionLike].schedule)

    def __init__(
        self,
        scheduling: TaskScheduling,
        *,
        time_tickers: object,
        cron_tickers: object,
        runs: object,
        pauses: object,
        audit: object,
        bulk: object,
        nodes: object,
        functions: object,
        health: object,
        stats: object,
        errors: object,
        outlook: object,
        chains: object,
    ) -> None:
        super().__init__("", scheduling)
        self.time_tickers: Final = AsyncTimeTickers("time_tickers", time_tickers)
        self.cron_tickers: Final = AsyncCronTickers("cron_tickers", cron_tickers)
        self.runs: Final = AsyncRuns("runs", runs)
        self.pauses: Final = AsyncPauses("pauses", pauses)
        self.audit: Final = AsyncAudit("audit", audit)
        self.bulk: Final = AsyncBulk("bulk", bulk)
        self.nodes: Final = AsyncNodes("nodes", nodes)
        self.functions: Final = AsyncFunctions("functions", functions)
        self.health: Final = AsyncHealth("health", health)
        self.stats: Final = AsyncStats("stats", stats)
        self.errors: Final = AsyncErrors("errors", errors)
        self.outlook: Final = AsyncOutlook("outlook", outlook)
        self.chains: Final = AsyncChains("chains", chains)
