"""A run drops what dead runs left on a server that was given to the tests, and nothing of a living one."""

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from redis import Redis
from sqlalchemy import NullPool, create_engine
from sqlalchemy.exc import OperationalError

from tests.acceptance.waiting import wait_until
from tests.nested import ROOT
from tests.servers.pool import ServerPool, SharedServer
from tests.servers.server import Server

# Tests of tests.
pytestmark = [pytest.mark.verify, pytest.mark.parametrize("kind", ["postgres", "mariadb", "redis"])]

Given = closing[SharedServer]
DYING_RUN = """
import os, signal, sys
from pathlib import Path
from tests.servers.pool import ServerPool
print(ServerPool(Path()).shared(sys.argv[1]).new_database(), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def given(
    kind: str,
    shared_server: Callable[[str], SharedServer],
    start_server: Callable[[str], Server],
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[], Given]:
    """Give the server as each process of a run has it."""
    # The number of a database of Redis that is given back is another test's at once.
    server = start_server(kind) if kind == "redis" else shared_server(kind)
    monkeypatch.setenv(f"TICKERQ_TEST_{kind.upper()}_URL", server.url)

    def opened() -> Given:
        return closing(ServerPool(Path()).shared(kind))

    return opened


def left_by_a_killed_run(kind: str) -> str:
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", DYING_RUN, kind]
    return subprocess.run(command, env=environ, stdout=subprocess.PIPE, text=True, check=False).stdout.strip()


def exists(url: str) -> bool:
    if url.startswith("redis"):
        with Redis.from_url(url) as redis:
            return redis.dbsize() > 0
    engine = create_engine(url, poolclass=NullPool)
    try:
        engine.connect().close()
    except OperationalError:
        return False
    return True


def test_the_next_run_drops_what_a_killed_one_left(kind: str, given: Callable[[], Given]) -> None:
    left = left_by_a_killed_run(kind)
    assert exists(left)

    def is_dropped() -> bool:
        with given():
            return not exists(left)

    # A busy server may need a moment to see that the run's connection has ended.
    wait_until(is_dropped, lambda: f"{left} is dropped")


def test_a_run_leaves_alone_what_one_has_that_lives(kind: str, given: Callable[[], Given]) -> None:
    with given() as living:
        its = living.new_database()
        with given() as next_one:
            assert next_one.new_database() != its
        assert exists(its)


def test_a_run_that_ends_leaves_nothing(kind: str, given: Callable[[], Given]) -> None:
    with given() as ending:
        its = ending.new_database()
    assert not exists(its)
