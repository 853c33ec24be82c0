"""Fixtures for all tests: time, databases, brokers."""

import gc
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest
from hypothesis import settings

from tests.acceptance.warm import WarmServer
from tests.compiled_statements import share_compiled_statements
from tests.files_in_memory import keep_files_in_memory
from tests.imports import import_own_part_first
from tests.manual_clock import ManualClock
from tests.order import mixed
from tests.run_mark import begin_run
from tests.seconds import pytest_configure
from tests.servers.availability import (
    pytest_sessionfinish,
    pytest_terminal_summary,
    pytest_testnodedown,
    require,
)
from tests.servers.finding import program
from tests.servers.pool import ServerPool, SharedServer, new_server
from tests.servers.proxy import TcpProxy
from tests.servers.schema_template import make_schema
from tests.servers.server import Server
from tests.servers.shared_rows import empty_when_full
from tests.thoroughness import choose, examples, select
from tickerq_celery.managers import facade
from tickerq_celery.runtime import core
from tickerq_celery.runtime.config import TickerConfig
from tickerq_celery.runtime.reader import Reader
from tickerq_celery.store.database.database import Database

__all__ = ["pytest_configure", "pytest_sessionfinish", "pytest_terminal_summary", "pytest_testnodedown"]

DATABASES = ("sqlite", "postgres", "mariadb")
BROKERS = ("fs", "redis", "rabbitmq")

_PATIENCE = timedelta(seconds=60)

settings.register_profile("tests", examples(100))
settings.load_profile("tests")
share_compiled_statements()


def pytest_cmdline_main(config: pytest.Config) -> None:
    """Begin the run, in the process that all others work for."""
    if not hasattr(config, "workerinput"):
        keep_files_in_memory()
        begin_run()


@pytest.hookimpl(wrapper=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> Iterator[None]:
    """Leave out of each test's cases what is for a longer run."""
    yield
    choose(metafunc)


@pytest.hookimpl(tryfirst=True)  # pytest's own reads the marks
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is for a longer run; where processes share the files, mix the long ones in."""
    select(config, items)
    if hasattr(config, "workerinput"):
        items[:] = mixed(items)


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """Divide among the processes what pytest does once for each file, and collect no garbage meanwhile."""
    gc.disable()
    import_own_part_first(session.config)


def pytest_collection_finish() -> None:
    """Spare the garbage collector what lives as long as the process: all modules and the tests."""
    gc.enable()
    # Uncollected: to go once through a million objects takes longer than their garbage is worth.
    gc.freeze()


@pytest.fixture
def clock() -> ManualClock:
    """A clock that does not move until ``clock.advance(minutes=5)``."""
    return ManualClock()


@pytest.fixture(autouse=True, scope="session")
def _patient_reads() -> Iterator[None]:
    """Let reads of no other budget, and pages that share it, take as long as a busy machine needs."""
    unset = TickerConfig().read_budget
    sharing = facade.sharing

    def patient(database: Database, *, connections: int, budget: timedelta) -> Reader:
        longer = _PATIENCE if budget == unset else budget
        return Reader(database, connections=connections, budget=longer)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(core, "Reader", patient)
        patch.setattr(
            facade, "sharing", lambda limit: sharing(limit if limit < unset else max(limit, _PATIENCE))
        )
        yield


@pytest.fixture
def namespace() -> str:
    """A namespace that no other test uses: it keeps tests apart that share a database."""
    return f"test-{uuid.uuid4().hex[:12]}"


@pytest.fixture(scope="session")
def shared_server(
    pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], SharedServer]:
    """Return the run's server of a kind ("postgres", "redis", …); the test is skipped where it is missing."""
    own = tmp_path_factory.getbasetemp()
    pool = ServerPool(own.parent if hasattr(pytestconfig, "workerinput") else own)
    # It waits for the other processes, which is no time of any test's.
    pytestconfig.add_cleanup(pool.close)

    def shared(kind: str) -> SharedServer:
        require(pytestconfig, kind)
        return pool.shared(kind)

    return shared


@pytest.fixture
def start_server(pytestconfig: pytest.Config) -> Iterator[Callable[[str], Server]]:
    """Start a server for this test alone, which may stop, kill and restart it."""
    with ExitStack() as stack:

        def start(kind: str) -> Server:
            require(pytestconfig, kind)
            return stack.enter_context(new_server(kind))

        yield start


@pytest.fixture(scope="session")
def schema_url(
    shared_server: Callable[[str], SharedServer], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], str]:
    """Return the address of the run's one database of a kind that has the schema."""

    @cache
    def with_schema(kind: str) -> str:
        if kind == "sqlite":
            url = f"sqlite:///{tmp_path_factory.mktemp('schema')}/tickers.db"
        else:
            url = shared_server(kind).new_database()
        make_schema(url)
        return url

    return with_schema


@pytest.fixture(params=DATABASES)
def store_url(
    request: pytest.FixtureRequest, schema_url: Callable[[str], str], tmp_path: Path
) -> Iterator[str]:
    """A database with the schema, on each kind; a server's is shared, and ``namespace`` keeps tests apart."""
    template = schema_url(request.param)
    if request.param != "sqlite":
        yield template
        empty_when_full(template)
        return
    own = tmp_path / "tickers.db"
    shutil.copyfile(template.removeprefix("sqlite:///"), own)
    yield f"sqlite:///{own}"


@pytest.fixture
def proxy(store_url: str) -> Iterator[TcpProxy]:
    """A proxy before the database."""
    with TcpProxy(store_url) as made:
        yield made


@pytest.fixture(params=DATABASES)
def empty_database_url(
    request: pytest.FixtureRequest, shared_server: Callable[[str], SharedServer], tmp_path: Path
) -> Iterator[str]:
    """A database without any table, of this test alone, on each kind."""
    if request.param == "sqlite":
        path = tmp_path / "empty.db"
        path.touch()
        yield f"sqlite:///{path}"
        return
    server = shared_server(request.param)
    url = server.new_database()
    yield url
    server.drop_database(url)


@pytest.fixture(params=BROKERS)
def broker_url(
    request: pytest.FixtureRequest, shared_server: Callable[[str], SharedServer], tmp_path: Path
) -> Iterator[str]:
    """A broker without any message, on each kind, whose folder, database or virtual host is this test's."""
    if request.param == "fs":
        from tickerq_celery.broker.embedded import transport

        yield transport.broker_url(tmp_path / "broker")
        return
    server = shared_server(request.param)
    url = server.new_database()
    yield url
    server.drop_database(url)


@pytest.fixture(scope="session")
def warm_server() -> Iterator[WarmServer]:
    """What starts Celery's processes in little time."""
    with closing(WarmServer()) as server:
        yield server


@pytest.fixture(scope="session")
def chromium(pytestconfig: pytest.Config) -> str:
    """The path of the machine's Chromium; the test is skipped where it is missing."""
    require(pytestconfig, "chromium")
    return program("chromium")
