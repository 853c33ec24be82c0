"""The managers as attributes, with ``schedule``: what TickerQ and the kit for tests share."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Final, Generic, NoReturn, Self, TypeVar, Unpack, overload

from tickerq_celery import validation
from tickerq_celery.enums import OnConflict, OnConflictLike
from tickerq_celery.managers.acting import Managers
from tickerq_celery.runtime.shared_limit import sharing
from tickerq_celery.tickers.celery_task import TaskLike
from tickerq_celery.tickers.fields import TaskScheduleOptions
from tickerq_celery.tickers.sessions import SessionLike
from tickerq_celery.tickers.views import Run

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


class Facade:
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

    def schedule(
        self,
        task: TaskLike,
        *,
        at: datetime | None = None,
        delay: timedelta | float | None = None,
        session: SessionLike | None = None,
        on_conflict: OnConflictLike = OnConflict.RAISE,
        allow_unknown: bool = False,
        **ticker: Unpack[TaskScheduleOptions],
    ) -> Run:
        """Schedule a run of a Celery task at a moment, after a ``delay`` (seconds or a timedelta), or now.

        ``task`` is a signature, ``add.s(2, 3)``, the task itself, or its name; the latter two take ``args``,
        ``kwargs`` and ``options``. ``session``, ``on_conflict`` and ``allow_unknown`` are those of
        ``time_tickers.add``; further keywords are fields of TimeTicker.

        Raises:
            TickerValidationError: Both ``at`` and ``delay`` are given, or a field cannot be stored.
            UnknownTaskError: The task is not imported here, and no stored ticker names it.
            UnknownKeywordError: A keyword is no field.
            DuplicateTickerError: A ticker with the same unique key is not terminal.
        """
        return self._managers.schedule(
            task,
            at=at,
            delay=delay,
            session=session,
            on_conflict=on_conflict,
            allow_unknown=allow_unknown,
            **ticker,
        )
