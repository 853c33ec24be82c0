"""Pages of a store in which another session has locked tables: each ends, and additions go on.

Neither an addition nor a page waits for the lock, which is held until all have ended.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from tests.dashboard.access.users import SECRET, as_role, by_role
from tests.dashboard.conftest import BASE, LOOK
from tests.dashboard.seeds import settle
from tests.inner import core
from tests.integration.apps import enrol_worker, ticker_app
from tickerq_celery import CronTicker, TickerQ, TimeTicker
from tickerq_celery.runtime.reader import Reader
from tickerq_dashboard import create_app
from tickerq_dashboard.health import HealthWatch

READERS_OF_A_PAGE, ADDITIONS = 3, 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Visited:
    """How a page answered."""

    path: str
    status: int
    text: str


@pytest.fixture(autouse=True)
def unchanged_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the time of reads and of the banner as it is in production: it is what is tested here."""
    monkeypatch.setattr(core, "Reader", Reader)
    monkeypatch.setattr(HealthWatch, "look", LOOK)


@pytest.fixture
def tickerq(store_url: str, namespace: str) -> Iterator[TickerQ]:
    with ticker_app(store_url, namespace) as made:
        made.function("Send")(lambda context: None)
        enrol_worker(made)
        yield made
        settle()


@pytest.fixture
def app(tickerq: TickerQ) -> Flask:
    return create_app(tickerq, auth=by_role, secret=SECRET)


def visit(app: Flask, path: str) -> Visited:
    answer = app.test_client().get(BASE + path, headers=as_role("admin"))
    return Visited(path=path, status=answer.status_code, text=answer.text)


@contextmanager
def locked(url: str, tables: str) -> Iterator[None]:
    """Lock tables in another session, as a migration by an administrator does."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        connection.execute(text(f"LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE"))
        try:
            yield
        finally:
            connection.rollback()


def warm_up(tickerq: TickerQ, paths: list[str]) -> None:
    """Have all imported and compiled, by another dashboard: each keeps its answers for a moment."""
    other = create_app(tickerq, auth=by_role, secret=SECRET)
    for path in paths:
        visit(other, path)
    settle()


def visited_while_adding(app: Flask, paths: list[str], add: Callable[[], object]) -> list[Visited]:
    """Visit pages by several readers at once, and add before the last of them has been answered."""
    asked = [path for path in paths for _ in range(READERS_OF_A_PAGE)]
    add()
    with ThreadPoolExecutor(len(asked)) as threads:
        pages = [threads.submit(visit, app, path) for path in asked]
        for _ in range(ADDITIONS):
            add()
        assert not all(page.done() for page in pages)
    return [page.result() for page in pages]


@pytest.mark.verify
@pytest.mark.parametrize("store_url", ["postgres"], indirect=True)
def test_each_page_ends_in_time_while_the_runs_are_locked(
    app: Flask, tickerq: TickerQ, store_url: str
) -> None:
    cron = CronTicker(function="Send", expression="0 0 1 1 *")
    run = tickerq.time_tickers.add(_later())
    paths = ["/", "/runs", "/find?q=send", f"/runs/{run.id}"]
    warm_up(tickerq, paths)
    with locked(store_url, "tickerq_tickers"):
        found = visited_while_adding(app, paths, lambda: tickerq.cron_tickers.add(cron))
    by_path = {path: {each.status for each in found if each.path == path} for path in paths}
    # Find then finds nothing, and leads to the list that has it.
    assert by_path == {"/": {200}, "/runs": {503}, "/find?q=send": {302}, f"/runs/{run.id}": {503}}
    assert all("too much to read" in each.text for each in found if each.path == "/")


@pytest.mark.verify
@pytest.mark.parametrize("store_url", ["postgres"], indirect=True)
def test_a_run_s_page_ends_in_time_while_attempts_are_locked_and_runs_are_added(
    app: Flask, tickerq: TickerQ, store_url: str
) -> None:
    run = tickerq.time_tickers.add(_later())
    paths = [f"/runs/{run.id}"]
    warm_up(tickerq, paths)
    with locked(store_url, "tickerq_attempts"):
        found = visited_while_adding(app, paths, lambda: tickerq.time_tickers.add(_later()))
    assert {each.status for each in found} == {503}


def _later() -> TimeTicker:
    return TimeTicker(function="Send", execution_time=datetime.now(UTC) + timedelta(days=1))
