"""What a process that runs tickers uses: each part is made when it is first asked for."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Generic, TypeVar

from celery import Celery

from tickerq_celery.broker.known_tasks import KnownTasks
from tickerq_celery.broker.publisher import CeleryPublisher
from tickerq_celery.broker.routes import KnownRoutes
from tickerq_celery.deferred import Deferred
from tickerq_celery.runs.claimer import Claimer
from tickerq_celery.runs.dispatcher import Dispatcher
from tickerq_celery.runs.immediate import ImmediateDispatch
from tickerq_celery.runs.publisher import Publisher
from tickerq_celery.runtime.core import Core, new_identity
from tickerq_celery.worker.exception_handler import HandlerCaller

if TYPE_CHECKING:
    from tickerq_celery.broker.revoked_calls import RevokedCalls
    from tickerq_celery.runs.executions import ExecutionRecorder
    from tickerq_celery.runs.recorder import Recorder
    from tickerq_celery.runs.revocations import Revocations
    from tickerq_celery.worker.body_limits import BodyLimits
    from tickerq_celery.worker.cancel_flag import CancelFlag
    from tickerq_celery.worker.child_marks import ChildMarks
    from tickerq_celery.worker.reporting import Reporting
else:
    ExecutionRecorder = Deferred("tickerq_celery.runs.executions", "ExecutionRecorder")
    Recorder = Deferred("tickerq_celery.runs.recorder", "Recorder")
    Revocations = Deferred("tickerq_celery.runs.revocations", "Revocations")
    RevokedCalls = Deferred("tickerq_celery.broker.revoked_calls", "RevokedCalls")
    BodyLimits = Deferred("tickerq_celery.worker.body_limits", "BodyLimits")
    CancelFlag = Deferred("tickerq_celery.worker.cancel_flag", "CancelFlag")
    ChildMarks = Deferred("tickerq_celery.worker.child_marks", "ChildMarks")
    Reporting = Deferred("tickerq_celery.worker.reporting", "Reporting")

# How many seconds an `add`, or the end of a run, may wait for a broker.
_PUBLISH_TIMEOUT = 1.0


class WorkerParts:
    """The parts of one app in one process; making one opens nothing."""

    def __init__(self, app: Celery, core: Core, handler: HandlerCaller) -> None:
        self.app = app
        self.core = core
        self.handler = handler

    @cached_property
    def cancel_flag(self) -> "CancelFlag":
        """The flag by which a worker's children notice that the store has a cancellation for them."""
        return CancelFlag()

    @cached_property
    def child_marks(self) -> "ChildMarks":
        """What the children of this worker's pool execute."""
        return ChildMarks()

    @cached_property
    def killed_for_time(self) -> dict[str, float]:
        """The hard time limits, by Celery task id, for which this worker has killed children."""
        return {}

    @cached_property
    def body_limits(self) -> "BodyLimits":
        """Begins and ends the time limits of the bodies that this process executes."""
        return BodyLimits(self.child_marks)

    @cached_property
    def publisher(self) -> Publisher:
        """Publishes what this process makes due."""
        core = self.core
        return CeleryPublisher(
            self.app, core.codec, lease=core.config.lease, connect_timeout=_PUBLISH_TIMEOUT
        )

    @cached_property
    def known_tasks(self) -> KnownTasks:
        """The Celery tasks that this process has imported."""
        return KnownTasks(self.app, self.core.codec)

    @cached_property
    def immediate(self) -> ImmediateDispatch:
        """Claims and publishes runs that this process has just made due."""
        routes = KnownRoutes(self.app)
        claimer = Claimer(self.core, may_claim=self.known_tasks.may_publish, queue_of=routes.queue_of)
        dispatcher = Dispatcher(self.core, claimer, self.publisher)
        return ImmediateDispatch(self.core, dispatcher)

    @cached_property
    def recorder(self) -> "Recorder":
        """Records starts and ends of runs."""
        return Recorder(self.core, dispatch=self.immediate.dispatch)

    @cached_property
    def executions(self) -> "ExecutionRecorder":
        """Records executions of Celery tasks."""
        return ExecutionRecorder(self.core, self.recorder, dispatch=self.immediate.dispatch)

    @property
    def may_take_limited(self) -> bool:
        """Whether this process may execute runs with a timeout: its parent ends what takes too long."""
        return not self.recorder.is_in_main_process

    @cached_property
    def revocations(self) -> "Revocations":
        """Tells the result backend of calls that this process cancels."""
        return Revocations(self.core, RevokedCalls(self.app, self.core.codec).announce)

    @cached_property
    def reporting(self) -> "Reporting":
        """Writes progress and log lines of running functions."""
        return Reporting(self.core)

    def close(self) -> None:
        """Close this process's connections to the store and the broker."""
        if "revocations" in vars(self):
            self.revocations.close()
        self.core.close()
        self.publisher.close()


P_co = TypeVar("P_co", bound=WorkerParts, covariant=True)


class ProcessParts(Generic[P_co]):
    """The parts of one app in this process: made when first used, since apps are configured after import.

    ``make`` is given the core to build on, or None where there is none yet.
    """

    def __init__(self, make: Callable[[Core | None], P_co]) -> None:
        self._make = make
        self._made: P_co | None = None
        # Reentrant: what is made may ask for the app's settings, and those for a function's.
        self._mutex = threading.RLock()

    def get(self) -> P_co:
        """Return the parts.

        Raises:
            ConfigError: The app's settings cannot be used.
        """
        with self._mutex:
            if self._made is None:
                self._made = self._make(None)
            return self._made

    def own(self, name: str) -> P_co:
        """Return the parts for a process that becomes the node of the worker of this name.

        What they write then names this process, and no other one that was forked from the same parent. A
        process that was not forked keeps its id.
        """
        core = self.get().core
        fresh = new_identity(core.config.node_identifier, name)
        is_forked = core.node.pid != os.getpid()
        node = fresh if is_forked else replace(core.node, name=fresh.name)
        self.rebuild(replace(core, node=node))
        return self.get()

    @contextmanager
    def replaced(self, make: Callable[[P_co], P_co]) -> Iterator[None]:
        """Let what ``make`` makes of the parts take their place for the block."""
        with self._mutex:
            before = self.get()
            self._made = make(before)
        try:
            yield
        finally:
            with self._mutex:
                self._made = before

    def rebuild(self, core: Core) -> None:
        """Make the parts anew, on another core."""
        with self._mutex:
            self._made = self._make(core)
