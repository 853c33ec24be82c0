"""All managers of a TickerQ, for one actor or for none, each imported when it is first used."""

from collections.abc import Callable
from contextvars import ContextVar
from functools import cached_property
from typing import TYPE_CHECKING, Self

from tickerq_celery.deferred import Deferred
from tickerq_celery.managers.time_tickers.task_scheduling import TaskScheduling
from tickerq_celery.managers.unit_of_work import UnitOfWork
from tickerq_celery.tickers.actor import Actor
from tickerq_celery.tickers.sessions import SessionLike
from tickerq_celery.tickers.surroundings import Surroundings

if TYPE_CHECKING:
    from tickerq_celery.managers.aio import Aio
    from tickerq_celery.managers.audit import AuditManager
    from tickerq_celery.managers.bulk import BulkManager
    from tickerq_celery.managers.cron.cron_tickers import CronTickerManager
    from tickerq_celery.managers.error_groups import ErrorManager
    from tickerq_celery.managers.functions import FunctionManager
    from tickerq_celery.managers.health import HealthManager
    from tickerq_celery.managers.nodes import NodeManager
    from tickerq_celery.managers.outbox import Outbox
    from tickerq_celery.managers.outlook import OutlookManager
    from tickerq_celery.managers.pauses import PauseManager
    from tickerq_celery.managers.runs.chains import ChainManager
    from tickerq_celery.managers.runs.runs import RunManager
    from tickerq_celery.managers.stats import StatsManager
    from tickerq_celery.managers.time_tickers.time_tickers import TimeTickerManager
    from tickerq_celery.runs.cancelling import Canceller
else:
    # A process that only adds needs one of them.
    Aio = Deferred("tickerq_celery.managers.aio", "Aio")
    AuditManager = Deferred("tickerq_celery.managers.audit", "AuditManager")
    BulkManager = Deferred("tickerq_celery.managers.bulk", "BulkManager")
    CronTickerManager = Deferred("tickerq_celery.managers.cron.cron_tickers", "CronTickerManager")
    ErrorManager = Deferred("tickerq_celery.managers.error_groups", "ErrorManager")
    FunctionManager = Deferred("tickerq_celery.managers.functions", "FunctionManager")
    HealthManager = Deferred("tickerq_celery.managers.health", "HealthManager")
    NodeManager = Deferred("tickerq_celery.managers.nodes", "NodeManager")
    Outbox = Deferred("tickerq_celery.managers.outbox", "Outbox")
    OutlookManager = Deferred("tickerq_celery.managers.outlook", "OutlookManager")
    PauseManager = Deferred("tickerq_celery.managers.pauses", "PauseManager")
    ChainManager = Deferred("tickerq_celery.managers.runs.chains", "ChainManager")
    RunManager = Deferred("tickerq_celery.managers.runs.runs", "RunManager")
    StatsManager = Deferred("tickerq_celery.managers.stats", "StatsManager")
    TimeTickerManager = Deferred("tickerq_celery.managers.time_tickers.time_tickers", "TimeTickerManager")


# Those of the blocks that a context is in, the innermost last.
_ENTERED: ContextVar[tuple["Managers", ...]] = ContextVar("tickerq_entered", default=())


class Managers(TaskScheduling[SessionLike]):
    """The managers, as ``tickerq.acting_as(actor)`` returns them: all that they change is audited.

    In a ``with`` block of them, and in what it calls or awaits, those of the TickerQ itself act so as well.
    """

    def __init__(self, storing: UnitOfWork, canceller: "Canceller", surroundings: Surroundings) -> None:
        self._storing = storing
        self._canceller = canceller
        self._surroundings = surroundings

    def __enter__(self) -> Self:
        _ENTERED.set((*_ENTERED.get(), self))
        return self

    def __exit__(self, *_: object) -> None:
        _ENTERED.set(_ENTERED.get()[:-1])

    @cached_property
    def time_tickers(self) -> TimeTickerManager:
        """Runs at one moment: schedule, change, find."""
        return TimeTickerManager(self._storing, self._canceller, self._surroundings)

    @property
    def _time_tickers(self) -> TimeTickerManager:
        return self.time_tickers

    @cached_property
    def cron_tickers(self) -> CronTickerManager:
        """Standing definitions: store, change, pause, find."""
        return CronTickerManager(self._storing, self._canceller, self._surroundings)

    @cached_property
    def runs(self) -> RunManager:
        """Runs of both kinds: get, find, count, explain, retry."""
        return RunManager(self._storing, self._canceller, self._surroundings)

    @cached_property
    def pauses(self) -> PauseManager:
        """Pauses of a function, of a tag, or of everything."""
        return PauseManager(self._storing)

    @cached_property
    def audit(self) -> AuditManager:
        """Who did what, when, and what came of it."""
        return AuditManager(self._storing)

    @cached_property
    def bulk(self) -> BulkManager:
        """One action on many runs, done by beat: start, watch, stop."""
        return BulkManager(self._storing)

    @cached_property
    def nodes(self) -> NodeManager:
        """Beats and workers: which are there, and which were lost."""
        return NodeManager(self._storing)

    @cached_property
    def functions(self) -> FunctionManager:
        """What workers registered: options, who has it, how it does."""
        return FunctionManager(self._storing, self._surroundings)

    @cached_property
    def health(self) -> HealthManager:
        """Whether all is well."""
        return HealthManager(self._storing, self._surroundings)

    @cached_property
    def stats(self) -> StatsManager:
        """What happened lately, in figures of the roll-up."""
        return StatsManager(self._storing)

    @cached_property
    def errors(self) -> ErrorManager:
        """Failures, grouped by function and exception."""
        return ErrorManager(self._storing)

    @cached_property
    def outlook(self) -> OutlookManager:
        """What is coming, stored and computed."""
        return OutlookManager(self._storing)

    @cached_property
    def chains(self) -> ChainManager:
        """Chains as wholes: their tree, and what to do with the rest of one."""
        return ChainManager(self._storing, self._canceller)

    @cached_property
    def aio(self) -> Aio:
        """The same managers for event loops: their verbs are awaited, and take an ``AsyncSession``."""
        return Aio(self)


def entered(managers: Managers, acting_as: Callable[[Actor], Managers]) -> Managers:
    """Return the managers whose ``with`` block this context is in, of the same store; else those given.

    A process that has become a node since, as a child of a worker does, has others than those that were made
    before its fork: for the actor of the block it gets its own.
    """
    core = managers._storing.core  # noqa: SLF001 - no part of what users call
    for each in reversed(_ENTERED.get()):
        storing = each._storing  # noqa: SLF001
        if storing.core is core:
            return each
        actor = storing.operations.actor
        if storing.core.database is core.database and actor is not None:
            return acting_as(actor)
    return managers


def outbox_of(managers: Managers, session: object) -> Outbox:
    """Return a block whose calls of tasks commit with a session, in the store of ``managers``."""
    return Outbox(managers._storing, session)  # noqa: SLF001 - no part of what users call
