"""A migration that is killed, kept waiting or refused by the database."""

import os
import re
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import pytest
from sqlalchemy import Connection, Engine, event, text

from tests.acceptance.waiting import wait_until
from tests.inner import Database, Schema, migrate, verify
from tests.integration.store.tables import described, drop_all
from tests.manual_clock import ManualClock
from tests.thoroughness import in_verify
from tickerq_celery.errors import SchemaError, StoreError
from tickerq_celery.store.database.dialects import dialect_of, mysql

WRITING = ("CREATE", "ALTER", "INSERT", "UPDATE", "DELETE", "COMMIT")

on_mariadb = pytest.mark.parametrize("empty_database_url", ["mariadb"], indirect=True)


@contextmanager
def after_each_write(action: Callable[[Connection, str], None]) -> Iterator[None]:
    """Call ``action`` after each statement that writes, with its connection and its text."""

    def executed(connection: Connection, cursor: object, statement: str, *_: Any) -> None:
        if statement.lstrip().upper().startswith(WRITING):
            action(connection, statement)

    event.listen(Engine, "after_cursor_execute", executed)
    try:
        yield
    finally:
        event.remove(Engine, "after_cursor_execute", executed)


def is_killed(database: Database, schema: Schema, done: set[str], *, after: int) -> bool:
    """Migrate in a process that is killed ``after`` so many writes that are not in ``done``; add them.

    Returns False if there were not as many, and the process has ended by itself.
    """
    reads, writes = os.pipe()
    child = os.fork()
    if child == 0:
        _migrate_until_killed(database, schema, done, after, writes)
    os.close(writes)
    with os.fdopen(reads) as said:
        done.update(filter(None, said.read().split("\0")))
    _, status = os.waitpid(child, 0)
    assert status in (0, signal.SIGKILL)
    return status != 0


def _migrate_until_killed(
    database: Database, schema: Schema, done: set[str], after: int, writes: int
) -> NoReturn:
    new: set[str] = set()

    def die(_: Connection, statement: str) -> None:
        if statement not in done | new:
            new.add(statement)
            os.write(writes, f"{statement}\0".encode())
            if len(new) == after:
                os.kill(os.getpid(), signal.SIGKILL)

    code = 1
    try:
        with after_each_write(die):
            migrate(Database(database.url), ManualClock(), schema)
        code = 0
    finally:
        os._exit(code)


STEP = re.compile(r"^    (?:create_table|create_index|add_column)\(", re.MULTILINE)


def steps_in(revisions: Path) -> int:
    """Return how many tables, columns and indexes the revisions in a folder make, each by itself."""
    return sum(len(STEP.findall(path.read_text(encoding="utf-8"))) for path in revisions.glob("m*.py"))


@pytest.mark.parametrize(
    ("empty_database_url", "after"),
    # MariaDB commits each change of a table. On the others a revision is one transaction, of which nothing is
    # left: to repeat it after each of its writes takes minutes.
    [in_verify("mariadb", 1), in_verify("postgres", 9), in_verify("sqlite", 9)],
    indirect=["empty_database_url"],
)
def test_a_migration_that_is_killed_can_be_repeated(empty: Database, later: Schema, after: int) -> None:
    done: set[str] = set()
    # Each begins with what the one before it has left.
    while is_killed(empty, later, done, after=after):
        pass
    # What says that all of them were made comes on top.
    assert len(done) > sum(map(steps_in, later.revisions))
    verify(empty, later)
    found = empty.read(described)
    empty.write(drop_all)
    empty.write(lambda connection: connection.execute(text("DROP TABLE tickerq_later")))
    migrate(empty, ManualClock(), later)
    assert found == empty.read(described)


@on_mariadb
def test_a_change_of_the_tables_may_take_longer_than_any_answer_of_a_statement(
    empty: Database, later: Schema, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate(empty, ManualClock())
    monkeypatch.setattr(mysql, "ANSWER_TIMEOUT", 1)
    url = empty.url.update_query_dict({"read_timeout": "1"})
    waiting = text(
        "SELECT COUNT(*) FROM information_schema.processlist"
        " WHERE db = DATABASE() AND state LIKE 'Waiting for table metadata lock' AND time_ms > 1500"
    )
    impatient = Database(url, options={"connect_args": {"write_timeout": 1}}, retries=0)
    with ThreadPoolExecutor(1) as pool, empty.engine.connect() as reader:
        reader.execute(text("SELECT * FROM tickerq_drops"))
        migrating = pool.submit(migrate, impatient, ManualClock(), later)
        wait_until(
            lambda: migrating.done() or empty.read(lambda other: other.scalar(waiting)),
            lambda: "a change that waits for a lock",
        )
        reader.rollback()
        migrating.result()
    verify(empty, later)


@on_mariadb
def test_a_lost_connection_is_reported_as_one(empty: Database, later: Schema) -> None:
    def lose(connection: Connection, statement: str) -> None:
        server_id = connection.connection.driver_connection.thread_id()
        empty.read(lambda other: other.execute(text(f"KILL {server_id}")))

    once = Database(empty.url, retries=0)
    with after_each_write(lose), pytest.raises(StoreError, match=r"Lost connection|gone away|was killed"):
        migrate(once, ManualClock(), later)
    migrate(once, ManualClock(), later)


def test_a_refused_change_of_the_tables_is_reported_in_the_databases_words(empty: Database) -> None:
    # An index of this table names columns that it does not have.
    empty.write(lambda connection: connection.execute(text("CREATE TABLE tickerq_nodes (id INTEGER)")))
    with pytest.raises(SchemaError, match=r"refused a change of the tables: .*namespace.*CREATE INDEX"):
        migrate(empty, ManualClock())


def test_a_table_of_another_program_is_refused_by_name(empty: Database) -> None:
    empty.write(lambda connection: connection.execute(text("CREATE TABLE tickerq_pauses (kind INTEGER)")))
    with pytest.raises(SchemaError, match="made the table tickerq_pauses, which lacks namespace, name, "):
        migrate(empty, ManualClock())


@on_mariadb
def test_a_migration_waits_for_another_one_and_says_so(
    empty: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(mysql, "_LOCK_WAIT", 0.01)
    is_over = threading.Event()

    def keep_lock(connection: Connection) -> None:
        with dialect_of(connection.dialect.name).migration_lock(connection):
            is_taken.set()
            is_over.wait(30)

    is_taken = threading.Event()
    with ThreadPoolExecutor(2) as pool:
        keeping = pool.submit(empty.write, keep_lock)
        is_taken.wait(30)
        migrating = pool.submit(migrate, empty, ManualClock())
        wait_until(lambda: "another process is changing the tables" in caplog.text, lambda: caplog.text)
        is_over.set()
        keeping.result()
        migrating.result()
    verify(empty)
