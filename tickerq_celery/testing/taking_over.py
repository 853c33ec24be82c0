"""Take over an application's TickerQ for one test, and give it back."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import ModuleType

from celery import Celery
from celery.app.utils import find_app
from celery.utils.imports import import_from_cwd, symbol_by_name
from sqlalchemy import Connection

from tickerq_celery.errors import ConfigError
from tickerq_celery.extension import TickerQ
from tickerq_celery.runtime.core import Core, new_identity
from tickerq_celery.store.database.database import Database
from tickerq_celery.testing import stores
from tickerq_celery.testing.clock import MovableClock
from tickerq_celery.testing.in_process import InProcessParts
from tickerq_celery.testing.kit import TickerQTest
from tickerq_celery.wiring import Parts
from tickerq_celery.wording import cause_of, shortened

_NAME_IT = 'name it in pytest\'s option tickerq_app, such as "shop.celery:app", or override the fixture'


@contextmanager
def take_over(
    app: Celery | TickerQ | str | None,
    *,
    folder: Path | str,
    store_url: str | None = None,
    connection: Connection | None = None,
) -> Iterator[TickerQTest]:
    """Let an application's TickerQ work on a store of the test's, and in this process, for the block.

    Args:
        app: The Celery app, its TickerQ, or a dotted path to either; None is the only one of this process.
        folder: Where the store is, a SQLite file, unless one of the next two says otherwise.
        store_url: The user's own test database. The test gets a namespace of its own there, which is
            removed after it.
        connection: A connection on the user's own test database, in a transaction that the user rolls back.

    Raises:
        ConfigError: There is no such app, it has no TickerQ, or its settings cannot be used.
        StoreError: The user's test database cannot be reached.
    """
    own = tickerq_of(app)
    own.app.loader.import_default_modules()
    clock = MovableClock()
    database = _database(own, folder, store_url, connection)
    core = replace(own.core, clock=clock, node=new_identity("test"), database=database)
    is_shared = store_url is not None and connection is None
    if is_shared:
        core = stores.with_own_namespace(core)
    made: list[InProcessParts] = []

    def in_process(parts: Parts) -> Parts:
        made.append(InProcessParts(parts.app, core, parts.handler.reading(core)))
        return made[0]

    # The user's own object: what code under test has of it must lead here, and nowhere else.
    with own._process.replaced(in_process):  # noqa: SLF001
        try:
            yield TickerQTest(own, made[0], clock)
        finally:
            _end(core, is_shared=is_shared)


def tickerq_of(app: object) -> TickerQ:
    """Return the TickerQ that a test names.

    Raises:
        ConfigError: There is none, or several and none is named.
    """
    if isinstance(app, str):
        app = _imported(app)
    if isinstance(app, TickerQ):
        return app
    if isinstance(app, Celery):
        return TickerQ.of(app)
    if app is not None:
        raise ConfigError("tickerq_app", f"pass a Celery app, a TickerQ or a path (got {shortened(app)})")
    living = TickerQ.living()
    if len(living) != 1:
        names = ", ".join(sorted(each.app.main or "an unnamed app" for each in living))
        found = (
            f"several apps with a TickerQ are imported ({names})"
            if living
            else "no app with a TickerQ is imported"
        )
        raise ConfigError("tickerq_app", f"{found}: {_NAME_IT}")
    return living[0]


def _imported(path: str) -> object:
    try:
        # As `celery -A` does: also where the current folder is not on the path.
        found: object = symbol_by_name(path, imp=import_from_cwd)
        return find_app(path) if isinstance(found, ModuleType) else found
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError("tickerq_app", f"cannot import {path!r}: {cause_of(error)}") from error


def _database(own: TickerQ, folder: object, store_url: str | None, connection: Connection | None) -> Database:
    config = own.config
    if connection is not None:
        return stores.joined_store(connection)
    if store_url is not None:
        return stores.users_store(store_url, config.store_engine_options, retries=config.store_retries)
    # Options of the real store may be ones that SQLite's driver does not take.
    if not isinstance(folder, Path | str):
        raise ConfigError("folder", f"pass the path of a folder, such as tmp_path (got {shortened(folder)})")
    if not Path(folder).is_dir():
        raise ConfigError("folder", f"there is no folder {folder}: make it first, or pass tmp_path")
    return stores.file_store(Path(folder), retries=config.store_retries)


def _end(core: Core, *, is_shared: bool) -> None:
    try:
        if is_shared:
            stores.remove_namespace(core)
    finally:
        core.close()
