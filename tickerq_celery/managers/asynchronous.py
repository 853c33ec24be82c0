"""The verbs for event loops: each is its sync verb, in a thread or in an async session's transaction."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from functools import partial, wraps
from types import MethodType
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, Self, TypeVar, overload

from tickerq_celery.deferred import Deferred
from tickerq_celery.errors import TickerValidationError
from tickerq_celery.tickers.pages import AsyncWalk, Walk

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, async_scoped_session
else:
    # A process that has an object of it has imported it.
    AsyncConnection = Deferred("sqlalchemy.ext.asyncio", "AsyncConnection")
    AsyncSession = Deferred("sqlalchemy.ext.asyncio", "AsyncSession")
    async_scoped_session = Deferred("sqlalchemy.ext.asyncio", "async_scoped_session")

P = ParamSpec("P")
T = TypeVar("T")


class AsyncManager:
    """The verbs of a manager, ``name`` of a TickerQ, for event loops; of its own verbs it is empty."""

    def __init__(self, name: str, manager: object) -> None:
        self.name = name
        self.manager = manager


class AsyncVerb(Generic[P, T]):
    """A manager's verb as a coroutine function, with the same parameters.

    Without ``session`` it runs in a thread, which sees the caller's context variables and goes on where
    the caller is cancelled. With one, it runs in the session's transaction, in the event loop.
    """

    def __init__(self, verb: Callable[Concatenate[Any, P], T]) -> None:
        @wraps(verb)
        async def call(owner: AsyncManager, *args: Any, **keywords: Any) -> T:
            session = keywords.pop("session", None)
            return await _awaited(owner, partial(verb, owner.manager, *args, **keywords), session)

        self._call = call

    @overload
    def __get__(self, owner: None, kind: type) -> Self: ...

    @overload
    def __get__(self, owner: AsyncManager, kind: type) -> Callable[P, Coroutine[Any, Any, T]]: ...

    def __get__(self, owner: AsyncManager | None, kind: type) -> Any:
        return self._call if owner is None else MethodType(self._call, owner)


class AsyncListing(Generic[P, T]):
    """A manager's verb that returns a walk, as one that returns an async iterator."""

    def __init__(self, verb: Callable[Concatenate[Any, P], Walk[T]]) -> None:
        @wraps(verb)
        def call(owner: AsyncManager, *args: Any, **keywords: Any) -> AsyncIterator[T]:
            return AsyncWalk(verb(owner.manager, *args, **keywords))

        self._call = call

    @overload
    def __get__(self, owner: None, kind: type) -> Self: ...

    @overload
    def __get__(self, owner: AsyncManager, kind: type) -> Callable[P, AsyncIterator[T]]: ...

    def __get__(self, owner: AsyncManager | None, kind: type) -> Any:
        return self._call if owner is None else MethodType(self._call, owner)


async def _awaited(owner: AsyncManager, verb: "partial[T]", session: object) -> T:
    if session is None:
        return await asyncio.to_thread(verb)
    if isinstance(session, async_scoped_session):
        session = session()
    if not isinstance(session, (AsyncSession, AsyncConnection)):
        path = ".".join(filter(None, ("tickerq", owner.name, verb.func.__name__)))
        call = f"{path}(…, session=session)"
        reason = f"pass an AsyncSession or an AsyncConnection; a sync one goes to {call}"
        raise TickerValidationError("session", session, reason)
    return await session.run_sync(lambda inner: verb(session=inner))
