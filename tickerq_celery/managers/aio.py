"""Every verb of every manager, for event loops."""

from typing import Final

from tickerq_celery.managers.asynchronous import AsyncListing, AsyncManager, AsyncVerb
from tickerq_celery.managers.cron_tickers import CronTickerManager
from tickerq_celery.managers.pauses import PauseManager
from tickerq_celery.managers.runs import RunManager
from tickerq_celery.managers.task_scheduling import TaskScheduling
from tickerq_celery.managers.time_tickers import TimeTickerManager
from tickerq_celery.tickers.sessions import AsyncSessionLike


class AsyncTimeTickers(AsyncManager):
    """Runs at one moment: schedule, change, find."""

    add: Final = AsyncVerb(TimeTickerManager[AsyncSessionLike].add)
    add_batch: Final = AsyncVerb(TimeTickerManager[AsyncSessionLike].add_batch)
    get: Final = AsyncVerb(TimeTickerManager.get)
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
    """Standing definitions: store, change, pause, find."""

    add: Final = AsyncVerb(CronTickerManager[AsyncSessionLike].add)
    add_batch: Final = AsyncVerb(CronTickerManager[AsyncSessionLike].add_batch)
    get: Final = AsyncVerb(CronTickerManager.get)
    find: Final = AsyncVerb(CronTickerManager.find)
    iterate: Final = AsyncListing(CronTickerManager.iterate)
    occurrences: Final = AsyncVerb(CronTickerManager.occurrences)
    update: Final = AsyncVerb(CronTickerManager[AsyncSessionLike].update)
    update_batch: Final = AsyncVerb(CronTickerManager[AsyncSessionLike].update_batch)
    delete: Final = AsyncVerb(CronTickerManager.delete)
    delete_batch: Final = AsyncVerb(CronTickerManager.delete_batch)
    pause: Final = AsyncVerb(CronTickerManager.pause)
    resume: Final = AsyncVerb(CronTickerManager.resume)
    skip_next: Final = AsyncVerb(CronTickerManager.skip_next)
    run_now: Final = AsyncVerb(CronTickerManager.run_now)
    backfill: Final = AsyncVerb(CronTickerManager.backfill)
    preview: Final = AsyncVerb(CronTickerManager.preview)
    explain: Final = AsyncVerb(CronTickerManager.explain)
    upcoming: Final = AsyncVerb(CronTickerManager.upcoming)


class AsyncRuns(AsyncManager):
    """Runs of both kinds: get, find, count, retry."""

    get: Final = AsyncVerb(RunManager.get)
    find: Final = AsyncVerb(RunManager.find)
    iterate: Final = AsyncListing(RunManager.iterate)
    count: Final = AsyncVerb(RunManager.count)
    cancel: Final = AsyncVerb(RunManager.cancel)
    retry: Final = AsyncVerb(RunManager.retry)


class AsyncPauses(AsyncManager):
    """Pauses of a function, of a tag, or of everything."""

    pause: Final = AsyncVerb(PauseManager.pause)
    resume: Final = AsyncVerb(PauseManager.resume)
    find: Final = AsyncVerb(PauseManager.find)


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
    ) -> None:
        super().__init__("", scheduling)
        self.time_tickers: Final = AsyncTimeTickers("time_tickers", time_tickers)
        self.cron_tickers: Final = AsyncCronTickers("cron_tickers", cron_tickers)
        self.runs: Final = AsyncRuns("runs", runs)
        self.pauses: Final = AsyncPauses("pauses", pauses)
