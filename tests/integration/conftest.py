"""Fixtures for tests on a real store: its parts wired one by one, on a manual clock."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from tests.integration.apps import caller_engine, enrol_worker, ticker_app
from tests.integration.beats import Beat
from tests.integration.making import another_node
from tests.manual_clock import ManualClock
from tickerq_celery import TickerQ, wiring
from tickerq_celery.functions.definition import Function, make_function
from tickerq_celery.functions.registry import Registry
from tickerq_celery.runtime.config import TickerConfig
from tickerq_celery.runtime.core import Core, new_identity
from tickerq_celery.store.database.database import Database, resolved_url


@pytest.fixture(autouse=True)
def patient_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let calls that are kept wait for the store as long as a busy machine needs."""
    monkeypatch.setattr(wiring, "_KEEP_TIMEOUT", timedelta(seconds=30))


@pytest.fixture
def database(store_url: str) -> Iterator[Database]:
    """The store, on each kind of database."""
    opened = Database(resolved_url(store_url, Path.cwd()))
    yield opened
    opened.close()


@pytest.fixture
def make_core(database: Database, clock: ManualClock, namespace: str) -> Callable[..., Core]:
    """Return a core whose settings are overridden by keywords; ``functions`` are registered in it."""

    def make(*functions: Function, **settings: Any) -> Core:
        registry = Registry()
        for function in functions:
            registry.add(function)
        return Core(
            config=TickerConfig(**{"namespace": namespace, **settings}),
            clock=clock,
            database=database,
            registry=registry,
            node=new_identity("test"),
        )

    return make


@pytest.fixture
def core(make_core: Callable[..., Core]) -> Core:
    """A core with one function, ``Send``, that any request fits."""
    return make_core(send())


@pytest.fixture
def tickerq(store_url: str, namespace: str, clock: ManualClock) -> Iterator[TickerQ]:
    """An app with one function, ``Send``, that a live worker has."""
    with ticker_app(store_url, namespace, clock) as made:
        made.function("Send")(lambda context: None)
        enrol_worker(made)
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
