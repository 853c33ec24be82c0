"""Every verb of every manager, for event loops."""

from typing import Final

from tickerq_celery.managers.asynchronous import AsyncListing, AsyncManager, AsyncVerb
from tickerq_celery.managers.audit import AuditManager
from tickerq_celery.managers.bulk import BulkManager
from tickerq_celery.managers.cron.cron_tickers import CronTickerManager
from tickerq_celery.managers.error_groups import ErrorManager
from tickerq_celery.managers.functions import FunctionManager
from tickerq_celery.managers.health import HealthManager
from tickerq_celery.managers.nodes import NodeManager
from tickerq_celery.managers.outlook import OutlookManager
from tickerq_celery.managers.pauses import PauseManager
from tickerq_celery.managers.runs.chains import ChainManager
from tickerq_celery.managers.runs.runs import RunManager
from tickerq_celery.managers.stats import StatsManager
from tickerq_celery.managers.time_tickers.task_scheduling import TaskScheduling
from tickerq_celery.managers.time_tickers.time_tickers import TimeTickerManager
from tickerq_celery.tickers.sessions import AsyncSessionLike


class AsyncTimeTickers(AsyncManager):
    """Runs at one moment: schedule, change, find."""

    add: Final = AsyncVerb(TimeTickerManager[AsyncSessionLike].add)
    add_batch: Final = AsyncVerb(TimeTickerManager[AsyncSessionLike].add_batch)
    get: Final = AsyncVerb(TimeTickerManager.get)
    explain: Final = AsyncVerb(TimeTickerManager.explain)
    find: Final = AsyncVerb(TimeTickerManager.find)
    iterate: Final = AsyncListing(TimeTickerManager.iterate)
    count: Final = AsyncVerb(TimeTickerManager.count)
    cancel: Final = AsyncVerb(TimeTickerManager.cancel)
    retry: Final = AsyncVerb(TimeTickerManager.retry)
    run_now: Final = AsyncVerb(TimeTickerManager.run_now)
    clone: Final = AsyncVerb(TimeTickerManager.clone)
    update: Final = AsyncVerb(TimeTickerManager[AsyncSessionLike].update)
    update_batch: Final = AsyncVerb(TimeTickerManager[AsyncSessionLike].update_batch)
    delete: Final = AsyncVerb(TimeTickerManager.delete)
    delete_batch: Final = AsyncVerb(TimeTickerManager.delete_batch)


class AsyncCronTickers(AsyncManager):
    """Standing definitions: store, change, pause, list, find."""

    by_next_run: Final = AsyncVerb(CronTickerManager.by_next_run)
    by_name: Final = AsyncVerb(CronTickerManager.by_name)
    add: Final = AsyncVerb(CronTickerManager[AsyncSessionLike].add)
    add_batch: Final = AsyncVerb(CronTickerManager[AsyncSessionLike].add_batch)
    get: Final = AsyncVerb(CronTickerManager.get)
    get_batch: Final = AsyncVerb(CronTickerManager.get_batch)
    find: Final = AsyncVerb(CronTickerManager.find)
    iterate: Final = AsyncListing(CronTickerManager.iterate)
    occurrences: Final = AsyncVerb(CronTickerManager.occurrences)
    update: Final = AsyncVerb(CronTickerManager[AsyncSessionLike].update)
    update_batch: Final = AsyncVerb(CronTickerManager[AsyncSessionLike].update_batch)
    delete: Final = AsyncVerb(CronTickerManager.delete)
    delete_batch: Final = AsyncVerb(CronTickerManager.delete_batch)
    pause: Final = AsyncVerb(CronTickerManager.pause)
    resume: Final = AsyncVerb(CronTickerManager.resume)
    pause_batch: Final = AsyncVerb(CronTickerManager.pause_batch)
    resume_batch: Final = AsyncVerb(CronTickerManager.resume_batch)
    skip_next: Final = AsyncVerb(CronTickerManager.skip_next)
    unskip_next: Final = AsyncVerb(CronTickerManager.unskip_next)
    revert_to_code: Final = AsyncVerb(CronTickerManager.revert_to_code)
    run_now: Final = AsyncVerb(CronTickerManager.run_now)
    run_now_batch: Final = AsyncVerb(CronTickerManager.run_now_batch)
    backfill: Final = AsyncVerb(CronTickerManager.backfill)
    preview: Final = AsyncVerb(CronTickerManager.preview)
    explain: Final = AsyncVerb(CronTickerManager.explain)
    figures: Final = AsyncVerb(CronTickerManager.figures)
    upcoming: Final = AsyncVerb(CronTickerManager.upcoming)
    backfill_preview: Final = AsyncVerb(CronTickerManager.backfill_preview)


class AsyncRuns(AsyncManager):
    """Runs of both kinds: list, get, find, count, explain, retry."""

    active: Final = AsyncVerb(RunManager.active)
    upcoming: Final = AsyncVerb(RunManager.upcoming)
    history: Final = AsyncVerb(RunManager.history)
    by_id_prefix: Final = AsyncVerb(RunManager.by_id_prefix)
    get: Final = AsyncVerb(RunManager.get)
    explain: Final = AsyncVerb(RunManager.explain)
    find: Final = AsyncVerb(RunManager.find)
    iterate: Final = AsyncListing(RunManager.iterate)
    count: Final = AsyncVerb(RunManager.count)
    counts: Final = AsyncVerb(RunManager.counts)
    cancel: Final = AsyncVerb(RunManager.cancel)
    retry: Final = AsyncVerb(RunManager.retry)
    delete: Final = AsyncVerb(RunManager.delete)
    delete_batch: Final = AsyncVerb(RunManager.delete_batch)
    release: Final = AsyncVerb(RunManager.release)
    mark_failed: Final = AsyncVerb(RunManager.mark_failed)


class AsyncPauses(AsyncManager):
    """Pauses of a function, of a tag, or of everything."""

    pause: Final = AsyncVerb(PauseManager.pause)
    resume: Final = AsyncVerb(PauseManager.resume)
    find: Final = AsyncVerb(PauseManager.find)


class AsyncAudit(AsyncManager):
    """Who did what, when, and what came of it."""

    find: Final = AsyncVerb(AuditManager.find)
    iterate: Final = AsyncListing(AuditManager.iterate)
    record: Final = AsyncVerb(AuditManager.record)


class AsyncBulk(AsyncManager):
    """One action on many runs, done by beat: start, watch, stop."""

    start: Final = AsyncVerb(BulkManager.start)
    count: Final = AsyncVerb(BulkManager.count)
    get: Final = AsyncVerb(BulkManager.get)
    find: Final = AsyncVerb(BulkManager.find)
    stop: Final = AsyncVerb(BulkManager.stop)


class AsyncNodes(AsyncManager):
    """Beats and workers: which are there, and which were lost."""

    find: Final = AsyncVerb(NodeManager.find)
    lost: Final = AsyncVerb(NodeManager.lost)


class AsyncFunctions(AsyncManager):
    """What workers registered: options, who has it, how it does."""

    find: Final = AsyncVerb(FunctionManager.find)
    iterate: Final = AsyncListing(FunctionManager.iterate)
    names: Final = AsyncVerb(FunctionManager.names)
    get: Final = AsyncVerb(FunctionManager.get)
    check_request: Final = AsyncVerb(FunctionManager.check_request)


class AsyncHealth(AsyncManager):
    """Whether all is well: everything, or beats or workers alone."""

    report: Final = AsyncVerb(HealthManager.report)
    probe: Final = AsyncVerb(HealthManager.probe)


class AsyncStats(AsyncManager):
    """What happened lately, in figures of the roll-up."""

    uncounted: Final = AsyncVerb(StatsManager.uncounted)
    throughput: Final = AsyncVerb(StatsManager.throughput)
    durations: Final = AsyncVerb(StatsManager.durations)
    lag: Final = AsyncVerb(StatsManager.lag)
    top_failing: Final = AsyncVerb(StatsManager.top_failing)
    rebuild: Final = AsyncVerb(StatsManager.rebuild)


class AsyncErrors(AsyncManager):
    """Failures, grouped by function and exception."""

    groups: Final = AsyncVerb(ErrorManager.groups)


class AsyncOutlook(AsyncManager):
    """What is coming, stored and computed."""

    upcoming: Final = AsyncVerb(OutlookManager.upcoming)


class AsyncChains(AsyncManager):
    """Chains as wholes: their tree, and what to do with the rest of one."""

    tree: Final = AsyncVerb(ChainManager.tree)
    retry_failed: Final = AsyncVerb(ChainManager.retry_failed)
    cancel_rest: Final = AsyncVerb(ChainManager.cancel_rest)


class Aio(AsyncManager):
    """The managers for event loops: ``await tickerq.aio.time_tickers.add(…)``."""

    schedule: Final = AsyncVerb(TaskScheduling[AsyncSessionLike].schedule)

    def __init__(
        self,
        scheduling: TaskScheduling,
        *,
        time_tickers: TimeTickerManager,
        cron_tickers: CronTickerManager,
        runs: RunManager,
        pauses: PauseManager,
        audit: AuditManager,
        bulk: BulkManager,
        nodes: NodeManager,
        functions: FunctionManager,
        health: HealthManager,
        stats: StatsManager,
        errors: ErrorManager,
        outlook: OutlookManager,
        chains: ChainManager,
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
