"""The sweep, a periodic pass of every beat: publish lost messages again, reap dead nodes, release holds."""

import logging
import random
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from tickerq_celery.beat.dead_nodes import LeaseFilter, LivenessObserver
from tickerq_celery.beat.loss_watch import LossWatch
from tickerq_celery.cron.overlap import advance_queues
from tickerq_celery.cron.pausing import resume_suspended
from tickerq_celery.enums import NodeKind
from tickerq_celery.failpoints import CrashPoint, failpoint
from tickerq_celery.runs.claimer import Claimer
from tickerq_celery.runs.dispatcher import Dispatcher
from tickerq_celery.runs.publisher import Publisher
from tickerq_celery.runs.recorder import Recorder
from tickerq_celery.runs.replaced import revoke
from tickerq_celery.runs.rescue import rescue
from tickerq_celery.runtime.core import Core
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.nodes import nodes
from tickerq_celery.store.nodes.nodes import Node
from tickerq_celery.store.runs import lost_messages, starts
from tickerq_celery.store.runs.lost_messages import TakenOver
from tickerq_celery.tickers.claims import Started
from tickerq_celery.tickers.losses import Evidence

# So many sweeps happen in the time after which an unpublished claim, or an inactive node, is looked at again.
# With the default settings two sweeps are at most 10 / 8 * 1.25 = 1.6 s apart. Hence the batch of a killed
# beat is published 10 + 1.6 = 11.6 s after its claim at the latest. And a dead worker is found after
# 1.6 (its last heartbeat is seen) + 30 (the lease) + 1.6 = 33.2 s at the latest.
_SWEEPS = 8
_SHORTEST = timedelta(seconds=0.1)
# Several beats should not sweep in step.
_JITTER = 0.25
logger = logging.getLogger(__name__)
_AT_ONCE = 500


class SweepTimes:
    """The monotonic moment of the next sweep; the first is at once."""

    def __init__(self, *, publish_check: timedelta, heartbeat: timedelta) -> None:
        self._every = max(min(publish_check, heartbeat) / _SWEEPS, _SHORTEST).total_seconds()
        self._next_at = 0.0

    def seconds_left(self, now: float) -> float:
        """Return in how many seconds to sweep: none or less where it is time."""
        return self._next_at - now

    def begin(self, now: float) -> None:
        """Note that a sweep begins."""
        self._next_at = now + self._every * random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311 - not a secret

    def go_on(self, now: float) -> None:
        """Let the next sweep be at once, as the last one left something to do."""
        self._next_at = now


class CronUpkeep:
    """Passes overlap locks on and resumes suspended cron tickers, a batch of each in a pass."""

    def __init__(self, core: Core, publisher: Publisher) -> None:
        self._core = core
        self._publisher = publisher
        self._after_key = ""
        self._after_suspended: UUID | None = None

    def maintain(self) -> None:
        """Pass on overlap locks and resume suspended cron tickers, where nothing else has.

        Raises:
            StoreError: The database is unreachable.
        """
        core = self._core
        (self._after_key, to_revoke), self._after_suspended = core.write(
            lambda tx: (
                advance_queues(tx, after=self._after_key),
                resume_suspended(tx, after=self._after_suspended),
            )
        )
        revoke(self._publisher, to_revoke)


class Sweeper:
    """Finds what a crash or the broker left behind, with bounded work in each pass, in any beat."""

    def __init__(
        self,
        core: Core,
        claimer: Claimer,
        dispatcher: Dispatcher,
        recorder: Recorder,
        publisher: Publisher,
        losses: LossWatch,
    ) -> None:
        self._core = core
        self._losses = losses
        self._claimer = claimer
        self._dispatcher = dispatcher
        self._recorder = recorder
        self._publisher = publisher
        self._observer = LivenessObserver(core.config.lease)
        self._crons = CronUpkeep(core, publisher)
        self._without_row = LeaseFilter(core.config.lease)

    def sweep(self, between: Callable[[], object] = lambda: None) -> bool:
        """Do one pass; return True if more holds may be released at once.

        ``between`` is called after each part but the last: what falls due meanwhile waits for one part.

        Raises:
            StoreError: The database is unreachable.
            PublishError: The broker is unreachable.
        """
        self._reap()
        between()
        self._rescue_orphans()
        between()
        released = self._core.write(self._claimer.release_holds)
        between()
        self._crons.maintain()
        between()
        self._publish_again()
        return released.is_full

    def _publish_again(self) -> None:
        until = self._core.clock.monotonic() + self._core.config.republish_after.total_seconds()
        taken = self._core.write(self._take_over, self._losses.look())
        if taken.unreported:
            logger.info("published calls of Celery tasks that no worker has reported: %d", taken.unreported)
        if taken.claims:
            failpoint(CrashPoint.TAKEN_OVER)
            logger.warning(
                "publishing again %d runs that have not started: of %d the message was lost",
                len(taken.claims),
                taken.lost,
            )
            self._dispatcher.publish(taken.claims, until=until)

    def _take_over(self, tx: Transaction, evidence: Evidence) -> TakenOver:
        config = self._core.config
        lost_messages.bring_forward(tx, evidence, lease=config.lease, limit=config.batch_size)
        return lost_messages.take_over(
            tx, limit=config.batch_size, check_after=config.republish_after, evidence=evidence
        )

    def _reap(self) -> None:
        present = self._core.read(nodes.list_nodes)
        for node in self._observer.dead_among(present, monotonic=self._core.clock.monotonic()):
            self._reap_one(node)

    def _rescue_orphans(self) -> None:
        """Rescue the runs of nodes without a row: reaped while a child of theirs still started one."""
        node_ids = self._core.read(nodes.nodes_without_row)
        for node_id in self._without_row.lasting(node_ids, monotonic=self._core.clock.monotonic()):
            for run in self._running_under(node_id):
                rescue(self._recorder, self._publisher, run, "worker lost: it is gone")

    def _reap_one(self, node: Node) -> None:
        if node.kind is NodeKind.WORKER and not self._rescue_all(node):
            return
        failpoint(CrashPoint.REAPING)
        if self._core.write(nodes.remove_dead, node, found_by=self._core.node.name):
            logger.warning("node %s is dead: no heartbeat for one lease", node.name)

    def _rescue_all(self, node: Node) -> bool:
        """Rescue what a dead worker ran; return True if nothing is left, so that its row may go."""
        self._core.write(lost_messages.check_prefetched, node, lease=self._core.config.lease)
        for run in self._running_under(node.id):
            rescue(self._recorder, self._publisher, run, f"worker lost: {node.name} gives no sign of life")
        return not self._running_under(node.id)

    def _running_under(self, node_id: UUID) -> list[Started]:
        return self._core.read(starts.running_under, node_id, limit=_AT_ONCE)
