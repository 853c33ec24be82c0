"""A worker, wired from the parts that production wires."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from tests.inner import (
    CancelRequest,
    Failure,
    NodeRegistration,
    Outcome,
    Recorder,
    Registry,
    SignalReport,
    Started,
    TaskExecution,
)
from tests.integration.making import worker_profile
from tests.stateful.bodies import ALL_FUNCTIONS
from tests.stateful.broker import Message
from tests.stateful.calls import CallRequest
from tests.stateful.surroundings import Surroundings
from tests.stateful.troubles import Process, TroubledDatabase
from tickerq_celery.enums import TickerStatus
from tickerq_celery.runs.executions import ExecutionRecorder
from tickerq_celery.worker.enrolment import enrol
from tickerq_celery.worker.heartbeat import Heartbeat
from tickerq_celery.worker.misrouted import MisroutedLog
from tickerq_celery.worker.signals import SignalHandler

# Fewer than may be queued: with one worker or two, a beat leaves due what is beyond the window of a line.
PREFETCH = 1


@dataclass(eq=False, slots=True)
class Request:
    """A message in a worker's hands; with a ``run``, its body runs.

    A body is doubted once its worker may have been taken for dead: another may then run beside it.
    """

    message: Message
    run: Started | None = None
    is_doubted: bool = False


class Worker:
    """A worker: its main process with heartbeat and signal handler, and the children that run bodies."""

    def __init__(self, around: Surroundings, registry: Registry) -> None:
        self.main, self.child = Process(), Process()
        self.requests: list[Request] = []
        self.calls: list[CallRequest] = []
        self.reports: list[SignalReport] = []
        # Silent: it gives no sign of life as time passes. Quiet: time has passed since its last one.
        self.is_silent = self.is_quiet = False
        self.woke_at = 0
        self.functions = {function.name for function in registry}
        self._core = core = around.core_for(self.main, registry)
        self._registration = NodeRegistration(worker_profile(core, prefetch=PREFETCH))
        children = replace(core, database=TroubledDatabase(around.core.database, self.child, around.written))
        self._recorder = Recorder(children)
        self._follower = ExecutionRecorder(children, self._recorder)
        self._handler = SignalHandler(
            core, Recorder(core), around.client_for(self.main), MisroutedLog(core.config.namespace)
        )
        self._heartbeat = Heartbeat(
            core,
            self._registration,
            held_claims=self._held,
            on_missing=self._handler.lost,
            on_request=self._cancel_body,
        )

    @property
    def id(self) -> UUID:
        """The id of its node."""
        return self._core.node.id

    @property
    def knows_all(self) -> bool:
        """Whether it has every function."""
        return self.functions == set(ALL_FUNCTIONS)

    @property
    def is_loud(self) -> bool:
        """Whether it gives signs of life as time passes."""
        return not self.is_silent and not self.main.is_stopped

    @property
    def bodies(self) -> Sequence[Request]:
        """What its children execute."""
        return [request for request in self.requests if request.run is not None]

    @property
    def waiting(self) -> Sequence[Request]:
        """What it has prefetched and not begun."""
        return [request for request in self.requests if request.run is None]

    def enrol(self) -> None:
        """Register, with its functions."""
        enrol(self._core, self._registration)

    def beat(self) -> None:
        """Give a sign of life, and compare."""
        self._heartbeat.beat()

    def leave(self) -> None:
        """Go in good order."""
        self._heartbeat.leave()

    def catch(self, report: SignalReport) -> None:
        """Write what a signal said."""
        self._handler.handle(report)

    def start(self, message: Message) -> Started | None:
        """Let a child ask for the run of a message."""
        return self._recorder.start(message.key.run_id, message.key.number)

    def finish(self, run: Started, outcome: Outcome) -> bool:
        """Let a child write how a body ended."""
        return self._recorder.finish(run, outcome, elapsed=timedelta(seconds=1)) is not None

    def begin(self, execution: TaskExecution) -> Started | None:
        """Let a child report that the body of a Celery task begins."""
        return self._follower.start(execution)

    def begin_late(self, execution: TaskExecution, *, began: Callable[[], timedelta]) -> Started | None:
        """Let a child report the beginning of a body that has ended."""
        return self._follower.start_late(execution, began=began)

    def end(self, run: Started, outcome: Outcome) -> Outcome | None:
        """Let a child report how the body of a Celery task ended."""
        return self._follower.finish(run, outcome, elapsed=timedelta(seconds=1))

    def discard(self, execution: TaskExecution, status: TickerStatus) -> bool:
        """Report that a message was discarded: its task was revoked, or is unknown here."""
        failure = Failure(type="NotRegistered", message="unknown here")
        is_unknown = status is TickerStatus.FAILED
        return self._follower.end_unstarted(
            execution,
            status,
            reason=None if is_unknown else "revoked",
            failure=failure if is_unknown else None,
        )

    def _cancel_body(self, run: Started) -> None:
        """Kill the child where that is asked for; its run is then missing from those that are held."""
        if run.cancel_request is CancelRequest.TERMINATE:
            key = (run.id, run.claim_no)
            self.requests = [each for each in self.requests if each.run is None or each.message.key != key]

    def _held(self) -> Collection[str]:
        self.main.pause()
        held = [each.message.key for each in (*self.requests, *self.calls)]
        return {f"{key.run_id}:{key.number}" for key in held}
