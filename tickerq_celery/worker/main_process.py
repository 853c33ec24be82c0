"""The worker's part: register its node, keep it alive, seed what its functions define."""

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from celery import signals
from celery.concurrency.prefork import TaskPool
from celery.worker import state

from tickerq_celery import validation
from tickerq_celery.broker.address import broker_address
from tickerq_celery.broker.celery_settings import control_warning, refuse_settings
from tickerq_celery.broker.messages import is_own_task
from tickerq_celery.broker.publisher import CeleryPublisher
from tickerq_celery.broker.revoked_calls import RevokedCalls
from tickerq_celery.deferred import Deferred
from tickerq_celery.enums import NodeKind
from tickerq_celery.errors import ConfigError, StoreError
from tickerq_celery.payload import pydantic_requests as _pydantic_requests  # noqa: F401  # as below
from tickerq_celery.runs.recorder import Recorder
from tickerq_celery.runs.revocations import Revocations
from tickerq_celery.runtime.core import Core
from tickerq_celery.runtime.frozen_heap import freeze_heap
from tickerq_celery.runtime.memory import memory_held
from tickerq_celery.runtime.node import NodeRegistration, profile
from tickerq_celery.store.database.schema import verify
from tickerq_celery.store.nodes.nodes import NodeProfile
from tickerq_celery.store.nodes.vitals import Vitals
from tickerq_celery.tickers.timeouts import UNLIMITED
from tickerq_celery.worker import attempt as _attempt  # noqa: F401  # the children share what is there before the fork
from tickerq_celery.worker import drop_counts
from tickerq_celery.worker.cancel_command import CancelCommand
from tickerq_celery.worker.child_exit import prepare_exits
from tickerq_celery.worker.child_memory import ChildMemory
from tickerq_celery.worker.enrolment import enrol
from tickerq_celery.worker.following import Follower
from tickerq_celery.worker.fork_gate import fork_gate
from tickerq_celery.worker.heartbeat import Heartbeat, HeartbeatThread
from tickerq_celery.worker.held_requests import has_no_message, held_claims, held_requests
from tickerq_celery.worker.limit_watch import LimitWatch
from tickerq_celery.worker.message_guard import MessageGuard
from tickerq_celery.worker.misrouted import MisroutedLog
from tickerq_celery.worker.parts import ProcessParts, WorkerParts
from tickerq_celery.worker.signals import SignalHandler, SignalListener

if TYPE_CHECKING:
    from tickerq_celery.worker.seeding import SeedingThread
else:
    SeedingThread = Deferred("tickerq_celery.worker.seeding", "SeedingThread")

logger = logging.getLogger(__name__)
_CONNECT_TIMEOUT = 2.0
_UNBOUNDED_PREFETCH = 1_000
_LONGEST_POOL = 100
_POOLS = {
    "celery.concurrency.prefork": "prefork",
    "celery.concurrency.thread": "threads",
    "celery.concurrency.solo": "solo",
    "celery.concurrency.gevent": "gevent",
    "celery.concurrency.eventlet": "eventlet",
}


class MainProcess:
    """The node that a worker is, from before its pool forks until its last run has ended.

    Raises:
        SystemExit: This worker cannot run its functions, or its settings cannot be used.
    """

    def __init__(self, worker: Any, process: ProcessParts[WorkerParts]) -> None:
        # All of this before the pool forks: what its children write must name this node, and no other worker
        # that was forked from the same parent; and a worker that ends while its pool starts may hang in it.
        try:
            self._parts = process.own(worker.hostname)
            core = self._parts.core
            refuse_settings(self._parts.app, core.possible_queues)
            self._own_store = core.database.unpooled()
            if not any(core.registry) and not any(map(is_own_task, self._parts.app.tasks)):
                logger.warning("this worker has neither functions nor tasks: is their module in `include`?")
            # A store that cannot be reached yet is the thread's concern: it logs that, and waits.
            with suppress(StoreError):
                verify(self._own_store)
        except ConfigError as error:
            logger.critical("this worker cannot run: %s", error)
            raise SystemExit(1) from error
        _refuse_timeouts(worker.pool_cls, core)
        warning = control_warning(self._parts.app, core.config.heartbeat)
        if warning is not None:
            logger.warning("%s", warning)
        self._thread: HeartbeatThread | None = None
        self._seeding: SeedingThread | None = None
        self._is_shutting_down = False
        self._limit_watch: LimitWatch | None = None
        # Their memory is shared with the children, so they are there before them.
        self._cancel_flag = self._parts.cancel_flag
        self._child_marks = self._parts.child_marks
        self._misrouted = MisroutedLog(core.config.namespace)
        self._listener = SignalListener(self._parts.app, self._misrouted)
        self._follower = Follower(process, hard_limit=worker.time_limit)
        # Before the pool forks: a child has the receivers that its parent had then.
        self._follower.listen()
        self._child_memory = ChildMemory()
        self._child_memory.listen()
        # Sent by `celery worker` alone, before its pool forks.
        signals.celeryd_after_setup.connect(freeze_heap, weak=False)
        prepare_exits()

    def start(self, worker: Any) -> None:
        """Begin to send heartbeats, and to listen to Celery's signals: the pool has been made."""
        cancel_command = CancelCommand(self._cancel_flag, worker.pool, held_requests)
        cancel_command.register()
        self._thread = self._make_thread(worker, cancel_command)
        self._listener.listen()
        MessageGuard(worker.consumer, self._listener.drops.note).attach()
        self._thread.start()
        if isinstance(worker.pool, TaskPool):
            self._limit_watch = LimitWatch(
                self._child_marks, self._listener.reports, self._parts.killed_for_time
            )
            self._limit_watch.start()
        signals.worker_shutdown.connect(self._on_shutdown, weak=False)
        # A worker that is terminated sends no such signal, and its process may go on, as that of a test does.
        blueprint = worker.blueprint
        blueprint.on_stopped = _followed_by(blueprint.on_stopped, self._on_shutdown)

    def announce_stop(self) -> None:
        """Let the node's row say that the worker consumes no more: it may wait long for what it has begun."""
        if self._thread is not None:
            self._thread.announce_stop()

    def _on_shutdown(self, **_: Any) -> None:
        self._is_shutting_down = True
        signals.worker_shutdown.disconnect(self._on_shutdown)
        self._listener.close()
        self._follower.close()
        self._child_memory.close()
        watch, self._limit_watch = self._limit_watch, None
        if watch is not None:
            watch.stop()
        seeding, self._seeding = self._seeding, None
        if seeding is not None:
            seeding.stop()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.stop()

    def _make_thread(self, worker: Any, cancel_command: CancelCommand) -> HeartbeatThread:
        core, own = self._parts.core, self._own_store
        mine = replace(core, database=own)
        me = NodeRegistration(_worker_profile(worker, mine), partial(self._vitals, worker))
        recorder = Recorder(mine)
        publisher = CeleryPublisher(
            worker.app, core.codec, lease=core.config.lease, connect_timeout=_CONNECT_TIMEOUT
        )
        revocations = Revocations(mine, RevokedCalls(worker.app, core.codec).announce)
        handler = SignalHandler(mine, recorder, publisher, self._misrouted, revocations.tell)

        def begin() -> None:
            verify(own)
            me.measure()
            enrol(mine, me)
            if mine.config.seed and len(mine.registry.seeders):
                # The shutdown, in another thread, sees this one, or this one the shutdown.
                # A child that is forked in the midst of the import would wait for its lock.
                with fork_gate().shut():
                    self._seeding = seeding = SeedingThread(mine, mine.registry.seeders)
                if self._is_shutting_down:
                    seeding.stop()
                seeding.start()

        has_children = isinstance(worker.pool, TaskPool)
        return HeartbeatThread(
            Heartbeat(
                mine,
                me,
                held_claims=self._child_marks.claims if has_children else held_claims,
                on_missing=handler.lost,
                on_request=cancel_command.cancel_as_stored,
            ),
            mine.config.heartbeat.total_seconds(),
            enrol=begin,
            reports=self._listener.reports,
            handle=handler.handle,
            count=lambda: drop_counts.write(mine, self._listener.drops),
            refused=_refuse,
        )

    def _vitals(self, worker: Any) -> Vitals:
        return Vitals(memory=memory_held(), is_idle=partial(self._is_idle, worker))

    def _is_idle(self, worker: Any) -> bool:
        # Its messages first: a task goes on before its end is recorded where the store keeps that waiting.
        return has_no_message(worker.consumer) and not (
            self._child_marks.claims() or self._follower.is_recording
        )


def _followed_by(first: Callable[[], None], second: Callable[[], None]) -> Callable[[], None]:
    def both() -> None:
        first()
        second()

    return both


def _worker_profile(worker: Any, core: Core) -> NodeProfile:
    multiplier = worker.app.conf.worker_prefetch_multiplier
    concurrency = worker.concurrency or 1
    return profile(
        core,
        NodeKind.WORKER,
        queues=sorted(worker.app.amqp.queues.consume_from),
        broker=broker_address(worker.app),
        pool=pool_name(type(worker.pool)),
        concurrency=concurrency,
        # Prefetched and running: what may be lost with this worker.
        prefetch=multiplier * concurrency + concurrency if multiplier else _UNBOUNDED_PREFETCH,
    )


def _refuse_timeouts(pool_class: type, core: Core) -> None:
    """End a worker whose pool cannot interrupt what it runs, if one of its functions counts on that."""
    if issubclass(pool_class, TaskPool):
        return
    # Not what Celery's own setting says for all tasks: no function has asked for that.
    limited = [function.name for function in core.registry if function.timeouts != UNLIMITED]
    if limited:
        logger.critical(
            "this worker cannot run: %s",
            f"its pool cannot end what takes too long, as is asked for by {', '.join(limited)}: "
            "use the prefork pool, or leave these functions to other workers",
        )
        raise SystemExit(1)


def _refuse(error: ConfigError) -> None:
    logger.critical("this worker cannot run: %s", error)
    # What Celery itself sets to end a worker: its loop raises WorkerShutdown with this exit code.
    celery_state: Any = state
    celery_state.should_stop = 1


def pool_name(pool_class: type) -> str:
    """Return the name of a worker's pool: prefork, threads, solo, gevent, eventlet, or that of its class.

    A pool that extends one of Celery's own has that one's name: it does what that does.
    """
    for each in pool_class.__mro__:
        if each.__module__ in _POOLS:
            return _POOLS[each.__module__]
    return validation.storable(f"{pool_class.__module__}.{pool_class.__qualname__}", _LONGEST_POOL)
