"""The managers as attributes, with ``schedule``: what TickerQ and the kit for tests share."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Generic, NoReturn, Self, TypeVar, overload

from tickerq_celery import validation
from tickerq_celery.managers.acting import Managers, outbox_of
from tickerq_celery.managers.time_tickers.task_scheduling import TaskScheduling
from tickerq_celery.runtime.shared_limit import sharing
from tickerq_celery.tickers.sessions import AsyncSessionLike, SessionLike

if TYPE_CHECKING:
    from tickerq_celery.managers.time_tickers.time_tickers import TimeTickerManager

T = TypeVar("T")


class _Manager(Generic[T]):
    """A manager as those of this process have it, with what they say of it."""

    def __init__(self, get: Callable[[Managers], T]) -> None:
        self._get = get

    def __set_name__(self, owner: type, name: str) -> None:
        self.__doc__ = getattr(Managers, name).__doc__

    @overload
    def __get__(self, owner: None, kind: type) -> Self: ...

    @overload
    def __get__(self, owner: "Facade", kind: type) -> T: ...

    def __get__(self, owner: "Facade | None", kind: type) -> Self | T:
        return self if owner is None else self._get(owner._managers)  # noqa: SLF001 - its own

    def __set__(self, owner: "Facade", value: object) -> NoReturn:
        raise AttributeError("a manager cannot be replaced")


class Facade(TaskScheduling[SessionLike]):
    """The managers of one process, made when they are first asked for."""

    time_tickers: Final = _Manager(lambda managers: managers.time_tickers)
    cron_tickers: Final = _Manager(lambda managers: managers.cron_tickers)
    runs: Final = _Manager(lambda managers: managers.runs)
    pauses: Final = _Manager(lambda managers: managers.pauses)
    bulk: Final = _Manager(lambda managers: managers.bulk)
    nodes: Final = _Manager(lambda managers: managers.nodes)
    functions: Final = _Manager(lambda managers: managers.functions)
    health: Final = _Manager(lambda managers: managers.health)
    stats: Final = _Manager(lambda managers: managers.stats)
    errors: Final = _Manager(lambda managers: managers.errors)
    outlook: Final = _Manager(lambda managers: managers.outlook)
    chains: Final = _Manager(lambda managers: managers.chains)
    aio: Final = _Manager(lambda managers: managers.aio)
    audit: Final = _Manager(lambda managers: managers.audit)

    @property
    def _managers(self) -> Managers:
        raise NotImplementedError

    def reading_within(self, limit: timedelta | float) -> AbstractContextManager[None]:
        """Let the reads of a ``with`` block, in its context, end within ``limit``, a timedelta or seconds.

        Each has at most ``read_budget``, and three quarters of what is left: one that is too wide leaves time
        to those after it. A transaction of yours (``session=``) has no limit, and the time of what writes is
        not counted.

        Raises:
            TickerValidationError: ``limit`` is no duration.
        """
        return sharing(validation.duration("limit", limit, least=validation.MORE_THAN_ZERO))

    @overload
    def outbox(self, session: SessionLike) -> AbstractContextManager[None]: ...

    @overload
    def outbox(self, session: AsyncSessionLike) -> AbstractAsyncContextManager[None]: ...

    def outbox(self, session: object) -> object:
        """Let the calls of the app's tasks in a block commit with a session: each becomes a row of it.

        ``with tickerq.outbox(session):`` takes a SQLAlchemy Session, scoped_session or Connection on the
        store's database, ``async with`` an AsyncSession, async_scoped_session or AsyncConnection. Every
        ``delay``, ``apply_async``, ``send_task`` and canvas of this thread or asyncio task in the block is
        stored with the transaction, or not at all, and published once that has committed; it returns what it
        always does. The block itself commits nothing.

        A call that cannot be kept raises CallNotKeptError, and is not sent.

        Raises:
            TickerValidationError: ``session`` is none of these, or of the other kind of block.
            ConfigError: ``task_always_eager`` is on.
        """
        return outbox_of(self._managers, session)

    @property
    def _time_tickers(self) -> "TimeTickerManager":
        return self._managers.time_tickers
