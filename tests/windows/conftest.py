"""Fixtures for the windows: an application with short durations, the trap of the window, servers to stop."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.acceptance.jobs import Jobs
from tests.acceptance.warm import WarmServer
from tests.servers.pool import SharedServer
from tests.servers.server import Server
from tests.windows.outages import FileStore, FolderBroker, Outage
from tests.windows.stage import QUICK
from tests.windows.traps import Trap
from tests.windows.windows import Window


@pytest.fixture
def make_on(tmp_path: Path, namespace: str, warm_server: WarmServer) -> Iterator[Callable[..., Jobs]]:
    """Return an application with a short lease, sweep and poll on the given store and broker."""
    with ExitStack() as stack:

        def make(store_url: str, broker_url: str, **settings: object) -> Jobs:
            urls = {"store_url": store_url, "broker_url": broker_url}
            jobs = Jobs(tmp_path, **urls, namespace=namespace, **{**QUICK, **settings})
            jobs.launch = warm_server.launch
            jobs.tickerq.app.conf.task_default_queue = namespace
            return stack.enter_context(closing(jobs))

        yield make


@pytest.fixture
def make_quick(make_on: Callable[..., Jobs], store_url: str, broker_url: str) -> Callable[..., Jobs]:
    """Return such an application on the window's database and broker."""
    return lambda **settings: make_on(store_url, broker_url, **settings)


@pytest.fixture
def trap(window: Window, tmp_path: Path) -> Trap | None:
    """The trap at the window's crash point, not yet set in any process."""
    if window.point is None:
        return None
    return Trap.at(window.point, window.number, token=tmp_path / "token")


@pytest.fixture(scope="session")
def rabbitmq_url(shared_server: Callable[[str], SharedServer]) -> Iterator[str]:
    """A virtual host that the tests share: each has a queue of its own."""
    server = shared_server("rabbitmq")
    url = server.new_database()
    yield url
    server.drop_database(url)


@pytest.fixture
def broker_url(request: pytest.FixtureRequest) -> str:
    """A broker without any message of this test's queue; another one of RabbitMQ would take seconds."""
    url: str = request.getfixturevalue("rabbitmq_url" if request.param == "rabbitmq" else "broker_url")
    return url


@pytest.fixture
def own_store(
    request: pytest.FixtureRequest, start_server: Callable[[str], Server], tmp_path: Path
) -> Outage:
    """A database of this test alone, which it may stop, and start again with its data."""
    return FileStore(tmp_path / "tickers.db") if request.param == "sqlite" else start_server(request.param)


@pytest.fixture
def own_broker(
    request: pytest.FixtureRequest, start_server: Callable[[str], Server], tmp_path: Path
) -> Outage:
    """A broker of this test alone, which it may stop, and start again."""
    return FolderBroker(tmp_path / "broker") if request.param == "fs" else start_server(request.param)
