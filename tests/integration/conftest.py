"""Fixtures for tests on a real store: its parts wired by hand, on a clock that stands still."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.manual_clock import ManualClock
from tickerq_celery.config import TickerConfig
from tickerq_celery.core import Core, new_identity
from tickerq_celery.registry import Function, Registry, make_function
from tickerq_celery.store.engine import Database, resolved_url


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


def send(name: str = "Send", **options: Any) -> Function:
    """Return a function that does nothing."""
    return make_function(lambda context: None, name, **options)
