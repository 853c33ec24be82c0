"""The pytest plugin of tickerq-celery: the fixture ``tickerq``, and a guard for all other stores.

A package of its own, as pytest imports it in every run of an environment that it is installed in: what the
fixture needs is imported when a test asks for it.
"""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from celery import Celery
    from sqlalchemy import Connection

    from tickerq_celery import TickerQ
    from tickerq_celery.testing import TickerQTest

# Read in every process of the tests, by tickerq_celery/store/database/allowed_stores.py.
VARIABLE = "TICKERQ_ALLOWED_STORES"
_BEFORE = pytest.StashKey[str | None]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of an ini file."""
    parser.addini("tickerq_app", "the Celery app whose TickerQ tests take over, such as shop.celery:app")
    parser.addini("tickerq_store_url", "the test database that the fixture keeps the store in, if any")
    parser.addini(
        "tickerq_allowed_stores",
        "patterns of the names of databases whose store tests may write to without the fixture",
        type="linelist",
        default=[],
    )


@pytest.hookimpl(tryfirst=True)  # a conftest may import the application, and so write
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Refuse tests, and the processes that they start, to write to stores that are not allowed."""
    early_config.stash[_BEFORE] = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = "\n".join(early_config.getini("tickerq_allowed_stores"))


def pytest_unconfigure(config: pytest.Config) -> None:
    """Put the environment back."""
    if _BEFORE not in config.stash:
        return
    before = config.stash[_BEFORE]
    if before is None:
        os.environ.pop(VARIABLE, None)
    else:
        os.environ[VARIABLE] = before


@pytest.fixture
def tickerq_app(pytestconfig: pytest.Config) -> "Celery | TickerQ | str | None":
    """Whose TickerQ is taken over: an app, a TickerQ or a path to either; None is the only one there is."""
    return pytestconfig.getini("tickerq_app") or None


@pytest.fixture
def tickerq_store_url(pytestconfig: pytest.Config) -> str | None:
    """The user's own test database; None keeps the store in a SQLite file of each test's own."""
    return pytestconfig.getini("tickerq_store_url") or None


@pytest.fixture
def tickerq_connection() -> "Connection | None":
    """A connection whose transaction the user rolls back after each test; None uses no such connection."""
    return None


@pytest.fixture
def tickerq(
    tickerq_app: "Celery | TickerQ | str | None",
    tickerq_store_url: str | None,
    tickerq_connection: "Connection | None",
    tmp_path_factory: pytest.TempPathFactory,
) -> "Iterator[TickerQTest]":
    """The application's TickerQ, on a store of this test's own, with a clock and ``run_due``."""
    from tickerq_celery.testing import take_over  # noqa: PLC0415 - not in runs that do not use it

    folder = tmp_path_factory.mktemp("tickerq")
    with take_over(
        tickerq_app, folder=folder, store_url=tickerq_store_url, connection=tickerq_connection
    ) as kit:
        yield kit
