"""The servers that other tests rely on: alone, clean, and gone with the test run."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from amqp import Connection
from sqlalchemy import NullPool, create_engine, inspect, text

from tests.servers.guard import is_running
from tests.servers.pool import OWN, ServerPool, SharedServer
from tests.servers.server import Server

# Tests of tests.
pytestmark = pytest.mark.verify

ROOT = Path(__file__).parents[2]
# Starts a server, says where it is, and dies without a chance to clean up.
DYING_RUN = """
import os, signal
from tests.servers.guard import is_running
from tests.servers.pool import new_server
server = new_server("{kind}")
server.start()
print(server.folder, server.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
SQL = ("postgres", "mariadb")


def execute(url: str, *statements: str) -> None:
    with create_engine(url, poolclass=NullPool).begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


def count(url: str) -> int:
    with create_engine(url, poolclass=NullPool).connect() as connection:
        return connection.execute(text("SELECT * FROM thing")).rowcount


def tables(url: str) -> list[str]:
    return inspect(create_engine(url, poolclass=NullPool)).get_table_names()


@pytest.mark.parametrize("kind", SQL)
def test_commits_survive_a_kill_and_the_address_stays(
    kind: str, start_server: Callable[[str], Server]
) -> None:
    server = start_server(kind)
    url = server.new_database()
    execute(url, "CREATE TABLE thing (id integer)")
    execute(url, "INSERT INTO thing VALUES (1)")
    server.kill()
    server.start()
    assert count(url) == 1
    server.restart()
    assert count(url) == 1


def test_a_killed_rabbitmq_comes_back_on_its_address_with_its_virtual_hosts(
    start_server: Callable[[str], Server],
) -> None:
    server = start_server("rabbitmq")
    url = server.new_database()
    server.kill()
    server.start()
    with Connection(f"127.0.0.1:{server.port}", virtual_host=url.rpartition("/")[2]) as connection:
        assert connection.connected


@pytest.mark.parametrize("kind", SQL)
def test_databases_are_empty_and_apart(kind: str, shared_server: Callable[[str], SharedServer]) -> None:
    server = shared_server(kind)
    first, second = server.new_database(), server.new_database()
    execute(first, "CREATE TABLE thing (id integer)")
    assert tables(second) == []
    server.drop_database(first)
    server.drop_database(second)


def test_an_empty_database_has_no_tables(empty_database_url: str) -> None:
    assert tables(empty_database_url) == []


def test_each_test_starts_on_the_schema(store_url: str) -> None:
    assert "tickerq_tickers" in tables(store_url)


def test_redis_databases_are_emptied_when_given_back(shared_server: Callable[[str], SharedServer]) -> None:
    server = shared_server("redis")
    from redis import Redis

    first, second = server.new_database(), server.new_database()
    assert first != second
    with Redis.from_url(first) as connection:
        connection.set("thing", 1)
        server.drop_database(first)
        assert connection.dbsize() == 0
    server.drop_database(second)


@pytest.mark.parametrize("kind", ["postgres", "redis"])
def test_a_given_server_is_used_and_left_running(
    kind: str, shared_server: Callable[[str], SharedServer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = shared_server(kind).url
    monkeypatch.setenv(f"TICKERQ_TEST_{kind.upper()}_URL", url)
    pool = ServerPool(tmp_path)
    given = pool.shared(kind)
    assert given.url == url
    given.drop_database(given.new_database())
    pool.close()
    assert shared_server(kind).new_database()


@pytest.mark.parametrize("kind", OWN)
def test_a_server_ends_with_its_run_however_that_died(
    kind: str, shared_server: Callable[[str], SharedServer]
) -> None:
    shared_server(kind)
    script = DYING_RUN.format(kind=kind)
    run = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        # The guard holds the same pipe, so this returns once its work is done.
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    folder, pid = run.stdout.split()
    assert not Path(folder).exists()
    assert not is_running(int(pid))


def test_closing_leaves_neither_process_nor_folder(start_server: Callable[[str], Server]) -> None:
    server = start_server("redis")
    folder = server.folder
    pid = server.pid
    server.close()
    assert not folder.exists()
    assert not is_running(pid)
