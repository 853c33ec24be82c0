"""Fixtures for tests on a real store: its parts wired one by one, on a manual clock."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from tests.inner import Core, Database, Function, Registry, make_function, new_identity, resolved_url
from tests.integration.apps import caller_engine, sending_app
from tests.integration.beats import Beat
from tests.integration.making import another_node
from tests.manual_clock import ManualClock
from tests.servers.availability import require
from tests.servers.own_store import own_store
from tests.servers.pool import SharedServer
from tests.servers.redis import RedisServer
from tests.servers.shared_rows import empty_store
from tickerq_celery import TickerQ, wiring
from tickerq_celery.runtime.bounded_writes import BoundedWrites
from tickerq_celery.views import TickerConfig


@pytest.fixture(autouse=True)
def _patient_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let calls that are kept wait for the store as long as a busy machine needs; a test may undo that."""
    patient = timedelta(seconds=30)
    monkeypatch.setattr(
        wiring, "BoundedWrites", lambda core, limit, **_: BoundedWrites(core, patient, connect_limit=patient)
    )


@pytest.fixture(scope="session")
def own_url(
    shared_server: Callable[[str], SharedServer], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], str]]:
    """Return the address of this process's database of a kind, which has the schema."""
    with ExitStack() as stack:

        @cache
        def of(kind: str) -> str:
            return stack.enter_context(own_store(kind, shared_server, tmp_path_factory.mktemp("own")))

        yield of


@pytest.fixture(scope="module")
def redis(pytestconfig: pytest.Config) -> Iterator[RedisServer]:
    """A Redis of a module's own, whose settings its tests may change."""
    require(pytestconfig, "redis")
    with RedisServer() as server:
        yield server


@pytest.fixture
def other(database: Database) -> Iterator[Database]:
    """The same store as another process has it open."""
    opened = Database(database.url)
    yield opened
    opened.close()


@pytest.fixture
def lone_store(own_url: Callable[[str], str]) -> Iterator[Callable[[str], str]]:
    """Return the address of a database of a kind that has no rows but the test's, and none after it."""
    used: list[str] = []

    def of(kind: str) -> str:
        used.append(own_url(kind))
        return used[-1]

    yield of
    for url in used:
        empty_store(url)


@pytest.fixture
def database(store_url: str) -> Iterator[Database]:
    """The store, on each kind of database."""
    opened = Database(resolved_url(store_url, Path.cwd()))
    yield opened
    opened.close()


@pytest.fixture
def make_core(database: Database, clock: ManualClock, namespace: str) -> Iterator[Callable[..., Core]]:
    """Return a core whose settings are overridden by keywords; ``functions`` are registered in it."""
    made: list[Core] = []

    def make(*functions: Function, **settings: Any) -> Core:
        registry = Registry()
        for function in functions:
            registry.add(function)
        core = Core(
            config=TickerConfig(**{"namespace": namespace, **settings}),
            clock=clock,
            database=database,
            registry=registry,
            node=new_identity("test"),
        )
        made.append(core)
        return core

    yield make
    for core in made:
        core.close()


@pytest.fixture
def core(make_core: Callable[..., Core]) -> Core:
    """A core with one function, ``Send``, that any request fits."""
    return make_core(send())


@pytest.fixture
def tickerq(store_url: str, namespace: str, clock: ManualClock) -> Iterator[TickerQ]:
    """An app with one function, ``Send``, that a live worker has."""
    with sending_app(store_url, namespace, clock) as made:
        yield made


@pytest.fixture
def engine(store_url: str) -> Iterator[Engine]:
    """The caller's own engine on the store's database."""
    made = caller_engine(store_url)
    yield made
    made.dispose()


@pytest.fixture
def beat(core: Core) -> Beat:
    """Another process than the core's, which a test lets dispatch and sweep."""
    return Beat(another_node(core))


def send(name: str = "Send", **options: Any) -> Function:
    """Return a function that does nothing."""
    return make_function(lambda context: None, name, **options)
