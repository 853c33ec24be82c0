"""The calls of an app's tasks that a block makes, stored in the transaction of its session."""

from collections.abc import Sequence
from types import TracebackType
from typing import Any

from tickerq_celery.enums import Origin
from tickerq_celery.errors import ConfigError, TickerValidationError
from tickerq_celery.managers.durable_calls import call_row
from tickerq_celery.managers.outbox_block import OutboxBlock
from tickerq_celery.managers.unit_of_work import UnitOfWork
from tickerq_celery.store.database.awaited_writes import write_when_awaited
from tickerq_celery.store.database.sessions import inner_of, is_session, refuse_autocommit
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.runs import runs
from tickerq_celery.tickers.durable_calls import DurableCall
from tickerq_celery.tickers.effect import Effect
from tickerq_celery.tickers.run_rows import RunRow, due_call

_EAGER = (
    "it is on, so that calls of tasks would run before the commit: switch it off, and let the fixture "
    "tickerq run what is due"
)
_NO_SESSION = "pass a sqlalchemy.orm.Session or a sqlalchemy.Connection"
_NOT_ASYNC = "pass an AsyncSession or an AsyncConnection; `with tickerq.outbox(session)` takes a sync one"
_NOT_SYNC = "it is asynchronous: use `async with tickerq.outbox(session)`"


class Outbox(OutboxBlock):
    """Lets the calls that its block makes commit with a session, as rows; see ``TickerQ.outbox``."""

    def __init__(self, storing: UnitOfWork, session: object) -> None:
        super().__init__(storing.core)
        self._storing = storing
        self._session = session
        # That of an asynchronous session, whose statements are awaited.
        self._inner: Any = None

    def __enter__(self) -> None:
        if inner_of(self._session) is not None:
            raise TickerValidationError("session", self._session, _NOT_SYNC)
        if not is_session(self._session):
            raise TickerValidationError("session", self._session, _NO_SESSION)
        self._enter()

    def __exit__(self, *_: object) -> None:
        self.end()

    async def __aenter__(self) -> None:
        self._inner = inner_of(self._session)
        if self._inner is None:
            raise TickerValidationError("session", self._session, _NOT_ASYNC)
        self._enter()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.end()

    def _enter(self) -> None:
        if self._storing.tasks.run_at_once:
            raise ConfigError("task_always_eager", _EAGER)
        self.begin()

    def keep(self, call: DurableCall) -> None:
        """Store a call in the session's transaction, at once or as soon as that can be awaited.

        Raises:
            TickerValidationError: The store cannot hold it, or the session cannot be used.
            StoreError: The store is unreachable, or SQLite is locked.
        """
        row = call_row(self._storing.core, call, origin=Origin.OUTBOX)
        if self._inner is None:
            self._write([row])
        else:
            write_when_awaited(self._inner, row, self._write)

    def _write(self, rows: Sequence[RunRow]) -> None:
        def work(tx: Transaction) -> Effect[None]:
            refuse_autocommit(tx.connection)
            runs.insert(tx, rows)
            return Effect(result=None, calls=[call for row in rows if (call := due_call(row)) is not None])

        self._storing.in_transaction(work, self._inner or self._session, verb="outbox")
