"""TickerQ: binds the store, the functions and Celery together, in one place."""

import logging
import threading
from collections.abc import Callable
from functools import cache, cached_property
from pathlib import Path
from typing import Any, ClassVar
from weakref import WeakKeyDictionary, ref

from celery import Celery

from tickerq_celery import settings
from tickerq_celery.beat import check
from tickerq_celery.broker.embedded import transport
from tickerq_celery.broker.messages import LOST_TASK
from tickerq_celery.broker.publisher import CeleryPublisher
from tickerq_celery.clock import SystemClock
from tickerq_celery.cron.seeding import seed
from tickerq_celery.errors import ConfigError
from tickerq_celery.functions.definition import Function, check_name, make_function
from tickerq_celery.functions.registry import Registry
from tickerq_celery.functions.ticker_function import TickerFunction
from tickerq_celery.managers.cron_tickers import CronTickerManager
from tickerq_celery.managers.managers import Managers
from tickerq_celery.managers.pauses import PauseManager
from tickerq_celery.managers.runs import RunManager
from tickerq_celery.managers.time_tickers import TimeTickerManager
from tickerq_celery.runs.claimer import Claimer
from tickerq_celery.runs.dispatcher import Dispatcher
from tickerq_celery.runs.immediate import ImmediateDispatch
from tickerq_celery.runs.recorder import Recorder
from tickerq_celery.runtime.config import TickerConfig
from tickerq_celery.runtime.core import Core, new_identity, of_this_process
from tickerq_celery.runtime.urls import shown_broker, shown_store
from tickerq_celery.settings import is_finalised, maybe_unwrapped
from tickerq_celery.store.database import schema
from tickerq_celery.store.database.database import Database, resolved_url
from tickerq_celery.task import Collaborators, drop_unaddressed, task_options
from tickerq_celery.wiring import Wired
from tickerq_celery.worker.cancellation import Bell
from tickerq_celery.worker.exception_handler import HandlerCaller, TickerExceptionHandler, resolved_handler
from tickerq_celery.worker.reporting import Reporting
from tickerq_celery.worker.step import NodeStep

logger = logging.getLogger(__name__)
# How many seconds an `add` may wait for a broker.
_ADD_TIMEOUT = 1.0
# Twice in a cancel: to connect, and for an answer.
_TELL_TIMEOUT = 0.5


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
        app: Celery,
        store_url: str | None = None,
        *,
        exception_handler: TickerExceptionHandler | type | str | None = None,
        embedded: bool = False,
        **settings_: Any,
    ) -> None:
        settings.check_names(settings_)
        if TickerQ.known(app) is not None:
            raise ConfigError("app", "this Celery app has a TickerQ already")
        self.app = app
        self.registry = Registry()
        self._keywords = settings_ if store_url is None else {**settings_, "store_url": store_url}
        if embedded:
            self._keywords["embedded"] = True
        self._exception_handler = exception_handler
        self._core: Core | None = None
        self._wiring = threading.RLock()
        TickerQ._of_app[app] = ref(self)
        transport.register()
        check.watch(app)
        app.add_defaults(self._celery_defaults)
        app.on_after_finalize.connect(self._on_finalized, weak=False)
        app.steps["worker"].add(type("TickerQNode", (NodeStep,), {"wired": self._wired}))

    @classmethod
    def of(cls, app: Celery) -> "TickerQ":
        """Return the TickerQ of an app.

        Raises:
            ConfigError: It has none.
        """
        found = cls.known(app)
        if found is None:
            raise ConfigError(
                "app", f"{app.main or 'this Celery app'} has no TickerQ: make one, TickerQ(app)"
            )
        return found

    @classmethod
    def known(cls, app: Celery) -> "TickerQ | None":
        """Return the TickerQ of an app, or None."""
        found = cls._of_app.get(maybe_unwrapped(app))
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
    def store_url(self) -> str:
        """The store's URL; a SQLite path is absolute, a password is shown."""
        return self.core.database.url.render_as_string(hide_password=False)

    @property
    def places(self) -> str:
        """Where the store and the broker are, in one line without passwords."""
        broker = self.app.conf.broker_write_url
        shown = shown_broker(broker) if broker else "Celery's default"
        return f"store {shown_store(self.core.database.url)}, broker {shown}"

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
        """Runs of both kinds: get, find, count, retry."""
        return self._managers.runs

    @property
    def pauses(self) -> PauseManager:
        """Pauses of a function, of a tag, or of everything."""
        return self._managers.pauses

    @property
    def core(self) -> Core:
        """What the parts share."""
        if not is_finalised(self.app):
            self.app.finalize(auto=True)
        with self._wiring:
            if self._core is None:
                self._core = self._make_core()
                logger.info("tickers: %s", self.places)
            return self._core

    def function(
        self, name: str | None = None, **options: Any
    ) -> Callable[[Callable[..., Any]], TickerFunction]:
        """Register the decorated function with this TickerQ; the options are those of ``ticker_function``.

        Raises:
            TickerValidationError: The function, or an option, cannot be used.
            DuplicateFunctionError: Another function has this name.
        """
        check_name(name)

        def register(body: Callable[..., Any]) -> TickerFunction:
            function = make_function(body, name, **options)
            self.register(function)
            return TickerFunction(function, lambda: self.time_tickers)

        return register

    def register(self, function: Function) -> None:
        """Make a function known, with a Celery task of its own."""
        function = settings.with_cron_setting(self.app, function)
        if self.registry.get(function.name) is function:
            return
        self.registry.add(function)
        collaborators = Collaborators(
            function=function,
            core=self._wired.core,
            bell=self._wired.bell,
            recorder=self._wired.recorder,
            handler=self._wired.handler,
            reporting=lambda: self._reporting,
        )
        self.app.task(**task_options(collaborators))(drop_unaddressed)

    def create_schema(self) -> None:
        """Make or migrate the store's tables.

        Raises:
            StoreError: The database is away.
            SchemaError: The store is too new for this version.
        """
        schema.migrate(self.core.database, self.core.clock)

    def seed(self) -> None:
        """Store the cron tickers that this process's functions define; workers do so when they start."""
        seed(self.core)

    def close(self) -> None:
        """Close this process's connections to the store and the broker."""
        self.core.database.close()
        self._publisher.close()
        self._messenger.close()

    @cached_property
    def _wired(self) -> Wired:
        return Wired(
            core=lambda: self.core,
            own_core=self._own_core,
            recorder=lambda: self._recorder,
            handler=lambda: self._handler,
            bell=cache(Bell),
        )

    @cached_property
    def _config(self) -> TickerConfig:
        return settings.read_config(self.app, self._keywords)

    def _make_core(self) -> Core:
        config = self._config
        self.registry.change(lambda function: settings.with_cron_setting(self.app, function))
        url = resolved_url(config.store_url, Path.cwd())
        # A handler that cannot be used is an error of the configuration, not of the first failed run.
        self._handler  # noqa: B018
        return Core(
            config=config,
            clock=SystemClock(),
            database=Database(url, options=config.store_engine_options, retries=config.store_retries),
            registry=self.registry,
            node=new_identity(config.node_identifier),
        )

    def _own_core(self) -> Core:
        core = of_this_process(self.core)
        if core is not self._core:
            self._core = core
            for part in ("_recorder", "_reporting", "_dispatcher", "_managers"):
                vars(self).pop(part, None)
        return core

    @cached_property
    def _recorder(self) -> Recorder:
        return Recorder(self.core, dispatch=self._managers.immediate.dispatch)

    @cached_property
    def _reporting(self) -> Reporting:
        return Reporting(self.core)

    @cached_property
    def _handler(self) -> HandlerCaller:
        return HandlerCaller(resolved_handler(self._exception_handler))

    @cached_property
    def _publisher(self) -> CeleryPublisher:
        return CeleryPublisher(self.app, self.core.codec, connect_timeout=_ADD_TIMEOUT)

    @cached_property
    def _messenger(self) -> CeleryPublisher:
        return CeleryPublisher(self.app, self.core.codec, connect_timeout=_TELL_TIMEOUT)

    @cached_property
    def _dispatcher(self) -> Dispatcher:
        return Dispatcher(self.core, Claimer(self.core), self._publisher)

    @cached_property
    def _managers(self) -> Managers:
        immediate = ImmediateDispatch(self.core, lambda: self._dispatcher)
        return Managers(self.core, immediate, lambda: self._messenger)

    def _celery_defaults(self) -> dict[str, Any]:
        try:
            return settings.celery_defaults(self.app, self._config)
        except ConfigError:
            # Raised again by what uses the settings first, in one line: here Celery would bury it.
            return {"beat_scheduler": settings.SCHEDULER}

    def _on_finalized(self, **_: Any) -> None:
        self.app.task(name=LOST_TASK, shared=False, ignore_result=True, serializer="json")(self._lost_attempt)

    def _lost_attempt(self, *message: Any) -> None:
        """Call the user's exception handler for an attempt whose own process could not."""
        self._handler.lost(*message)
