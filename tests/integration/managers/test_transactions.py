"""Transactions: what is rolled back, what is run again, what is not, and what forks do not share."""

import os
import sqlite3
import threading
import time
import warnings
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import replace
from functools import partial
from typing import Any

import psycopg.errors
import pymysql
import pytest
from sqlalchemy import Connection, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from tests.inner import Core, Database, Transaction, savepoint
from tests.integration.making import (
    ON_SERVERS,
    add_function,
    all_rows,
    at_once,
    make_run,
    make_runs,
    paths_of,
)
from tests.tables import tickers
from tickerq_celery.errors import StoreError
from tickerq_celery.store.database.errors import is_stale, is_transient

on_servers = pytest.mark.parametrize("store_url", ON_SERVERS, indirect=True)
DEADLOCK = OperationalError("UPDATE", {}, pymysql.err.OperationalError(1213, "Deadlock found"))


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses between tries, which take no time."""
    taken: list[float] = []
    monkeypatch.setattr(time, "sleep", taken.append)
    return taken


def session_id(connection: Connection) -> int:
    """Return the number by which a server knows the connection; 0 on SQLite."""
    name = connection.dialect.name
    if name == "sqlite":
        return 0
    function = "pg_backend_pid()" if name == "postgresql" else "CONNECTION_ID()"
    return connection.scalar(text(f"SELECT {function}"))


def cut(database: Database, number: int) -> None:
    """Cut another connection off, as a restarted server or a firewall does."""
    is_postgres = database.url.get_backend_name() == "postgresql"
    statement = f"SELECT pg_terminate_backend({number})" if is_postgres else f"KILL {number}"
    database.write(lambda connection: connection.exec_driver_sql(statement))


def test_what_failed_is_rolled_back(core: Core) -> None:
    make_runs(core, 1)

    def delete_and_fail(connection: Connection) -> None:
        connection.execute(tickers.delete().where(tickers.c.namespace == core.config.namespace))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        core.database.write(delete_and_fail)
    left = select(tickers.c.id).where(tickers.c.namespace == core.config.namespace)
    assert len(core.database.read(lambda connection: connection.execute(left).all())) == 1


def test_a_savepoint_undoes_its_own_part_only(core: Core, database: Database, namespace: str) -> None:
    def work(tx: Transaction) -> None:
        add_function(tx.connection, namespace, "Kept")
        with suppress(ZeroDivisionError), savepoint(tx):
            add_function(tx.connection, namespace, "Undone")
            raise ZeroDivisionError
        add_function(tx.connection, namespace, "Later")

    core.write(work)
    assert sorted(paths_of(database, namespace)) == ["Kept", "Later"]


@on_servers
def test_a_deadlock_within_savepoints_is_a_deadlock(core: Core) -> None:
    tries = _deadlocked(core, savepoints=2)
    assert sorted(tries) in (["a", "a", "b"], ["a", "b", "b"])


def test_a_row_that_the_database_refuses_is_no_outage(core: Core) -> None:
    run_id = make_run(core)
    tries = []

    def work(connection: Connection) -> None:
        tries.append(1)
        connection.execute(update(tickers).where(tickers.c.id == run_id).values(running_on=run_id))

    with pytest.raises(DBAPIError):
        core.write(work)
    assert len(tries) == 1


def _sqlite_error(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("database is …")
    error.sqlite_errorcode = code
    return error


def deadlock_of_mariadb() -> Exception:
    error: Any = pymysql.err.OperationalError(1213, "Deadlock found")
    error.sqlstate = "40001"  # PyMySQL 1.1.0 takes it as no argument
    return error


@pytest.mark.parametrize(
    ("original", "expected"),
    [
        (pymysql.err.OperationalError(1213, "Deadlock found"), True),
        (pymysql.err.OperationalError(1205, "Lock wait timeout exceeded"), True),
        (pymysql.err.OperationalError(1020, "Record has changed since last read"), True),
        (pymysql.err.OperationalError(2003, "Can't connect"), False),
        (pymysql.err.IntegrityError(1062, "Duplicate entry"), False),
        (psycopg.errors.DeadlockDetected(), True),
        (psycopg.errors.SerializationFailure(), True),
        (psycopg.errors.UniqueViolation(), False),
        (psycopg.OperationalError("connection refused"), False),
        (_sqlite_error(sqlite3.SQLITE_BUSY), True),
        (_sqlite_error(sqlite3.SQLITE_BUSY_SNAPSHOT), True),
        (_sqlite_error(sqlite3.SQLITE_LOCKED), True),
        (_sqlite_error(sqlite3.SQLITE_ERROR), False),
        (sqlite3.OperationalError("no code"), False),
    ],
    ids=repr,
)
def test_an_error_is_transient_if_another_try_may_succeed(original: Exception, expected: bool) -> None:
    assert is_transient(OperationalError("UPDATE", {}, original)) is expected


@pytest.mark.parametrize(
    ("original", "expected"),
    [
        (psycopg.errors.SerializationFailure(), True),
        (psycopg.errors.DeadlockDetected(), False),
        # They have undone the whole transaction; the first has PostgreSQL's SQLSTATE for a stale row.
        (deadlock_of_mariadb(), False),
        (pymysql.err.OperationalError(1020, "Record has changed since last read"), False),
    ],
    ids=repr,
)
def test_a_stale_row_leaves_what_surrounds_the_savepoint(original: Exception, expected: bool) -> None:
    assert is_stale(OperationalError("SELECT", {}, original)) is expected


class Failing:
    """Work that fails a number of times with the same error."""

    def __init__(self, error: Exception, times: int) -> None:
        self.tries = 0
        self._error = error
        self._times = times

    def __call__(self, connection: Connection) -> int:
        self.tries += 1
        if self.tries <= self._times:
            raise self._error
        return self.tries


def test_a_transient_error_is_tried_again_after_growing_pauses(
    database: Database, pauses: list[float]
) -> None:
    assert database.write(Failing(DEADLOCK, times=3)) == 4
    assert len(pauses) == 3
    assert all(pause <= 0.05 * 2**number for number, pause in enumerate(pauses))


def test_tries_end_with_a_store_error(database: Database, pauses: list[float]) -> None:
    work = Failing(DEADLOCK, times=100)
    with pytest.raises(StoreError, match="Deadlock found"):
        database.write(work)
    assert work.tries == 4


def test_an_outage_is_reported_at_once(database: Database, pauses: list[float]) -> None:
    unreachable = OperationalError("SELECT", {}, pymysql.err.OperationalError(2003, "Can't connect"))
    work = Failing(unreachable, times=1)
    with pytest.raises(StoreError, match="Can't connect"):
        database.write(work)
    assert (work.tries, pauses) == (1, [])


@pytest.mark.parametrize("error", [ValueError("a bug"), IntegrityError("INSERT", {}, Exception("duplicate"))])
def test_a_bug_is_neither_tried_again_nor_called_an_outage(database: Database, error: Exception) -> None:
    work = Failing(error, times=1)
    with pytest.raises(type(error)):
        database.write(work)
    assert work.tries == 1


@on_servers
def test_a_deadlock_is_resolved_by_running_one_transaction_again(core: Core) -> None:
    tries = _deadlocked(core, savepoints=0)
    assert sorted(tries) in (["a", "a", "b"], ["a", "b", "b"])


def _deadlocked(core: Core, *, savepoints: int) -> list[str]:
    """Let two transactions lock two runs crosswise, the second in savepoints; return who tried, each time."""
    first, second = make_runs(core, 2)
    both_have_one = threading.Barrier(2)
    one_is_done = threading.Event()
    tries: list[str] = []

    def lock_both(name: str, order: tuple[Any, Any]) -> None:
        own = replace(core, database=Database(core.database.url))

        def work(tx: Transaction) -> None:
            tries.append(name)
            if tries.count(name) > 1:
                # Else it may lock its first run again before the other wakes up, for one more deadlock.
                assert one_is_done.wait(timeout=30)
            _mark(tx, order[0], name)
            if tries.count(name) == 1:
                both_have_one.wait(timeout=30)
            with ExitStack() as stack:
                for _ in range(savepoints):
                    stack.enter_context(savepoint(tx))
                _mark(tx, order[1], name)

        own.write(work)
        one_is_done.set()
        own.database.close()

    at_once(lambda: lock_both("a", (first, second)), lambda: lock_both("b", (second, first)))
    return tries


def _mark(tx: Transaction, run_id: object, name: str) -> None:
    tx.execute(update(tickers).where(tickers.c.id == run_id).values(lock_holder=name))


@on_servers
def test_a_connection_that_was_cut_during_the_work_is_replaced(
    database: Database, other: Database, namespace: str
) -> None:
    tries: list[int] = []

    def work(connection: Connection) -> None:
        tries.append(session_id(connection))
        if len(tries) == 1:
            cut(other, tries[0])
        add_function(connection, namespace, "Send")

    database.write(work)
    assert len(set(tries)) == 2
    assert list(paths_of(database, namespace)) == ["Send"]


@on_servers
def test_a_commit_whose_outcome_is_unknown_is_not_repeated(
    database: Database, other: Database, namespace: str
) -> None:
    tries: list[int] = []

    def work(connection: Connection) -> None:
        add_function(connection, namespace, "Send")
        tries.append(session_id(connection))
        cut(other, tries[-1])

    with pytest.raises(StoreError):
        database.write(work)
    assert len(tries) == 1
    assert paths_of(database, namespace) == {}


def in_a_fork(work: Callable[[], object]) -> str:
    """Return what ``work`` returned in a forked process, as text."""
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        # Newer Pythons warn of forks beside threads; workers fork all the same.
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid == 0:
        try:
            os.write(writing, repr(work()).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        answer = pipe.read()
    os.waitpid(pid, 0)
    return answer


def test_a_fork_opens_connections_of_its_own_and_leaves_its_parents_alone(core: Core, namespace: str) -> None:
    database = core.database
    ours, parents_engine = database.read(session_id), database.engine

    def use_and_close() -> tuple[bool, bool]:
        database.write(partial(add_function, namespace=namespace, name="Child"))
        is_own = (database.engine is not parents_engine, ours == 0 or database.read(session_id) != ours)
        database.close()
        return is_own

    assert in_a_fork(use_and_close) == "(True, True)"
    assert database.read(session_id) == ours
    assert database.engine is parents_engine
    assert list(paths_of(database, namespace)) == ["Child"]


def test_a_closed_database_opens_again_when_it_is_used(core: Core) -> None:
    core.database.close()
    core.database.close()
    make_run(core)
    assert len(all_rows(core)) == 1
