"""The managers as attributes, with ``schedule``: what TickerQ and the kit for tests share."""

from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Unpack

from tickerq_celery import validation
from tickerq_celery.enums import OnConflict, OnConflictLike
from tickerq_celery.managers.acting import Managers
from tickerq_celery.managers.on_demand import (
    Aio,
    AuditManager,
    BulkManager,
    ChainManager,
    CronTickerManager,
    ErrorManager,
    FunctionManager,
    HealthManager,
    NodeManager,
    OutlookManager,
    PauseManager,
    RunManager,
    StatsManager,
    TimeTickerManager,
)
from tickerq_celery.runtime.shared_limit import sharing
from tickerq_celery.tickers.celery_task import TaskLike
from tickerq_celery.tickers.fields import TaskScheduleOptions
from tickerq_celery.tickers.sessions import SessionLike
from tickerq_celery.tickers.views import Run


class Facade:
    """The managers of one process, made when they are first asked for."""

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

    @property
    def time_tickers(self) -> TimeTickerManager:
        """Runs at one moment: schedule, change, find."""
        return self._managers.time_tickers

    @property
    def cron_tickers(self) -> CronTickerManager:
        """Standing definitions: store, change, pause, find."""
        return self._managers.cron_tickers

    @property
    def runs(self) -> RunManager:
        """Runs of both kinds: get, find, count, explain, retry."""
        return self._managers.runs

    @property
    def pauses(self) -> PauseManager:
        """Pauses of a function, of a tag, or of everything."""
        return self._managers.pauses

    @property
    def bulk(self) -> BulkManager:
        """One action on many runs, done by beat: start, watch, stop."""
        return self._managers.bulk

    @property
    def nodes(self) -> NodeManager:
        """Beats and workers: which are there, and which were lost."""
        return self._managers.nodes

    @property
    def functions(self) -> FunctionManager:
        """What workers registered: options, who has it, how it does."""
        return self._managers.functions

    @property
    def health(self) -> HealthManager:
        """Whether all is well."""
        return self._managers.health

    @property
    def stats(self) -> StatsManager:
        """What happened lately, in figures of the roll-up."""
        return self._managers.stats

    @property
    def errors(self) -> ErrorManager:
        """Failures, grouped by function and exception."""
        return self._managers.errors

    @property
    def outlook(self) -> OutlookManager:
        """What is coming, stored and computed."""
        return self._managers.outlook

    @property
    def chains(self) -> ChainManager:
        """Chains as wholes: their tree, and what to do with the rest of one."""
        return self._managers.chains

    @property
    def aio(self) -> Aio:
        """The same managers for event loops: their verbs are awaited, and take an ``AsyncSession``."""
        return self._managers.aio

    @property
    def audit(self) -> AuditManager:
        """Who did what, when, and what came of it."""
        return self._managers.audit

    def schedule(
        self,
        task: TaskLike,
        *,
        at: datetime | None = None,
        delay: timedelta | float | None = None,
        session: SessionLike | None = None,
        on_conflict: OnConflictLike = OnConflict.RAISE,
        **ticker: Unpack[TaskScheduleOptions],
    ) -> Run:
        """Schedule a run of a Celery task at a moment, after a ``delay`` (seconds or a timedelta), or now.

        ``task`` is a signature, ``add.s(2, 3)``, the task itself, or its name; the latter two take ``args``,
        ``kwargs`` and ``options``. ``session`` and ``on_conflict`` are those of ``time_tickers.add``; further
        keywords are fields of TimeTicker.

        Raises:
            TickerValidationError: Both ``at`` and ``delay`` are given, or a field cannot be stored.
            UnknownKeywordError: A keyword is no field.
            DuplicateTickerError: A ticker with the same unique key is not terminal.
        """
        return self._managers.schedule(
            task, at=at, delay=delay, session=session, on_conflict=on_conflict, **ticker
        )
