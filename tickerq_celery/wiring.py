"""The composition root: every part of a TickerQ, made when it is first asked for."""

import logging
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from functools import cached_property
from typing import TypeVar

from celery import Celery

from tickerq_celery.broker.durable_eta import DurableSend, Keeping
from tickerq_celery.broker.kept_json import plain
from tickerq_celery.broker.publisher import CeleryPublisher
from tickerq_celery.broker.revoke_watch import watch_revokes
from tickerq_celery.errors import TickerError
from tickerq_celery.managers.aio import Aio
from tickerq_celery.managers.cron_tickers import CronTickerManager
from tickerq_celery.managers.durable_calls import DurableCalls, Writes
from tickerq_celery.managers.pauses import PauseManager
from tickerq_celery.managers.runs import RunManager
from tickerq_celery.managers.task_scheduling import TaskScheduling
from tickerq_celery.managers.time_tickers import TimeTickerManager
from tickerq_celery.managers.unit_of_work import UnitOfWork
from tickerq_celery.runs.canceller import Canceller
from tickerq_celery.runs.publisher import Publisher
from tickerq_celery.runs.revoker import Revoker
from tickerq_celery.runtime.bounded_writes import BoundedWrites
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.tickers.durable_calls import DurableCall
from tickerq_celery.worker.parts import ProcessParts, WorkerParts

logger = logging.getLogger(__name__)
T = TypeVar("T")
# How many seconds a cancel may wait for a broker, twice: to connect, and for an answer.
_NOTIFY_TIMEOUT = 0.5
# How long a call of a Celery task may wait for the store that is to keep it.
_KEEP_TIMEOUT = timedelta(seconds=1)


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
    def scheduling(self) -> TaskScheduling:
        """Runs of Celery tasks, each added by one call."""
        return TaskScheduling(self._storing, self.time_tickers)

    @cached_property
    def aio(self) -> Aio:
        """The same managers for event loops."""
        return Aio(
            self.scheduling,
            time_tickers=self.time_tickers,
            cron_tickers=self.cron_tickers,
            runs=self.runs,
            pauses=self.pauses,
        )

    @cached_property
    def durable_calls(self) -> DurableCalls:
        """Keeps calls of Celery tasks until they are due."""
        return DurableCalls(self.core, self._bounded_writes)

    def close(self) -> None:
        """Close this process's connections to the store and the broker."""
        self._bounded_writes.close()
        super().close()
        self._notifier.close()

    @cached_property
    def _storing(self) -> UnitOfWork:
        return UnitOfWork(self.core, self.immediate.dispatch, plain, self.known_tasks.check_arguments)

    @cached_property
    def revoker(self) -> Revoker:
        """Cancels calls whose messages this process revokes."""
        return Revoker(self._write_in_time, self.immediate.dispatch)

    def _write_in_time(self, work: Callable[[Transaction], T]) -> T:
        # A revocation that comes late is one all the same.
        return self._bounded_writes.write(work, undo=lambda tx: None)

    @cached_property
    def _bounded_writes(self) -> Writes:
        return BoundedWrites(self.core, _KEEP_TIMEOUT)

    @cached_property
    def _canceller(self) -> Canceller:
        return Canceller(self.core, self._notifier, self.immediate.dispatch)

    @cached_property
    def _notifier(self) -> Publisher:
        core = self.core
        return CeleryPublisher(self.app, core.codec, lease=core.config.lease, connect_timeout=_NOTIFY_TIMEOUT)


def keep_later_calls(
    app: Celery, process: ProcessParts[Parts], after: Callable[[], timedelta | None]
) -> None:
    """Let an app's ``send_task`` keep calls that are due later than ``durable_eta`` from now."""

    def keep(call: DurableCall) -> None:
        process.get().durable_calls.keep(call)

    def now() -> datetime:
        return process.get().core.clock.now()

    keeping = Keeping(after=after, now=now, keep=keep)
    # Of this app alone, whatever its class.
    vars(app)["send_task"] = DurableSend(app, keeping)


def cancel_revoked_calls(app: Celery, process: ProcessParts[Parts]) -> None:
    """Let what an app's control revokes be cancelled where it waits in the store."""

    def revoked(task_ids: Collection[str]) -> None:
        try:
            process.get().revoker.revoke(task_ids)
        except TickerError as error:
            logger.warning(
                "calls that wait in the store may not be revoked (%s): %s", ", ".join(task_ids), error
            )

    watch_revokes(app, revoked)
