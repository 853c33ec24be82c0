"""A database that tests share is emptied once it holds many rows, and not before."""

from collections.abc import Callable

import pytest
from sqlalchemy import func, select

from tests.conftest import DATABASES
from tests.inner import Core, Database
from tests.integration.making import make_runs, time_tickers
from tests.servers import shared_rows
from tests.servers.shared_rows import empty_store, empty_when_full
from tests.tables import tickers
from tickerq_celery import TimeTicker


@pytest.fixture(params=DATABASES)
def store_url(request: pytest.FixtureRequest, lone_store: Callable[[str], str]) -> str:
    """A database of this test alone: what is deleted is of no other."""
    return lone_store(request.param)


def count(database: Database) -> int:
    with database.engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(tickers)) or 0


@pytest.mark.every_database
def test_a_shared_database_is_emptied_when_it_holds_many_rows(
    core: Core, database: Database, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_rows, "_MANY", 3)
    make_runs(core, 2)
    empty_when_full(store_url)
    assert count(database) == 2
    make_runs(core, 1)
    empty_when_full(store_url)
    assert count(database) == 0


@pytest.mark.every_database
def test_a_long_chain_is_deleted_whole(core: Core, database: Database, store_url: str) -> None:
    link = TimeTicker(function="Send")
    for _ in range(30):
        link = TimeTicker(function="Send", children=[link])
    time_tickers(core).add(link, allow_unknown=True)
    assert count(database) == 31
    empty_store(store_url)
    assert count(database) == 0
