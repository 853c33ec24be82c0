"""Engines of the store, with the session rules of their database."""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.engine import URL
from sqlalchemy.exc import NoSuchModuleError
from sqlalchemy.pool import NullPool

from tickerq_celery.deferred import Deferred
from tickerq_celery.errors import ConfigError
from tickerq_celery.store.database.dialects import DIALECTS, dialect_of

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine
else:
    # A process that has an object of it has imported it.
    AsyncEngine = Deferred("sqlalchemy.ext.asyncio", "AsyncEngine")

_AUTOCOMMIT = "AUTOCOMMIT"
_OPTIONS_OF_A_POOL = {
    "pool",
    "poolclass",
    "pool_size",
    "max_overflow",
    "pool_timeout",
    "pool_recycle",
    "pool_pre_ping",
    "pool_use_lifo",
}


def autocommitting(engine: Engine, url: URL, options: Mapping[str, object], *, pooled: bool = True) -> Engine:
    """Return an engine beside ``engine`` whose every statement is a transaction that commits itself.

    Its connections are its own unless the options name their pool: to switch one to that and back takes a
    driver longer than to send the statement, or takes a round trip.
    """
    if "pool" in options:
        return engine.execution_options(isolation_level=_AUTOCOMMIT)
    own = {"isolation_level": _AUTOCOMMIT, "skip_autocommit_rollback": True}
    made = make_engine(url, {**_with_level_of_all(options), **own}, pooled=pooled)
    given = {*url.query, *_arguments_in(options)}
    dialect_of(url.get_backend_name()).keep_statements(made, given)
    return made


def make_engine(
    url: URL, options: Mapping[str, object], *, pooled: bool = True, is_bounded: bool = True
) -> Engine:
    """Return an engine with the session rules of its database; ``options`` come before ours.

    Unless it ``is_bounded``, its connections wait for answers as long as it takes, whatever the options say.

    Raises:
        ConfigError: The driver is not installed, or an engine option is unknown.
    """
    try:
        bounds = () if is_bounded else dialect_of(url.get_backend_name()).answer_arguments
        settings = _engine_settings(url, options, pooled=pooled, without=bounds)
        engine = create_engine(url.difference_update_query(bounds), **settings)
    except (ImportError, NoSuchModuleError) as error:
        raise ConfigError("store_url", lacking_driver(url, error)) from error
    except TypeError as error:
        raise ConfigError("store_engine_options", str(error)) from error
    prepare_sqlite_engine(engine)
    return engine


def lacking_driver(url: URL, error: Exception) -> str:
    """Return that a URL's driver is not installed, and how to name the one that our extra installs."""
    dialect = DIALECTS.get(url.get_backend_name())
    start = None if dialect is None else dialect.url_start
    advice = (
        "" if start is None or start == f"{url.drivername}://" else f"; to use another one write {start}…"
    )
    return f"the driver for {url.drivername} is not installed: {error}{advice}"


def prepare_sqlite_engine(engine: "Engine | AsyncEngine") -> None:
    """Let a SQLite engine's transactions begin as writers that wait for it; call it before the first use.

    By itself SQLite refuses a transaction that has read and then wants to write while others write. Engines
    of other databases stay as they are.
    """
    inner = engine.sync_engine if isinstance(engine, AsyncEngine) else engine
    dialect = DIALECTS.get(inner.dialect.name)
    if dialect is not None:
        dialect.prepare(inner)


def begin_writing(connection: Connection) -> None:
    """Make a transaction a writer before it reads, where the database needs that.

    Raises:
        OperationalError: Another connection writes, and this one has read already, or waited in vain.
    """
    dialect_of(connection.dialect.name).begin_writing(connection)


def _engine_settings(
    url: URL, options: Mapping[str, object], *, pooled: bool, without: Collection[str]
) -> dict[str, Any]:
    settings = _with_level_of_all(options)
    arguments = _arguments_in(options)
    dialect = dialect_of(url.get_backend_name())
    ours = {name: value for name, value in dialect.connect_args(url).items() if name not in url.query}
    settings["connect_args"] = {
        name: value for name, value in {**ours, **arguments}.items() if name not in without
    }
    if dialect.isolation_level is not None:
        settings.setdefault("isolation_level", dialect.isolation_level)
    if dialect.asks_for_needless_rollbacks and "pool" not in settings:
        # Database ends each of its transactions, or gives up the connection.
        settings.setdefault("pool_reset_on_return", None)
    if not pooled:
        settings = {name: value for name, value in settings.items() if name not in _OPTIONS_OF_A_POOL}
        settings["poolclass"] = NullPool
    return settings


def _arguments_in(options: Mapping[str, object]) -> Mapping[str, object]:
    arguments = options.get("connect_args") or {}
    if not isinstance(arguments, Mapping):
        raise ConfigError("store_engine_options", "connect_args must be a mapping")
    return arguments


def _with_level_of_all(options: Mapping[str, object]) -> dict[str, Any]:
    """Return the same options, with an isolation level as that of all connections.

    As an execution option it would also hold for the engine whose statements commit themselves: in its place.
    """
    settings = dict(options)
    execution = settings.get("execution_options")
    if isinstance(execution, Mapping) and "isolation_level" in execution:
        settings["isolation_level"] = execution["isolation_level"]
        settings["execution_options"] = {
            name: value for name, value in execution.items() if name != "isolation_level"
        }
    return settings
