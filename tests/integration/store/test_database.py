"""Connections: which addresses are taken, and how each database is spoken to."""

import re
import signal
import sqlite3
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, InternalError, OperationalError
from sqlalchemy.pool import NullPool, QueuePool

from tests.inner import Core, resolved_url
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
from tests.tables import functions, tickers
from tickerq_celery.enums import TickerStatus
from tickerq_celery.errors import ConfigError, SchemaError, StoreError, StoreUnreachableError
from tickerq_celery.store.database.connections import make_engine
from tickerq_celery.store.database.database import Database
from tickerq_celery.store.database.dialects import sqlite

on_sqlite = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
on_postgres = pytest.mark.parametrize("store_url", ["postgres"], indirect=True)
on_servers = pytest.mark.parametrize("store_url", ON_SERVERS, indirect=True)


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
        ("mssql+pyodbc://localhost/x", "no support for 'mssql': use PostgreSQL, MariaDB or SQLite"),
        ("sqlite://", "in-memory"),
        ("sqlite:///:memory:", "in-memory"),
        ("sqlite:///file:x?mode=memory&uri=true", "in-memory"),
    ],
)
def test_a_url_that_cannot_be_a_store_is_refused(url: str, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason) as refusal:
        resolved_url(url, Path("/"))
    assert refusal.value.setting == "store_url"


@pytest.mark.parametrize(
    "url", ["post gres://ann:hunter2@h/d", "postgresql://ann:h:hunter2@h:port/d", "hunter2"]
)
def test_a_url_that_cannot_be_read_is_not_shown(url: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        resolved_url(url, Path("/"))
    assert "hunter2" not in "".join(traceback.format_exception(refusal.value))


@pytest.mark.parametrize("url", ["postgresql+asyncpgx://h/d", "mysql+nodriver://h/d", "mysql://h/d"])
def test_a_missing_driver_is_named(url: str) -> None:
    with pytest.raises(ConfigError, match="is not installed") as refusal:
        make_engine(make_url(url), {})
    assert make_url(url).drivername in str(refusal.value)


@pytest.mark.parametrize("options", [{"pool_sise": 3}, {"connect_args": "-c x=y"}])
def test_an_unknown_engine_option_is_refused(database: Database, options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="store_engine_options"):
        make_engine(database.url, options)


@on_sqlite
@pytest.mark.parametrize("pooled", [True, False])
def test_engine_options_that_are_a_pools_do_no_harm_without_one(database: Database, pooled: bool) -> None:
    options = {
        "poolclass": QueuePool,
        "pool_size": 3,
        "max_overflow": 1,
        "pool_timeout": 4,
        "pool_recycle": 60,
        "pool_pre_ping": True,
        "pool_use_lifo": True,
        "pool_reset_on_return": "rollback",
        "echo": False,
    }
    engine = make_engine(database.url, options, pooled=pooled)
    assert isinstance(engine.pool, QueuePool if pooled else NullPool)
    engine.dispose()


def driver_options(url: URL, pooled: bool, **given: object) -> dict[str, str]:
    """Return what the driver received, where ``connect_args`` are given."""
    opened = Database(url, options={"connect_args": given}, pooled=pooled)
    received = opened.read(lambda connection: connection.connection.driver_connection.info.get_parameters())
    opened.close()
    return dict(received)


@on_postgres
@pytest.mark.parametrize("pooled", [True, False])
def test_engine_options_reach_every_connection_and_leave_our_timeouts(
    database: Database, pooled: bool
) -> None:
    received = driver_options(
        database.url.update_query_dict({"keepalives_idle": "3"}),
        pooled,
        application_name="shop",
        keepalives_count=2,
    )
    assert received["application_name"] == "shop"
    assert (received["connect_timeout"], received["keepalives_idle"], received["keepalives_count"]) == (
        "5",
        "3",
        "2",
    )


@on_postgres
def test_a_network_that_is_silent_is_given_up(database: Database) -> None:
    received = driver_options(database.url, pooled=True)
    assert (received["tcp_user_timeout"], received["keepalives_idle"]) == ("30000", "10")


@on_postgres
def test_a_server_that_only_reads_is_a_store_error(database: Database) -> None:
    read_only = {"connect_args": {"options": "-c default_transaction_read_only=on"}}
    opened = Database(database.url, options=read_only)
    with pytest.raises(StoreError, match="read-only") as refusal:
        opened.write(partial(add_function, namespace="x", name="x"))
    assert type(refusal.value) is StoreError
    opened.close()


@pytest.mark.parametrize("store_url", ["mariadb"], indirect=True)
@pytest.mark.parametrize("kind", [OperationalError, InternalError])
@pytest.mark.parametrize("number", [1290, 1836])
def test_a_mariadb_that_only_reads_is_a_store_error(
    database: Database, kind: type[DBAPIError], number: int
) -> None:
    def work(connection: Connection) -> None:
        raise kind("INSERT", {}, Exception(number, "read-only"))

    with pytest.raises(StoreError, match="read-only"):
        database.write(work)


@on_sqlite
def test_a_pool_without_a_free_connection_is_a_store_error(database: Database) -> None:
    opened = Database(database.url, options={"pool_size": 1, "max_overflow": 0, "pool_timeout": 0.01})
    with pytest.raises(StoreError, match="limit of size 1"):
        opened.read(lambda connection: opened.read(lambda second: None))
    opened.close()


@pytest.mark.parametrize("driver", ["postgresql+psycopg", "mariadb+pymysql"])
def test_an_unreachable_server_is_a_store_error_that_shows_no_password(driver: str) -> None:
    url = make_url(f"{driver}://user:secret@127.0.0.1:{free_port()}/x")
    with pytest.raises(StoreUnreachableError) as refusal:
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


def test_a_store_without_tables_says_how_to_make_them(empty_database_url: str) -> None:
    database = Database(resolved_url(empty_database_url, Path.cwd()))
    with pytest.raises(SchemaError, match="no tables yet: run `celery -A yourapp tickerq migrate`"):
        database.read(lambda connection: connection.execute(select(tickers.c.id)).all())
    database.close()


BUSY_TIMEOUT = "PRAGMA busy_timeout"


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a SQLite file's only write lock in a block."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    yield
    other.execute("ROLLBACK")
    other.close()


def test_a_sqlite_file_that_another_connection_locks_says_what_may_be_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "_BUSY_TIMEOUT_MS", 10)
    path = tmp_path / "locked.db"
    database = Database(resolved_url(f"sqlite:///{path}", Path.cwd()), retries=0)
    with (
        locked(path),
        pytest.raises(
            StoreError, match="locked by another connection; in a transaction of your own, pass session="
        ) as refusal,
    ):
        database.write(lambda connection: connection.exec_driver_sql("SELECT 1"))
    # It answers: there is a connection.
    assert type(refusal.value) is StoreError
    database.close()


def test_a_sqlite_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    path = tmp_path / "no-such-folder" / "tickers.db"
    database = Database(resolved_url(f"sqlite:///{path}", Path.cwd()), retries=0)
    with pytest.raises(StoreError, match=f"unable to open database file: {re.escape(str(path))}$"):
        database.read(lambda connection: connection.exec_driver_sql("SELECT 1"))
    database.close()


def test_a_sqlite_file_that_is_not_there_is_named_and_not_made(tmp_path: Path) -> None:
    path = tmp_path / "tickers.db"
    database = Database(resolved_url("sqlite:///tickers.db", tmp_path), retries=0)
    for use in (database.read, database.write):
        with pytest.raises(
            SchemaError, match=f"sqlite:///{re.escape(str(path))} has no tables yet.*no such file"
        ):
            use(lambda connection: connection.exec_driver_sql("SELECT 1"))
    assert not path.exists()
    path.touch()
    database.read(lambda connection: connection.exec_driver_sql("SELECT 1"))
    database.close()


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Database]:
    """A SQLite file that is open already, so that what comes waits for the lock and for nothing else."""
    (tmp_path / "locked.db").touch()
    database = Database(resolved_url(f"sqlite:///{tmp_path}/locked.db", Path.cwd()), retries=0)
    database.write(lambda connection: connection.exec_driver_sql("CREATE TABLE t (x)"))
    yield database
    database.close()


@contextmanager
def alarm_in(seconds: float) -> Iterator[None]:
    """Let a signal's handler raise KeyboardInterrupt in the block, after so many seconds.

    Where Python handles it in a callback of the garbage collector, nothing sees the exception: hence others.
    """
    handler = signal.signal(signal.SIGALRM, signal.default_int_handler)
    timer = signal.setitimer(signal.ITIMER_REAL, seconds, 2)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, *timer)
        signal.signal(signal.SIGALRM, handler)


def test_a_wait_for_a_sqlite_lock_handles_a_signal(opened: Database, tmp_path: Path) -> None:
    with locked(tmp_path / "locked.db"), pytest.raises(KeyboardInterrupt), alarm_in(0.1):
        opened.write(lambda connection: connection.exec_driver_sql("SELECT 1"))
    # The next one waits as long as before, and there is nothing that it must wait for.
    assert opened.write(lambda connection: connection.exec_driver_sql(BUSY_TIMEOUT).scalar()) == 10_000


def test_who_waits_for_a_sqlite_lock_gets_it_when_it_is_free(opened: Database, tmp_path: Path) -> None:
    def insert(connection: Connection) -> None:
        connection.exec_driver_sql("INSERT INTO t VALUES (1)")

    with locked(tmp_path / "locked.db"):
        waiting = threading.Thread(target=opened.write, args=[insert])
        waiting.start()
        # Longer than one of the waits that it is made of.
        waiting.join(0.6)
        assert waiting.is_alive()
    waiting.join(10)
    assert opened.read(lambda connection: connection.exec_driver_sql("SELECT x FROM t").scalar()) == 1
