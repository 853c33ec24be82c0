"""The managers for event loops."""

from typing import Final, TypeVar

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

ManagerT = TypeVar("ManagerT", bound=AsyncManager)


class Aio(AsyncManager):
    """The managers for event loops: ``await tickerq.aio.time_tickers.add(…)``."""

    schedule: Final = AsyncVerb(TaskScheduling[AsyncSessionLike].schedule)

    def __init__(self, managers: TaskScheduling) -> None:
        super().__init__("", managers)
        self.time_tickers: Final = _those(managers, "time_tickers", AsyncTimeTickers)
        self.cron_tickers: Final = _those(managers, "cron_tickers", AsyncCronTickers)
        self.runs: Final = _those(managers, "runs", AsyncRuns)
        self.pauses: Final = _those(managers, "pauses", AsyncPauses)
        self.audit: Final = _those(managers, "audit", AsyncAudit)
        self.bulk: Final = _those(managers, "bulk", AsyncBulk)
        self.nodes: Final = _those(managers, "nodes", AsyncNodes)
        self.functions: Final = _those(managers, "functions", AsyncFunctions)
        self.health: Final = _those(managers, "health", AsyncHealth)
        self.stats: Final = _those(managers, "stats", AsyncStats)
        self.errors: Final = _those(managers, "errors", AsyncErrors)
        self.outlook: Final = _those(managers, "outlook", AsyncOutlook)
        self.chains: Final = _those(managers, "chains", AsyncChains)


def _those(managers: TaskScheduling, name: str, kind: type[ManagerT]) -> ManagerT:
    return kind(name, getattr(managers, name))
