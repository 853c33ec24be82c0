"""TickerQ: the durable tickers of one Celery app."""

from functools import cached_property
from typing import Any, ClassVar, Unpack
from weakref import WeakKeyDictionary, ref

from celery import Celery

from tickerq_celery import settings
from tickerq_celery.errors import ConfigError
from tickerq_celery.functions.decorating import FunctionDecorator
from tickerq_celery.functions.definition import Function
from tickerq_celery.functions.registry import Registry
from tickerq_celery.managers.acting import Managers
from tickerq_celery.managers.facade import Facade
from tickerq_celery.managers.settings_report import settings_report
from tickerq_celery.runtime.config import Settings, TickerConfig
from tickerq_celery.runtime.core import Core
from tickerq_celery.store.database import schema
from tickerq_celery.task import make_lost_task, make_task
from tickerq_celery.tickers.actor import Actor
from tickerq_celery.tickers.settings_report import SettingsReport
from tickerq_celery.wiring import Parts, extend
from tickerq_celery.worker.exception_handler import HandlerCaller, TickerExceptionHandler, resolved_handler
from tickerq_celery.worker.parts import ProcessParts
from tickerq_celery.worker.seeder_decorator import TakesSeeders


class TickerQ(Facade, TakesSeeders):
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
        extend(
            app,
            self._process,
            durable_eta=lambda: settings.durable_eta(app, keywords, lambda: self._config),
        )
        app.add_defaults(lambda: settings.celery_defaults(app, lambda: self._config))
        app.on_after_finalize.connect(self._on_finalized, weak=False)

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
    def _managers(self) -> Managers:
        return self._process.get().entered

    def acting_as(self, actor: Actor | str) -> Managers:
        """Return the same managers for one actor: all that their verbs change is audited in its name.

        In a ``with`` block of them this TickerQ's own managers, and functions' ``schedule``, act so, too.

        Raises:
            TickerValidationError: ``actor`` is neither an Actor nor the name of one.
        """
        return self._process.get().acting_as(actor)

    @property
    def function(self) -> FunctionDecorator:
        """The decorator that registers functions with this TickerQ; see ``ticker_function``."""
        return FunctionDecorator(self.register, lambda: self.time_tickers)

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
        self._process.get().seed()

    def report(self) -> SettingsReport:
        """Return with what this process works: settings and where they come from, addresses, versions.

        Passwords and keys are masked. Where the store does not answer, the report says so.
        """
        sources = settings.sources(self.app, self._keywords)
        return settings_report(self.core, sources, broker=settings.broker_address(self.app))

    def close(self) -> None:
        """Close this process's connections to the store and the broker."""
        self._process.get().close()

    @cached_property
    def _config(self) -> TickerConfig:
        return settings.read_config(self.app, self._keywords)

    def _make_parts(self, core: Core | None) -> Parts:
        settings.finalise(self.app)
        # A handler that cannot be used is an error of the configuration, not of the first failed run.
        handler = resolved_handler(self._config.exception_handler)
        core = core or settings.new_core(self.app, self._config, self.registry)
        return Parts(self.app, core, HandlerCaller(handler, core))

    def _on_finalized(self, **_: Any) -> None:
        # Only now: until then the app may be given another task class.
        for function in self.registry:
            make_task(self.app, function, self._process)
        make_lost_task(self.app, self._process)
