"""TickerQ: the durable tickers of one Celery app."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, ClassVar, TypeVar, Unpack, overload
from weakref import WeakKeyDictionary, ref

from celery import Celery
from sqlalchemy.orm import Session

from tickerq_celery import settings
from tickerq_celery.beat import check
from tickerq_celery.broker.embedded import transport
from tickerq_celery.cron.seeding import seed
from tickerq_celery.enums import OnConflict, OnConflictLike
from tickerq_celery.errors import ConfigError
from tickerq_celery.functions.decorating import FunctionDecorator
from tickerq_celery.functions.definition import Function
from tickerq_celery.functions.registry import Registry
from tickerq_celery.functions.seeders import make_seeder
from tickerq_celery.managers.aio import Aio
from tickerq_celery.managers.cron_tickers import CronTickerManager
from tickerq_celery.managers.pauses import PauseManager
from tickerq_celery.managers.runs import RunManager
from tickerq_celery.managers.time_tickers import TimeTickerManager
from tickerq_celery.runtime.config import Settings, TickerConfig
from tickerq_celery.runtime.core import Core
from tickerq_celery.store.database import schema
from tickerq_celery.task import make_lost_task, make_task
from tickerq_celery.tickers.celery_task import TaskLike
from tickerq_celery.tickers.fields import TaskScheduleOptions
from tickerq_celery.tickers.sessions import SessionLike
from tickerq_celery.tickers.views import Run
from tickerq_celery.wiring import Parts, cancel_revoked_calls, keep_later_calls
from tickerq_celery.worker.exception_handler import HandlerCaller, TickerExceptionHandler, resolved_handler
from tickerq_celery.worker.parts import ProcessParts
from tickerq_celery.worker.step import NodeStep

SeederT = TypeVar("SeederT", bound=Callable[[Session], None])


class TickerQ:
    """Durable tickers for one Celery app.

    It reads and opens nothing when made: settings (keywords, else ``app.conf.tickerq_*``) are read and
    checked once, when the app is finalised or first used.

    Args:
        app: The Celery app whose workers run the tickers.
        store_url: SQLAlchemy URL of the store (SQLite file, PostgreSQL, MariaDB).
        exception_handler: A TickerExceptionHandler, its class, or a dotted path to either.
        embedded: Use a SQLite file and a broker in a folder beside it, where none are given.
        settings: Any other setting, by its name.
    """

    # Weak on both sides, since a TickerQ holds its app: the app's signals keep it alive.
    _of_app: ClassVar[WeakKeyDictionary[Celery, ref["TickerQ"]]] = WeakKeyDictionary()

    def __init__(
        self,
        app: "Celery[Any]",
        store_url: str | None = None,
        *,
        exception_handler: TickerExceptionHandler | type[TickerExceptionHandler] | str | None = None,
        embedded: bool = False,
        **settings_: Unpack[Settings],
    ) -> None:
        named = {"store_url": store_url, "exception_handler": exception_handler, "embedded": embedded or None}
        keywords = settings.checked_keywords(settings_, named)
        app = settings.checked_app(app)
        self.app: Celery[Any] = app
        if TickerQ.known(app) is not None:
            raise ConfigError("app", "this Celery app has a TickerQ already")
        self.registry: Registry = Registry()
        self._keywords = keywords
        self._process = ProcessParts(self._make_parts)
        TickerQ._of_app[app] = ref(self)
        transport.register()
        check.watch(app)
        keep_later_calls(
            app, self._process, lambda: settings.durable_eta(app, keywords, lambda: self._config)
        )
        cancel_revoked_calls(app, self._process)
        app.add_defaults(lambda: settings.celery_defaults(app, lambda: self._config))
        app.on_after_finalize.connect(self._on_finalized, weak=False)
        app.steps["worker"].add(type("TickerQNode", (NodeStep,), {"process": self._process}))

    @classmethod
    def of(cls, app: "Celery[Any]") -> "TickerQ":
        """Return the TickerQ of an app.

        Raises:
            ConfigError: It has none.
        """
        found = cls.known(app)
        if found is None:
            name = app.main or "this Celery app"
            raise ConfigError("app", f"{name} has no TickerQ: make one, TickerQ(app)")
        return found

    @classmethod
    def known(cls, app: "Celery[Any]") -> "TickerQ | None":
        """Return the TickerQ of an app, or None."""
        found = cls._of_app.get(settings.maybe_unwrapped(app))
        return None if found is None else found()

    @classmethod
    def living(cls) -> "list[TickerQ]":
        """Return those of this process."""
        return [each for found in list(cls._of_app.values()) if (each := found()) is not None]

    @property
    def config(self) -> TickerConfig:
        """The settings, checked."""
        return self.core.config

    @property
    def core(self) -> Core:
        """What the parts share: settings, clock, database, functions, identity."""
        return self._process.get().core

    @property
    def store_url(self) -> str:
        """The store's URL; a SQLite path is absolute, a password is shown."""
        return self.core.database.url.render_as_string(hide_password=False)

    @property
    def time_tickers(self) -> TimeTickerManager:
        """Runs at one moment: schedule, change, find."""
        return self._process.get().time_tickers

    @property
    def cron_tickers(self) -> CronTickerManager:
        """Standing definitions: store, change, pause, find."""
        return self._process.get().cron_tickers

    @property
    def runs(self) -> RunManager:
        """Runs of both kinds: get, find, count, retry."""
        return self._process.get().runs

    @property
    def pauses(self) -> PauseManager:
        """Pauses of a function, of a tag, or of everything."""
        return self._process.get().pauses

    @property
    def aio(self) -> Aio:
        """The same managers for event loops: their verbs are awaited, and take an ``AsyncSession``."""
        return self._process.get().aio

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
        scheduling = self._process.get().scheduling
        return scheduling.schedule(
            task, at=at, delay=delay, session=session, on_conflict=on_conflict, **ticker
        )

    @property
    def function(self) -> FunctionDecorator:
        """The decorator that registers functions with this TickerQ; see ``ticker_function``."""
        return FunctionDecorator(self.register, lambda: self.time_tickers)

    @overload
    def seeder(self, body: SeederT, /) -> SeederT: ...

    @overload
    def seeder(
        self, /, *, name: str | None = None, version: int | None = None
    ) -> Callable[[SeederT], SeederT]: ...

    def seeder(self, body: Any = None, /, *, name: str | None = None, version: int | None = None) -> Any:
        """Let the decorated function seed the store: what it writes through its Session commits as a whole.

        It runs in a worker that starts: where no other worker of its namespace lives, or with a
        ``version``, a whole number, where neither this nor a higher one has run in this store.

        Raises:
            TickerValidationError: The function cannot seed, or the name or the version cannot be used.
            DuplicateFunctionError: Another seeder has this name.
        """

        def take(body: SeederT) -> SeederT:
            self.registry.seeders.add(make_seeder(body, name=name, version=version))
            return body

        return take if body is None else take(body)

    def register(self, function: Function) -> None:
        """Make a function known, with a Celery task of its own."""
        function = settings.with_cron_setting(self.app, function)
        if self.registry.get(function.name) is not function:
            self.registry.add(function)
            if settings.is_finalised(self.app):
                make_task(self.app, function, self._process)

    def create_schema(self) -> None:
        """Make or migrate the store's tables.

        Raises:
            StoreError: The database cannot be reached.
            SchemaError: The store is too new for this version, or the database refused to change its tables.
        """
        schema.migrate(self.core.database, self.core.clock)

    def seed(self) -> None:
        """Store the cron tickers that this process's functions define; workers do so when they start."""
        seed(self.core)

    def close(self) -> None:
        """Close this process's connections to the store and the broker."""
        self._process.get().close()

    @cached_property
    def _config(self) -> TickerConfig:
        return settings.read_config(self.app, self._keywords)

    def _make_parts(self, core: Core | None) -> Parts:
        settings.finalise(self.app)
        # A handler that cannot be used is an error of the configuration, not of the first failed run.
        handler = HandlerCaller(resolved_handler(self._config.exception_handler))
        return Parts(self.app, core or settings.new_core(self.app, self._config, self.registry), handler)

    def _on_finalized(self, **_: Any) -> None:
        # Only now: until then the app may be given another task class.
        for function in self.registry:
            make_task(self.app, function, self._process)
        make_lost_task(self.app, self._process)
