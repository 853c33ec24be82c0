"""The verbs for event loops: each is its sync verb, in a thread or in an async session's transaction."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, async_scoped_session

from tickerq_celery.errors import TickerValidationError

TickerT = TypeVar("TickerT")
StoredT = TypeVar("StoredT")
T = TypeVar("T")


class AsyncAdds(ABC, Generic[TickerT, StoredT]):
    """What a manager that adds batches offers to event loops."""

    @abstractmethod
    def add_batch(self, *args: Any, **options: Any) -> list[StoredT]:
        """Store tickers, all or none, and return them in their order."""

    async def aadd(self, ticker: TickerT, *, session: object = None, **options: Any) -> StoredT:
        """Do what ``add`` does with these options; ``session`` is an AsyncSession or an AsyncConnection."""
        return (await self.aadd_batch([ticker], session=session, **options))[0]

    async def aadd_batch(
        self, batch: Sequence[TickerT], *, session: object = None, **options: Any
    ) -> list[StoredT]:
        """Do what ``add_batch`` does with these options, as ``aadd`` does what ``add`` does."""
        return await _awaited(lambda inner: self.add_batch(batch, session=inner, **options), session)


async def _awaited(verb: Callable[[object], T], session: object) -> T:
    if session is None:
        return await asyncio.to_thread(verb, None)
    if isinstance(session, async_scoped_session):
        session = session()
    if not isinstance(session, AsyncSession | AsyncConnection):
        raise TickerValidationError(
            "session", session, "pass an AsyncSession or an AsyncConnection; a sync one goes to `add`"
        )
    return await session.run_sync(verb)
