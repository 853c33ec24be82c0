"""Keep calls of Celery tasks in the store until they are due."""

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol, TypeVar

from tickerq_celery import validation
from tickerq_celery.enums import OnLost, Origin, TickerKind, TickerType
from tickerq_celery.errors import TickerValidationError
from tickerq_celery.payload.codec import Packed
from tickerq_celery.runs.ending import AttemptEnd, EndWriter
from tickerq_celery.runtime.core import Core
from tickerq_celery.store.calls import durable_calls, durable_retries
from tickerq_celery.store.calls.durable_retries import DurableRetry
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.runs import runs
from tickerq_celery.tickers.durable_calls import DurableCall
from tickerq_celery.tickers.run_rows import RunRow, new_run_row
from tickerq_celery.tickers.work import Work

LONGEST_TASK_ID = 255
T = TypeVar("T")


class Writes(Protocol):
    """Does a write for a caller that cannot wait long."""

    def write(self, work: Callable[[Transaction], T], *, undo: Callable[[Transaction], object]) -> T:
        """Run ``work`` in a transaction; ``undo`` undoes what its caller has given up."""

    def close(self) -> None:
        """Let go of what writes need."""


class DurableCalls:
    """Stores calls, each in a transaction of its own."""

    def __init__(self, core: Core, writes: Writes) -> None:
        self._core = core
        self._writes = writes
        self._ends = EndWriter(core)

    def keep(self, call: DurableCall) -> None:
        """Store a call; the retry of an execution whose run goes on lets that run wait for it.

        Raises:
            TickerValidationError: The store cannot hold it.
            StoreError: The database cannot be reached, or did not answer in time.
        """
        row = call_row(self._core, call, origin=Origin.CALL)
        keeping = _Keeping(call, row, self._ends, node=self._core.node.name)
        self._writes.write(keeping.write, undo=keeping.undo)


def call_row(core: Core, call: DurableCall, *, origin: Origin) -> RunRow:
    """Return the row of a call, as something of this ``origin`` stores it.

    Raises:
        TickerValidationError: The store cannot hold it.
    """
    queue = call.queue
    work = Work(
        namespace=core.config.namespace,
        function=validation.name("task", call.task, validation.LONGEST_FUNCTION),
        kind=TickerKind.CELERY_TASK,
        task_id=validation.name("task_id", call.task_id, LONGEST_TASK_ID),
        on_lost=OnLost.FAIL,
        queue=None if queue is None else validation.name("queue", queue, validation.LONGEST_QUEUE),
    )
    packed = core.codec.pack(_encoded(core, call))
    due = validation.moment("eta", call.due)
    row = new_run_row(work, type=TickerType.TIME_TICKER, execution_time=due, due_at=due, now=core.clock.now())
    return replace(
        row, request=packed.data, encoding=packed.encoding, retry_count=call.retries, origin=origin
    )


def _encoded(core: Core, call: DurableCall) -> bytes:
    try:
        data = call.call.encoded()
    except ValueError as error:
        raise TickerValidationError("args", call.call.args, str(error)) from error
    limit = core.config.payload_limit
    if len(data) > limit:
        reason = f"it takes {len(data)} bytes as JSON, and payload_limit is {limit}"
        raise TickerValidationError("args", call.call.args, reason)
    return data


class _Keeping:
    """One call that is kept, and how that is undone where its caller has given it up."""

    def __init__(self, call: DurableCall, row: RunRow, ends: EndWriter, *, node: str) -> None:
        self._call = call
        self._row = row
        self._ends = ends
        self._node = node
        self._retry: DurableRetry | None = None

    def write(self, tx: Transaction) -> None:
        request = Packed(self._row.request, self._row.encoding)
        self._retry = durable_retries.put_back(tx, self._call, request, node=self._node)
        # Where its run does not go on, the retry is a run of its own: no body is fenced.
        if self._retry is None:
            runs.insert(tx, [self._row])

    def undo(self, tx: Transaction) -> None:
        if self._retry is None:
            durable_calls.withdraw(tx, self._row.id)
            return
        end = durable_retries.restore(tx, self._retry, self._call)
        if end is not None:
            self._ends.write(tx, AttemptEnd(run=self._retry.run, outcome=end))
