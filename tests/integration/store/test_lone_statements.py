"""A statement that is alone commits itself, and no transaction does, whichever engine options there are."""

from collections.abc import Callable, Mapping
from contextlib import closing
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine

from tests.inner import Database
from tests.integration.making import ON_SERVERS, add_function, paths_of

pytestmark = pytest.mark.parametrize("store_url", ON_SERVERS, indirect=True)


def check(database: Database, namespace: str, options: Mapping[str, object]) -> None:
    """Check it twice, as the second time a pool lends the same connections."""

    def add(connection: Connection, name: str, *, is_undone: bool = False) -> None:
        add_function(connection, namespace=namespace, name=name)
        if is_undone:
            raise LookupError

    with closing(Database(database.url, options=options)) as opened:
        for number in range(2):
            work = partial(add, name=f"alone {number}")
            opened.run(lambda connection: connection, work, (), {}, reading=False, is_alone=True)
            with pytest.raises(LookupError):
                opened.write(partial(add, name=f"undone {number}", is_undone=True))
    assert set(paths_of(database, namespace)) == {"alone 0", "alone 1"}


@pytest.mark.parametrize(
    "options",
    [
        {"pool_size": 1, "max_overflow": 0},
        {"isolation_level": "SERIALIZABLE"},
        {"execution_options": {"isolation_level": "SERIALIZABLE"}},
    ],
)
def test_a_lone_statement_is_committed_and_a_transaction_may_be_undone(
    database: Database, namespace: str, options: Mapping[str, object]
) -> None:
    check(database, namespace, options)


def test_they_may_share_a_pool_that_the_options_name(database: Database, namespace: str) -> None:
    check(database, namespace, {"pool": create_engine(database.url, pool_size=1, max_overflow=0).pool})


def send_and_break_off(connection: Connection) -> None:
    """Send a statement, and do not take its answer, as where a signal's handler raises meanwhile."""
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name == "postgresql":
        driver.pgconn.send_query(b"SELECT 1")
    else:
        driver._execute_command(3, "SELECT 1")
    raise InterruptedError


def test_an_answer_that_was_not_taken_is_not_that_to_the_next(database: Database) -> None:
    with closing(Database(database.url, options={"pool_size": 1, "max_overflow": 0})) as opened:

        def lone(work: Callable[[Connection], object]) -> object:
            return opened.run(lambda connection: connection, work, (), {}, reading=False, is_alone=True)

        for _ in range(2):
            with pytest.raises(InterruptedError):
                lone(send_and_break_off)
            assert lone(lambda connection: connection.exec_driver_sql("SELECT 7").scalar()) == 7
