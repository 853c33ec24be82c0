"""The kit in the user's own test database, by its address or in a transaction that is rolled back."""

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import create_engine, func, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session, sessionmaker

from tests.inner import Transaction
from tests.integration.apps import caller_engine
from tests.kit.users_connections import rolled_back
from tests.tables import metadata, tickers
from tickerq_celery import TickerContext, TickerQ, TickerStatus, TimeTicker
from tickerq_celery.errors import (
    DuplicateTickerError,
    OtherDatabaseError,
    SchemaError,
    TickerValidationError,
)
from tickerq_celery.functions.ticker_function import TickerFunction
from tickerq_celery.testing import TickerQTest, create_schema, take_over


@pytest.fixture
def greet(shop: TickerQ) -> TickerFunction:
    @shop.function("Greet")
    def greet(context: TickerContext[str]) -> None: ...

    return greet


def left_in(store_url: str, namespace: str) -> int:
    """Return how many rows of an application are in a database, those of its tests included."""
    engine = create_engine(store_url)
    with engine.connect() as connection:
        found = sum(
            connection.scalars(
                select(func.count()).select_from(table).where(table.c.namespace.startswith(namespace))
            ).one()
            for table in metadata.sorted_tables
            if "namespace" in table.columns
        )
    engine.dispose()
    return found


@pytest.mark.every_database
def test_in_the_users_database_a_ticker_commits_with_the_users_session_and_is_removed_after_the_test(
    store_url: str, shop: TickerQ, greet: TickerFunction, namespace: str, tmp_path: Path
) -> None:
    engine = caller_engine(store_url)
    with take_over(shop, folder=tmp_path, store_url=store_url) as tickerq:
        with Session(engine) as session:
            greet.schedule("Ada", session=session)
            session.commit()
            greet.schedule("Bob", session=session)
            session.rollback()
        greet.schedule("Eve", children=[TimeTicker(function="Greet", request="Eve's")])
        assert [run.request for run in tickerq.run_due()] == ["Ada", "Eve", "Eve's"]
        assert left_in(store_url, namespace) > 0
        with take_over(shop, folder=tmp_path, store_url=store_url) as another:
            assert another.runs.count() == 0
    assert left_in(store_url, namespace) == 0
    engine.dispose()


@pytest.mark.every_database
def test_in_a_transaction_of_the_user_everything_is_seen_runs_and_is_rolled_back(
    store_url: str, shop: TickerQ, namespace: str, tmp_path: Path
) -> None:
    with rolled_back(store_url) as connection:
        connection.execute(text("CREATE TEMPORARY TABLE greeted (name VARCHAR(20))"))
        make_session = sessionmaker(connection, join_transaction_mode="create_savepoint")

        @shop.function("Greet", retries=1, retry_intervals=[60])
        def greet(context: TickerContext[str]) -> None:
            with make_session() as session, session.begin():
                session.execute(text("INSERT INTO greeted VALUES (:name)"), {"name": context.request})
                context.complete_in(session)
                if context.retry_count == 0:
                    raise ConnectionError("no server")

        with take_over(shop, folder=tmp_path, connection=connection) as tickerq:
            with make_session() as session:
                greet.schedule("Ada", session=session)
                session.commit()
                greet.schedule("Bob", session=session)
                session.rollback()
            greet.schedule("Eve", delay=30)
            assert [run.request for run in tickerq.assert_scheduled(greet)] == ["Ada", "Eve"]
            tickerq.clock.advance(minutes=5)
            runs = tickerq.run_due()
            assert [(run.request, run.status) for run in runs] == [
                ("Ada", TickerStatus.DONE),
                ("Eve", TickerStatus.DONE),
            ]
            # What the failed attempts wrote was rolled back with them, and nothing else was.
            assert connection.scalars(text("SELECT name FROM greeted")).all() == ["Ada", "Eve"]
            assert connection.in_transaction()
    assert left_in(store_url, namespace) == 0


def test_a_session_that_joins_without_savepoints_works_as_well(
    store_url: str, shop: TickerQ, greet: TickerFunction, tmp_path: Path
) -> None:
    with rolled_back(store_url) as connection, take_over(shop, folder=tmp_path, connection=connection) as kit:
        with Session(connection) as session:
            greet.schedule("Ada", session=session)
            session.commit()
        assert [run.status for run in kit.run_due()] == [TickerStatus.DONE]


@pytest.mark.row_locks  # on SQLite the second connection waits for the first
def test_a_session_on_another_connection_is_refused_as_what_it_writes_would_stay(
    store_url: str, shop: TickerQ, greet: TickerFunction, tmp_path: Path
) -> None:
    with rolled_back(store_url) as connection, take_over(shop, folder=tmp_path, connection=connection):
        other = Session(connection.engine)
        with other, other.begin(), pytest.raises(TickerValidationError, match="than tickerq_connection"):
            greet.schedule("Ada", session=other)


@pytest.mark.every_database
def test_what_is_refused_leaves_nothing_and_the_transaction_goes_on(
    store_url: str, shop: TickerQ, greet: TickerFunction, tmp_path: Path
) -> None:
    with rolled_back(store_url) as connection, take_over(shop, folder=tmp_path, connection=connection) as kit:
        ada = TimeTicker(function="Greet", request="Ada")
        kit.time_tickers.add(replace(ada, unique_key="a"))
        chain = replace(ada, unique_key="b", children=[replace(ada, unique_key="a")])
        with pytest.raises(DuplicateTickerError):
            kit.time_tickers.add(chain)
        with pytest.raises(ZeroDivisionError):
            kit.own.core.write(_half)
        assert [run.unique_key for run in kit.runs.find()] == ["a"]


def _half(tx: Transaction) -> None:
    tx.execute(tickers.update().values(unique_key="half"))
    raise ZeroDivisionError


def test_an_eager_app_runs_what_the_users_session_has_committed(
    store_url: str, shop: TickerQ, greet: TickerFunction, tmp_path: Path
) -> None:
    shop.app.conf.task_always_eager = True
    with rolled_back(store_url) as connection, take_over(shop, folder=tmp_path, connection=connection) as kit:
        with Session(connection, join_transaction_mode="create_savepoint") as session:
            run = greet.schedule("Ada", session=session)
            assert kit.runs.get(run.id).status is TickerStatus.IDLE
            session.commit()
        assert kit.runs.get(run.id).status is TickerStatus.DONE


def test_tables_that_are_missing_are_made_before_a_transaction_begins(
    empty_database_url: str, shop: TickerQ, greet: TickerFunction, tmp_path: Path
) -> None:
    with (
        rolled_back(empty_database_url) as connection,
        pytest.raises(SchemaError, match=r"call tickerq_celery\.testing\.create_schema\(engine\.url\)"),
        take_over(shop, folder=tmp_path, connection=connection),
    ):
        pass
    with take_over(shop, folder=tmp_path, store_url=empty_database_url) as tickerq:
        greet.schedule("Ada")
        assert len(tickerq.run_due()) == 1
    create_schema(make_url(empty_database_url))
    with (
        rolled_back(empty_database_url) as connection,
        take_over(shop, folder=tmp_path, connection=connection) as tickerq,
    ):
        assert tickerq.runs.count() == 0


def test_a_session_on_another_database_is_refused_as_elsewhere(
    shop: TickerQ, greet: TickerFunction, tickerq: TickerQTest
) -> None:
    with Session(create_engine("sqlite://")) as session, pytest.raises(OtherDatabaseError):
        greet.schedule("Ada", session=session)
    with Session(create_engine(tickerq.store_url)) as session:
        greet.schedule("Ada", session=session)
        session.commit()
    assert len(tickerq.run_due()) == 1
