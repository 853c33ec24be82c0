"""The loop of one beat: fire, dispatch, sweep, heartbeat; and pause while store or broker are unreachable."""

import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial

from celery import Celery

from tickerq_celery.beat.bulk_runner import BulkRunner
from tickerq_celery.beat.due_work import DueWork
from tickerq_celery.beat.entry_reconciler import EntryReconciler
from tickerq_celery.beat.entry_rows import Entry
from tickerq_celery.beat.entry_sending import AppliesEntry, EntrySending
from tickerq_celery.beat.loss_watch import LossWatch
from tickerq_celery.beat.maintenance import Job, Maintenance
from tickerq_celery.beat.queue_watch import QueueWatch
from tickerq_celery.beat.retention import RetentionJob
from tickerq_celery.beat.rollup import RollupJob
from tickerq_celery.beat.sweeper import Sweeper, SweepTimes
from tickerq_celery.beat.tick_record import TickRecord
from tickerq_celery.broker.address import broker_address
from tickerq_celery.broker.celery_settings import refuse_settings
from tickerq_celery.broker.publisher import CeleryPublisher, SendsCall
from tickerq_celery.broker.revoked_calls import RevokedCalls
from tickerq_celery.broker.routes import KnownRoutes
from tickerq_celery.cron.firing import Firing
from tickerq_celery.enums import NodeKind
from tickerq_celery.errors import ConfigError, PublishError, StoreError
from tickerq_celery.runs.claimer import Claimer
from tickerq_celery.runs.dispatcher import Dispatcher
from tickerq_celery.runs.pruner import Pruner, archive_of
from tickerq_celery.runs.recorder import Recorder
from tickerq_celery.runs.replaced import revoke
from tickerq_celery.runs.revocations import Revocations
from tickerq_celery.runtime.backoff import Backoff
from tickerq_celery.runtime.core import Core, new_identity
from tickerq_celery.runtime.node import NodeRegistration, profile
from tickerq_celery.runtime.work_thread import WorkThread
from tickerq_celery.store.database.schema import verify
from tickerq_celery.store.nodes import nodes
from tickerq_celery.tickers.claims import Claim

logger = logging.getLogger(__name__)
_PREFIX = "beat"
_CONNECT_TIMEOUT = 2.0
_ANSWER_TIMEOUT = 5.0
_LONGEST_PAUSE = 5.0
# In seconds. The first is more than _ANSWER_TIMEOUT: a publish to a broker that hangs fails by then, and the
# rest of the batch is given back. The second is for the closing handshake, which nothing depends on. What of
# the third is left is for the step of maintenance that began before.
_LEAVING = 5.5
_CLOSING = 1.0
_ENDING = 6.5


class BeatLoop:
    """One beat's work. All of it happens in a thread of its own, and ends at ``close``.

    The caller is beat's main thread, whose signal handlers are Celery's: on SIGTERM and SIGINT they call
    ``close`` and raise SystemExit, wherever the main thread waits.

    Raises:
        ConfigError: Under the app's settings no run would start.
    """

    def __init__(
        self, app: Celery, shared: Core, entries: Sequence[Entry], *, apply_entry: AppliesEntry
    ) -> None:
        config = shared.config
        refuse_settings(app, shared.possible_queues)
        # A beat inside a worker is a process of its own, and so a node of its own.
        self._core = replace(shared, node=new_identity(config.node_identifier or _PREFIX))
        self._reconciler = EntryReconciler(self._core, entries)
        sending = EntrySending(app, self._reconciler.entry_of, apply_entry)
        self._publisher = _publisher(app, shared, sends_call=sending.send)
        self._ticks = TickRecord()
        routes = KnownRoutes(app)
        claimer = Claimer(self._core, on_claimed=self._ticks.claimed, queue_of=routes.queue_of)
        self._queue_watch = QueueWatch(routes, self._core)
        dispatcher = Dispatcher(
            self._core,
            claimer,
            self._publisher,
            must_stop=lambda: self._is_ending,
            on_published=self._note_published,
        )
        firing = Firing(self._core, partial(revoke, self._publisher))
        self._work = DueWork(self._core, firing, claimer, dispatcher, self._ticks)
        broker = broker_address(app)
        losses = LossWatch(self._core, routes.queue_of_messages, self._publisher.queue_size, broker=broker)
        recorder = Recorder(self._core)
        self._sweeper = Sweeper(self._core, claimer, dispatcher, recorder, self._publisher, losses)
        me = profile(self._core, NodeKind.BEAT, broker=broker, entries=self._reconciler.keys)
        self._registration = NodeRegistration(me, self._ticks.vitals)
        self._sweeps = SweepTimes(publish_check=config.publish_check, heartbeat=config.heartbeat)
        self._beat_at = 0.0
        self._is_verified = False
        self._is_ending = False
        self._outage: StoreError | PublishError | None = None
        self._backoff = Backoff(config.poll_interval.total_seconds(), _LONGEST_PAUSE)
        self._maintenance = _maintenance(app, self._core, self._ticks)
        # Routers and signal receivers of the user's run there, and may ask for the current app.
        self._thread = WorkThread(app.set_current, name="tickerq-beat")

    def tick(self) -> float:
        """Do what is due, and return how many seconds to sleep.

        Raises:
            ConfigError: This beat cannot work with the store.
        """
        return self._thread.call(self._tick)

    def close(self) -> None:
        """End the work after the part of the batch that is being published, and remove this beat's node row.

        Returns within seven seconds: a call that hangs, such as one of a frozen database, is left behind in
        its thread. What it had claimed is published by another beat, as after a crash.
        """
        if self._is_ending:
            return
        self._is_ending = True
        until = time.monotonic() + _ENDING
        self._maintenance.ask_to_end()
        with suppress(TimeoutError):
            if self._leave():
                self._thread.call(self._close_connections, limit=_CLOSING)
        self._thread.end()
        self._maintenance.wait_for_end(until - time.monotonic())

    def _leave(self) -> bool:
        """Remove the node row; return False if the thread hangs."""
        try:
            self._thread.call(self._remove_node, limit=_LEAVING)
        except (StoreError, ConfigError, TimeoutError) as error:
            logger.warning("could not remove this beat's row, another beat will: %s", error)
            return not isinstance(error, TimeoutError)
        return True

    def _remove_node(self) -> None:
        if self._is_verified:
            self._core.write(nodes.remove, self._core.node.id)

    def _close_connections(self) -> None:
        self._core.close()
        self._publisher.close()

    def _tick(self) -> float:
        try:
            seconds = self._step()
        except (StoreError, PublishError) as error:
            return self._pause(error)
        except ConfigError:
            raise
        except Exception:
            # Beat ends when a tick raises, and nothing would be scheduled any more.
            logger.exception("a tick failed")
            self._ticks.end_refusal()
            return self._core.config.poll_interval.total_seconds()
        self._ticks.complete(self._core.clock.monotonic())
        self._resume()
        return seconds

    def _pause(self, error: StoreError | PublishError) -> float:
        if isinstance(error, PublishError) and self._ticks.refused(error, self._core.clock.monotonic()):
            self._beat_soon()
        if self._outage is None:
            self._log_pause(error)
        self._outage = error
        return self._backoff.next()

    def _log_pause(self, error: StoreError | PublishError) -> None:
        if isinstance(error, PublishError) and error.refusal is not None:
            logger.error("beat paused: the broker has %s", error.refusal)
        else:
            logger.error("beat paused: %s unreachable (%s)", _server_of(error), error.reason)

    def _note_published(self, claims: Sequence[Claim]) -> None:
        self._queue_watch.published(claims)
        if claims and self._ticks.end_refusal():
            self._beat_soon()

    def _beat_soon(self) -> None:
        """Let the next tick say at once what has changed: health reports go by it."""
        self._beat_at = 0.0

    def _resume(self) -> None:
        if self._outage is not None:
            logger.warning("beat resumed: %s reachable", _server_of(self._outage))
            self._beat_soon()
        self._outage = None
        self._backoff.reset()

    def _step(self) -> float:
        self._ticks.begin()
        self._verify()
        self._heartbeat_if_due()
        if isinstance(self._outage, PublishError):
            # A tick that has nothing to publish would not notice that the broker is still unreachable.
            self._publisher.connect()
        # The sweep first: what it makes due is dispatched in the same tick.
        is_full = self._sweep_if_due()
        wait = timedelta(0) if self._is_ending else self._work.do()
        if is_full:
            return 0.0
        rest = self._sweeps.seconds_left(self._core.clock.monotonic())
        return max(0.0, min(wait.total_seconds(), rest, self._core.config.poll_interval.total_seconds()))

    def _verify(self) -> None:
        if not self._is_verified:
            verify(self._core.database)
            self._is_verified = True
            # Not before: it would open a store that is not there.
            self._maintenance.start()

    def _work_between(self) -> None:
        if not self._is_ending:
            self._work.do_between()

    def _heartbeat_if_due(self) -> None:
        now = self._core.clock.monotonic()
        if now < self._beat_at:
            return
        self._registration.measure()
        self._core.write(self._registration.beat)
        self._beat_at = now + self._core.config.heartbeat.total_seconds()

    def _sweep_if_due(self) -> bool:
        """Sweep if it is time; return True if there is more to sweep at once."""
        now = self._core.clock.monotonic()
        if self._sweeps.seconds_left(now) > 0:
            return False
        self._sweeps.begin(now)
        self._work.begin_sweep()
        self._reconciler.reconcile()
        self._publisher.connect()
        is_full = self._sweeper.sweep(between=self._work_between)
        self._queue_watch.check()
        if is_full:
            self._sweeps.go_on(now)
        return is_full


def _server_of(error: StoreError | PublishError) -> str:
    return "broker" if isinstance(error, PublishError) else "store"


def _publisher(app: Celery, core: Core, **sending: SendsCall) -> CeleryPublisher:
    return CeleryPublisher(
        app,
        core.codec,
        lease=core.config.lease,
        connect_timeout=_CONNECT_TIMEOUT,
        answer_timeout=_ANSWER_TIMEOUT,
        **sending,
    )


def _maintenance(app: Celery, core: Core, ticks: TickRecord) -> Maintenance:
    own = replace(core, database=core.database.apart())
    revocations = Revocations(own, RevokedCalls(app, core.codec).announce)
    bulk = BulkRunner(own, _publisher(app, core), revocations.tell)
    jobs: list[Job] = [bulk, revocations, RollupJob(own)]
    if core.config.auto_prune:
        pruner = Pruner(own, archive_of(core.config.prune_archive))
        jobs.append(RetentionJob(pruner, lambda deleted: ticks.pruned(deleted, own.clock.monotonic())))
    return Maintenance(own, jobs, app.set_current)
