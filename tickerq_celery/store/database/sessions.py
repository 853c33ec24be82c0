"""The transactions of callers: join one, know which store it leads to, and act once it has committed."""

import asyncio
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from sqlalchemy import Connection, Transaction, event, inspect, select
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from tickerq_celery.deferred import Deferred
from tickerq_celery.errors import OtherDatabaseError, SchemaError, StoreError, TickerValidationError
from tickerq_celery.store.database.connections import begin_writing
from tickerq_celery.store.database.database import Database
from tickerq_celery.store.database.errors import is_locked, lacks_table, no_tables
from tickerq_celery.store.database.urls import shown_store
from tickerq_celery.store.tables import meta

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, async_scoped_session
    from sqlalchemy.orm import Session, scoped_session
else:
    # A process that has an object of it has imported it.
    AsyncConnection = Deferred("sqlalchemy.ext.asyncio", "AsyncConnection")
    AsyncEngine = Deferred("sqlalchemy.ext.asyncio", "AsyncEngine")
    AsyncSession = Deferred("sqlalchemy.ext.asyncio", "AsyncSession")
    async_scoped_session = Deferred("sqlalchemy.ext.asyncio", "async_scoped_session")
    Session = Deferred("sqlalchemy.orm", "Session")
    scoped_session = Deferred("sqlalchemy.orm", "scoped_session")

T = TypeVar("T")
_WAITING = "tickerq_after_commit"
_STORE_ID = "tickerq_store_id"
_AUTOCOMMIT = "its isolation level is AUTOCOMMIT, so that no rollback takes back what it stored"
_LOCKED = (
    "database is locked: on SQLite a transaction that has read cannot wait for others that write; "
    "prepare_sqlite_engine(engine) lets yours begin as a writer"
)


def _off_the_loop(action: Callable[[], object]) -> Callable[[], None]:
    """Return what does the same in a thread: the event loop must not wait for a broker."""

    def start() -> None:
        # A loop that is ending takes no more work. What the action would have done, beat does.
        with suppress(RuntimeError):
            asyncio.get_running_loop().run_in_executor(None, action)

    return start


@dataclass(frozen=True, slots=True, kw_only=True)
class _Following:
    """What follows the commit of a root transaction: an action, given the items that it asked for."""

    root: Transaction | None
    action: Callable[..., object]
    items: list[Any] | None
    is_async: bool

    @property
    def still_waits(self) -> bool:
        """Whether its transaction is open."""
        return self.root is not None and self.root.is_active

    def follow(self) -> None:
        """Do it."""
        action = self.action if self.items is None else partial(self.action, self.items)
        (_off_the_loop(action) if self.is_async else action)()


def _after_commit(session: "Session") -> None:
    waiting: list[_Following] = session.info.get(_WAITING, [])
    session.info[_WAITING] = [each for each in waiting if each.still_waits]
    for each in waiting:
        if each.root is not None and not each.root.is_active:
            each.follow()


def _after_rollback(session: "Session", previous_transaction: Any) -> None:
    session.info[_WAITING] = [each for each in session.info.get(_WAITING, []) if each.still_waits]


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Whose transaction a call is part of; without a ``session``, that of a bare connection."""

    connection: Connection
    session: "Session | None"
    root: Transaction | None

    def is_open(self) -> bool:
        """Return True if the transaction has neither been committed nor rolled back."""
        return self.root is not None and self.root.is_active

    def abandon(self) -> None:
        """Roll back an abandoned transaction, so that its locks are released."""
        try:
            if self.session is not None:
                self.session.close()
            if self.root is not None and self.root.is_active:
                self.root.rollback()
        except SQLAlchemyError:
            self.connection.invalidate()

    async def aabandon(self) -> None:
        """Do the same in the event loop of an async session."""
        connection = AsyncConnection(AsyncEngine(self.connection.engine), self.connection)
        await connection.run_sync(lambda _: self.abandon())


def when_committed(caller: Caller, action: Callable[[], object]) -> None:
    """Call ``action`` after the caller's root transaction has committed; never after a rollback.

    ``after_commit`` also comes for SAVEPOINTs, and under a transaction that the caller holds outside of
    the session: neither has made anything visible, and there the action does not happen. Nor does it for a
    bare connection, which has no event for its commit.
    """
    _follow(caller, action, None)


def gather_until_committed(
    caller: Caller, items: Collection[T], action: Callable[[Collection[T]], object]
) -> None:
    """Call ``action`` as ``when_committed`` does, once for all that is gathered for it in the transaction."""
    for each in [] if caller.session is None else caller.session.info.get(_WAITING, []):
        if each.root is caller.root and each.action == action and each.items is not None:
            each.items.extend(items)
            return
    _follow(caller, action, list(items))


def _follow(caller: Caller, action: Callable[..., object], items: list[Any] | None) -> None:
    session = caller.session
    if session is None:
        return
    is_async = caller.connection.dialect.is_async
    following = _Following(root=caller.root, action=action, items=items, is_async=is_async)
    session.info.setdefault(_WAITING, []).append(following)
    if not event.contains(session, "after_commit", _after_commit):
        event.listen(session, "after_commit", _after_commit)
        event.listen(session, "after_soft_rollback", _after_rollback)


class Callers:
    """Joins transactions, those on the store's own database only."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._own: UUID | None = None

    def join(self, session: object, *, instead: str) -> Caller:
        """Return the transaction behind a ``session=``; ``instead`` is the error text for an async session.

        Raises:
            TickerValidationError: It is none, or none that can be used outside of an event loop.
            OtherDatabaseError: It is on another database than the store.
            StoreError: The store is unreachable, or SQLite is locked.
            ConfigError: A test-suite runs that does not allow writing to the store.
        """
        self._database.refuse_unallowed_write()
        caller = _caller(session, instead, self._database)
        self._begin(caller.connection)
        self._check(caller.connection)
        return caller

    def _begin(self, connection: Connection) -> None:
        try:
            begin_writing(connection)
        except DBAPIError as error:
            if is_locked(error):
                raise StoreError(_LOCKED) from error
            if not lacks_table(error):
                raise

    def _check(self, connection: Connection) -> None:
        # A pooled connection stays on its database: asked once.
        found: UUID | None = connection.info.get(_STORE_ID)
        if found is None:
            found = connection.info[_STORE_ID] = store_id(connection)
        if found != self._own_id():
            raise OtherDatabaseError(shown_store(connection.engine.url), found, self._own_id())

    def _own_id(self) -> UUID:
        if self._own is None:
            self._own = self._database.read(store_id)
        if self._own is None:
            raise SchemaError(no_tables(self._database.shown))
        return self._own


def inner_of(session: object) -> "Session | Connection | None":
    """Return what an asynchronous session or connection works with; None of any other object.

    Raises:
        TickerValidationError: It is a connection that is not connected.
    """
    if isinstance(session, async_scoped_session):
        session = session()
    if isinstance(session, AsyncSession):
        inner: Session = session.sync_session
        return inner
    if not isinstance(session, AsyncConnection):
        return None
    connection: Connection | None = session.sync_connection
    if connection is None:
        raise TickerValidationError("session", session, "it is not connected: `async with engine.connect()`")
    return connection


def is_session(session: object) -> bool:
    """Return True for a session or a connection outside of event loops."""
    return isinstance(session, (Connection, Session, scoped_session))


def refuse_autocommit(connection: Connection) -> None:
    """Refuse a connection on which each statement commits itself.

    Raises:
        TickerValidationError: It is one.
    """
    # Drivers do not say so of one level alike, and asking a database takes a round trip.
    if connection._is_autocommit_isolation():  # noqa: SLF001
        raise TickerValidationError("session", connection, _AUTOCOMMIT)


def refuse_asynchronous(session: object, *, instead: str) -> None:
    """Refuse a session of an event loop.

    Raises:
        TickerValidationError: It says what to await ``instead``.
    """
    if isinstance(session, (AsyncSession, AsyncConnection, async_scoped_session)):
        raise TickerValidationError("session", session, f"it is asynchronous: use `await {instead}`")


def _caller(session: object, instead: str, database: Database) -> Caller:
    refuse_asynchronous(session, instead=instead)
    if isinstance(session, scoped_session):
        session = session()
    if isinstance(session, Session):
        connection = session.connection()
    elif isinstance(session, Connection):
        connection = session
        if not connection.in_transaction():
            connection.begin()
    else:
        raise TickerValidationError(
            "session", session, "pass a sqlalchemy.orm.Session or a sqlalchemy.Connection"
        )
    return Caller(
        connection=connection,
        session=session if isinstance(session, Session) else None,
        root=database.transaction_of(connection),
    )


def store_id(connection: Connection) -> UUID | None:
    """Return the UUID of the store in a connection's database, or None where there is no store."""
    # Asked first: on PostgreSQL an error would spoil the caller's transaction.
    if not inspect(connection).has_table(meta.name):
        return None
    return connection.scalar(select(meta.c.store_id))
