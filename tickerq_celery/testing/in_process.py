"""The parts of a TickerQ under test: messages stay in memory, and their tasks run in this process."""

from collections import deque
from collections.abc import Callable, Collection, Sequence
from functools import cached_property
from typing import Any, TypeVar
from uuid import UUID

from celery import Celery

from tickerq_celery.broker.messages import HEADER, header_for, task_id, task_name
from tickerq_celery.broker.one_by_one import MOST_ONE_BY_ONE, one_by_one
from tickerq_celery.enums import TickerStatus
from tickerq_celery.managers.durable_calls import Writes
from tickerq_celery.runs.claimer import Claimer
from tickerq_celery.runs.dispatcher import Dispatcher
from tickerq_celery.runs.immediate import ImmediateDispatch
from tickerq_celery.runs.publisher import Publisher
from tickerq_celery.runs.revocations import Revocations
from tickerq_celery.runtime.core import Core
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.testing.task_calls import TaskCalls
from tickerq_celery.tickers.claims import Claim, Due, Started
from tickerq_celery.tickers.handover import Handover
from tickerq_celery.tickers.progress import Report
from tickerq_celery.wiring import Parts
from tickerq_celery.worker.cancel_flag import CancelFlag
from tickerq_celery.worker.exception_handler import HandlerCaller
from tickerq_celery.worker.reporting import Reporting

T = TypeVar("T")


class MessageBox:
    """A Publisher that keeps messages until they are executed, one after the other, as Celery's tasks."""

    def __init__(
        self,
        app: Celery,
        calls: TaskCalls,
        handler: HandlerCaller,
        flag: CancelFlag,
    ) -> None:
        self.calls = calls
        self._app = app
        self._handler = handler
        self._flag = flag
        self._claims: deque[Claim] = deque()

    @property
    def most_at_once(self) -> int:
        """How many messages go into the box before they are stamped."""
        return MOST_ONE_BY_ONE

    def connect(self) -> None:
        """Do nothing: there is no broker."""

    def hand_over(self, claims: Sequence[Claim]) -> Handover:
        """Keep the messages of claims."""
        return one_by_one(claims, self._claims.append)

    def publish_lost(self, run: Started, message: str, *, status: TickerStatus) -> None:
        """Call the user's exception handler for an attempt that was lost."""
        self._handler.lost(str(run.id), int(run.type), message, int(status))

    def publish_cancel(self, run: Started, *, terminate: bool) -> None:
        """Let the body that runs in this process look for the cancellation."""
        self._flag.set()

    def close(self) -> None:
        """Do nothing: there is no connection."""

    def execute(self, on_end: Callable[[UUID], None]) -> int:
        """Execute what was published, until nothing is left; return how many messages there were.

        ``on_end`` is called with the id of each run after an attempt at it.
        """
        count = 0
        while True:
            if self._claims:
                claim = self._claims.popleft()
                self._execute_one(claim)
                on_end(claim.id)
            elif (retry := self.calls.pop_due()) is not None:
                self.calls.execute(retry)
                on_end(retry.execution.id)
            else:
                return count
            count += 1

    def _execute_one(self, claim: Claim) -> None:
        if claim.call is not None:
            message = self.calls.message_of(claim)
            if message is not None:
                self.calls.execute(message)
            return
        headers: dict[str, Any] = {HEADER: header_for(claim.id, claim.number)}
        ours = self._app.tasks[task_name(claim.function)]
        ours.apply(task_id=task_id(claim.id, claim.number), headers=headers, throw=False)


class LeftToTheTest(ImmediateDispatch):
    """Leaves what was just made due to ``run_due``; with ``task_always_eager`` executes it at once."""

    def __init__(self, core: Core, dispatcher: Dispatcher, box: MessageBox, *, is_eager: bool) -> None:
        super().__init__(core, dispatcher)
        self._node = core.node.name
        self._runs = dispatcher
        self._box = box
        self._is_eager = is_eager
        self._due: list[UUID] = []
        self.is_executing: bool = False

    def dispatch(self, ids: Collection[UUID]) -> None:
        """Execute those of ``ids`` that are due, and what becomes due by that, if the app is eager."""
        # What a body makes due waits for the end of that body: run_due, or the call below, goes on with it.
        if not self._is_eager:
            return
        self._due += ids
        if self.is_executing:
            return
        self.is_executing = True
        try:
            while self._due:
                due, self._due = self._due, []
                self._runs.dispatch(holder=self._node, ids=due)
                self._box.execute(lambda run_id: None)
        finally:
            self.is_executing = False
            self._due = []

    def dispatch_calls(self, calls: Collection[Due]) -> None:
        """Do nothing: an eager app has no outbox."""


class ReportedAtTheEnd(Reporting):
    """Writes progress and log lines with the end of their attempt, from no thread of its own."""

    def _note_change(self, run: Started, report: Report) -> None:
        """Leave it to the end."""


class DirectWrites:
    """Writes in the thread of the caller: a test's store answers, and may be a connection of that thread."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def write(self, work: Callable[[Transaction], T], *, undo: Callable[[Transaction], object]) -> T:
        """Run ``work`` in a transaction."""
        return self._core.write(work)

    def close(self) -> None:
        """Do nothing: there is no thread."""


class ToldToNobody(Revocations):
    """Leaves the result backend alone: a test has none, or one that others use."""

    def tell(self, ids: Collection[UUID]) -> None:
        """Do nothing."""


class InProcessParts(Parts):
    """What wiring makes, but for all that would reach another process."""

    @cached_property
    def box(self) -> MessageBox:
        """Where messages are until their tasks are executed."""
        calls = TaskCalls(self.app, self.core, lambda: self.executions)
        return MessageBox(self.app, calls, self.handler, self.cancel_flag)

    @cached_property
    def publisher(self) -> Publisher:
        """The box."""
        return self.box

    @cached_property
    def dispatcher(self) -> Dispatcher:
        """Claims what is due, and publishes it into the box."""
        return Dispatcher(self.core, Claimer(self.core), self.box)

    @cached_property
    def immediate(self) -> LeftToTheTest:
        """What happens to runs that this process has just made due."""
        is_eager = bool(self.app.conf.task_always_eager)
        return LeftToTheTest(self.core, self.dispatcher, self.box, is_eager=is_eager)

    @cached_property
    def revocations(self) -> Revocations:
        """What happens to calls that this process cancels."""
        return ToldToNobody(self.core, lambda revocation: None)

    @cached_property
    def reporting(self) -> Reporting:
        """Progress and log lines of running functions."""
        return ReportedAtTheEnd(self.core)

    @property
    def may_take_limited(self) -> bool:
        """True: a test ends by itself what takes too long, and no limit is applied."""
        return True

    @cached_property
    def _notifier(self) -> Publisher:
        return self.box

    @cached_property
    def _bounded_writes(self) -> Writes:
        return DirectWrites(self.core)
