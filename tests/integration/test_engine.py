"""Connections: which addresses are taken, and how each database is spoken to."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select
from sqlalchemy.engine import make_url

from tests.integration.making import (
    ON_SERVERS,
    add_function,
    at_once,
    claim,
    enrolled,
    make_run,
    make_runs,
    paths_of,
    processes,
    row_of,
)
from tests.servers.ports import free_port
from tickerq_celery.core import Core
from tickerq_celery.enums import TickerStatus
from tickerq_celery.errors import ConfigError, StoreError
from tickerq_celery.models import functions, tickers
from tickerq_celery.store.engine import Database, make_engine, resolved_url

on_sqlite = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
on_servers = pytest.mark.parametrize("store_url", ON_SERVERS, indirect=True)


@pytest.fixture
def other(database: Database) -> Iterator[Database]:
    """The same store as another process has it open."""
    opened = Database(database.url)
    yield opened
    opened.close()


def scalar(connection: Connection, statement: str) -> Any:
    return connection.exec_driver_sql(statement).scalar()


def test_a_sqlite_path_is_made_absolute_once(tmp_path: Path) -> None:
    assert resolved_url("sqlite:///a/b.db", tmp_path).database == str(tmp_path / "a/b.db")
    assert resolved_url(f"sqlite:///{tmp_path}/c.db", Path("/elsewhere")).database == str(tmp_path / "c.db")


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("nonsense", "not a database URL"),
        ("oracle://localhost/x", "no support for 'oracle'"),
        ("sqlite://", "in-memory"),
        ("sqlite:///:memory:", "in-memory"),
        ("sqlite:///file:x?mode=memory&uri=true", "in-memory"),
    ],
)
def test_a_url_that_cannot_be_a_store_is_refused(url: str, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason) as refusal:
        resolved_url(url, Path("/"))
    assert refusal.value.setting == "store_url"


@pytest.mark.parametrize("url", ["postgresql+asyncpgx://h/d", "mysql+nodriver://h/d", "mysql://h/d"])
def test_a_missing_driver_is_named(url: str) -> None:
    with pytest.raises(ConfigError, match="is not installed") as refusal:
        make_engine(make_url(url), {})
    assert make_url(url).drivername in str(refusal.value)


def test_an_unknown_engine_option_is_refused(database: Database) -> None:
    with pytest.raises(ConfigError, match="store_engine_options"):
        make_engine(database.url, {"pool_sise": 3})


@pytest.mark.parametrize("driver", ["postgresql+psycopg", "mariadb+pymysql"])
def test_a_server_that_is_away_is_a_store_error_that_shows_no_password(driver: str) -> None:
    url = make_url(f"{driver}://user:secret@127.0.0.1:{free_port()}/x")
    with pytest.raises(StoreError) as refusal:
        Database(url, retries=0).read(lambda connection: None)
    assert "secret" not in str(refusal.value)


@on_servers
def test_servers_are_spoken_to_in_read_committed(database: Database) -> None:
    is_postgres = database.url.get_backend_name() == "postgresql"
    statement = "SHOW transaction_isolation" if is_postgres else "SELECT @@tx_isolation"
    found = database.write(lambda connection: scalar(connection, statement))
    assert found.upper().replace("-", " ") == "READ COMMITTED"


@on_servers
def test_a_transaction_sees_what_others_commit_meanwhile(
    database: Database, other: Database, namespace: str
) -> None:
    names = select(functions.c.name).where(functions.c.namespace == namespace)

    def look_twice(connection: Connection) -> tuple[int, int]:
        before = len(connection.execute(names).all())
        other.write(partial(add_function, namespace=namespace, name="Seen"))
        return before, len(connection.execute(names).all())

    assert database.write(look_twice) == (0, 1)


def test_names_that_differ_by_case_or_accent_differ(database: Database, namespace: str) -> None:
    names = ["Send", "send", "SEND", "Sénd"]
    for name in names:
        database.write(partial(add_function, namespace=namespace, name=name))
    found = select(functions.c.name).where(functions.c.namespace == namespace, functions.c.name == "send")
    assert database.read(lambda connection: list(connection.scalars(found))) == ["send"]
    assert sorted(paths_of(database, namespace)) == sorted(names)


@pytest.mark.parametrize("store_url", ["mariadb"], indirect=True)
@pytest.mark.parametrize("name", ["mysql", "mariadb"])
def test_mariadb_may_be_called_by_either_name(core: Core, name: str) -> None:
    url = core.database.url.set(drivername=f"{name}+pymysql")
    run_id = make_run(core)
    opened = Database(url)
    renamed = enrolled(replace(core, database=opened))
    assert [each.id for each in claim(renamed)] == [run_id]
    opened.close()
    assert row_of(core, run_id).status is TickerStatus.QUEUED


def test_inserting_what_is_there_already_leaves_it_alone(database: Database, namespace: str) -> None:
    for name, path in (("Send", "here"), ("Send", "there"), ("Other", "there")):
        database.write(partial(add_function, namespace=namespace, name=name, path=path))
    assert paths_of(database, namespace) == {"Send": "here", "Other": "there"}


@on_sqlite
def test_a_sqlite_writer_takes_its_lock_at_the_beginning(database: Database) -> None:
    def probe(connection: Connection) -> None:
        with sqlite3.connect(database.url.database, timeout=0) as second:
            second.isolation_level = None
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                second.execute("BEGIN IMMEDIATE")
        second.close()

    database.write(probe)


@on_sqlite
def test_a_sqlite_reader_does_not_keep_a_writer_out(core: Core, other: Database) -> None:
    make_runs(core, 2)
    count = select(tickers.c.id)

    def read_while_another_writes(connection: Connection) -> tuple[int, int]:
        before = len(connection.execute(count).all())
        other.write(lambda second: second.execute(tickers.delete()))
        return before, len(connection.execute(count).all())

    # A snapshot: what the other wrote shows in the next transaction.
    assert core.database.read(read_while_another_writes) == (2, 2)
    assert core.database.read(lambda connection: len(connection.execute(count).all())) == 0


@on_sqlite
def test_a_sqlite_writer_does_not_keep_a_reader_out(core: Core, other: Database) -> None:
    make_runs(core, 2)
    count = select(tickers.c.id)

    def write_while_another_reads(connection: Connection) -> int:
        connection.execute(tickers.delete())
        return other.read(lambda second: len(second.execute(count).all()))

    assert core.database.write(write_while_another_reads) == 2


@on_sqlite
def test_sqlite_keeps_foreign_keys_and_a_write_ahead_log(database: Database) -> None:
    found = database.read(
        lambda connection: [scalar(connection, f"PRAGMA {name}") for name in ("foreign_keys", "journal_mode")]
    )
    assert found == [1, "wal"]


@on_sqlite
def test_sqlite_writers_at_once_wait_for_each_other(core: Core, namespace: str) -> None:
    def add(process: Core, number: int) -> None:
        for each in range(20):
            process.database.write(partial(add_function, namespace=namespace, name=f"{number}-{each}"))

    with processes(core, 4) as others:
        at_once(*(partial(add, each, number) for number, each in enumerate(others)))
    assert len(paths_of(core.database, namespace)) == 80
