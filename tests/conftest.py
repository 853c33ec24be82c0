"""Fixtures for all tests: time, databases, brokers."""

import gc
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.acceptance.warm import WarmServer
from tests.manual_clock import ManualClock
from tests.servers.availability import (
    pytest_sessionfinish,
    pytest_terminal_summary,
    pytest_testnodedown,
    require,
)
from tests.servers.finding import program
from tests.servers.pool import ServerPool, SharedServer, new_server
from tests.servers.schema_template import make_schema
from tests.servers.server import Server
from tests.thoroughness import select

__all__ = ["pytest_sessionfinish", "pytest_terminal_summary", "pytest_testnodedown"]

DATABASES = ("sqlite", "postgres", "mariadb")
BROKERS = ("fs", "redis", "rabbitmq")
# Their files take up to minutes each, those of the others seconds; none is to be left at the end.
LONG = ("stateful", "acceptance", "compat", "windows")

# How long an example takes depends on what else the machine does.
settings.register_profile("tests", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")


@pytest.hookimpl(tryfirst=True)  # pytest's own reads the marks
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is for a longer run; where processes share the files, begin with the long ones."""
    select(config, items)
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: item.path.parent.name not in LONG)


def pytest_collection_finish() -> None:
    """Spare the garbage collector what lives as long as the process: all modules and the tests."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def clock() -> ManualClock:
    """A clock that does not move until ``clock.advance(minutes=5)``."""
    return ManualClock()


@pytest.fixture
def namespace() -> str:
    """A namespace that no other test uses: it keeps tests apart that share a database."""
    return f"test-{uuid.uuid4().hex[:12]}"


@pytest.fixture(scope="session")
def shared_server(pytestconfig: pytest.Config) -> Iterator[Callable[[str], SharedServer]]:
    """Return the run's server of a kind ("postgres", "redis", …); the test is skipped where it is missing."""
    pool = ServerPool()

    def shared(kind: str) -> SharedServer:
        require(pytestconfig, kind)
        return pool.shared(kind)

    yield shared
    pool.close()


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
def store_url(request: pytest.FixtureRequest, schema_url: Callable[[str], str], tmp_path: Path) -> str:
    """A database with the schema, on each kind; a server's is shared, and ``namespace`` keeps tests apart."""
    template = schema_url(request.param)
    if request.param != "sqlite":
        return template
    own = tmp_path / "tickers.db"
    shutil.copyfile(template.removeprefix("sqlite:///"), own)
    return f"sqlite:///{own}"


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
