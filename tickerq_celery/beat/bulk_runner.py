"""Bulk jobs, done by any beat beside its loop: a batch of one job after a batch of another."""

import logging
from collections.abc import Callable, Collection
from datetime import timedelta
from uuid import UUID

from tickerq_celery.enums import BulkAction
from tickerq_celery.errors import ConfigError, PublishError, StoreError
from tickerq_celery.runs.bulk_batch import BatchDone, do_batch
from tickerq_celery.runs.cancelling import CancelledRun, owed_of, publish_cancelled
from tickerq_celery.runs.publisher import Publisher
from tickerq_celery.runs.revocations import left_to_the_sweep
from tickerq_celery.runtime.core import Core
from tickerq_celery.store.records import bulk_jobs

logger = logging.getLogger(__name__)
_IDLE = timedelta(seconds=1)
# How long it may take to notify workers of one batch: that only hastens what the store says anyway.
_NOTIFYING_SECONDS = 5.0


class BulkRunner:
    """Does bulk jobs in batches, each one transaction: what a killed beat did not commit, another one does.

    A job whose batch raises ends as failed. Where the store does not answer, the job is tried again last.
    ``tell`` is given what the result backend is to be told of a batch.
    """

    name = "bulk jobs"

    def __init__(
        self,
        core: Core,
        publisher: Publisher,
        tell: Callable[[Collection[UUID]], None] = left_to_the_sweep,
    ) -> None:
        self._core = core
        self._publisher = publisher
        self._tell = tell
        self._tried_last: UUID | None = None

    def step(self) -> timedelta:
        """Do a batch of the job that has waited the longest; return how long there is nothing more to do.

        Raises:
            StoreError: The database is unreachable.
        """
        jobs = self._core.read(bulk_jobs.active)
        for job_id in sorted(jobs, key=lambda each: each == self._tried_last):
            self._tried_last = job_id
            is_done = self._advance(job_id)
            self._tried_last = None
            if is_done:
                return timedelta(0)
        if not jobs:
            self._publisher.close()
        return _IDLE

    def _advance(self, job_id: UUID) -> bool:
        """Do a batch; return False where another beat is at the job, or it waits for locked runs."""
        try:
            done = self._core.write(do_batch, job_id)
        except (StoreError, ConfigError):
            raise
        except Exception as error:
            # Whatever is wrong with it, other jobs must not wait for it.
            logger.exception("bulk job %s failed", job_id)
            self._core.write(bulk_jobs.fail, job_id, self._core.redact(f"{type(error).__name__}: {error}"))
            return True
        if done is None:
            return False
        self._notify(done)
        self._tell(owed_of(done.cancelled))
        if done.is_last:
            logger.info("bulk job %s is done", job_id)
        return True

    def _notify(self, done: BatchDone) -> None:
        until = self._core.clock.monotonic() + _NOTIFYING_SECONDS
        for number, each in enumerate(done.cancelled):
            if self._core.clock.monotonic() > until or not self._is_notified(each, done.action):
                left = len(done.cancelled) - number
                logger.warning("runs are cancelled, and no worker was notified of so many: %d", left)
                return

    def _is_notified(self, run: CancelledRun, action: BulkAction) -> bool:
        try:
            publish_cancelled(self._publisher, run, terminate=action is BulkAction.TERMINATE)
        except PublishError:
            return False
        except Exception:
            # The cancel is committed: whatever the user's router raises may not look like its failure.
            logger.exception("run %s is %s, and no worker was notified", run.run.id, "cancelled")
        return True
