"""Writes whose caller does not wait: bounded whatever the database does, and not committed later."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta

import pytest
from sqlalchemy import Connection, event

from tests.inner import Core, Transaction
from tests.integration.runtime.conftest import OwnServer
from tests.integration.runtime.transactions import add, core_on, count
from tests.tables import seeders
from tests.thoroughness import in_verify
from tickerq_celery.errors import StoreError
from tickerq_celery.runtime.bounded_writes import BoundedWrites, _Write
from tickerq_celery.runtime.work_thread import WorkThread

LIMIT = timedelta(seconds=1)
# Of a server that does not answer the writes know no more than that their thread has not returned.
on_servers = pytest.mark.parametrize("own", ["postgres", in_verify("mariadb")], indirect=True)


@pytest.fixture
def core(store_url: str, namespace: str) -> Iterator[Core]:
    made = core_on(store_url, namespace)
    yield made
    made.database.close()


@pytest.fixture
def writes(core: Core) -> Iterator[BoundedWrites]:
    made = BoundedWrites(core, LIMIT, connect_limit=LIMIT)
    yield made
    made.close()


def remove(tx: Transaction, name: str = "one") -> None:
    tx.execute(seeders.delete().where(seeders.c.namespace == tx.namespace, seeders.c.name == name))


def come_to_rest(writes: BoundedWrites) -> None:
    """Wait until all that was given up is done with: its threads end then."""
    until = time.monotonic() + 60
    while [each.name for each in threading.enumerate()].count("tickerq-write") > len(writes._idle):
        assert time.monotonic() < until
        time.sleep(0.02)


def test_a_write_commits_and_returns_what_its_work_returned(writes: BoundedWrites, core: Core) -> None:
    assert writes.write(add, undo=remove) == "one"
    assert core.read(count) == 1


def test_what_the_work_raises_is_raised_and_nothing_is_written(writes: BoundedWrites, core: Core) -> None:
    def fail(tx: Transaction) -> None:
        add(tx)
        raise LookupError("no")

    with pytest.raises(LookupError, match="no"):
        writes.write(fail, undo=remove)
    assert core.read(count) == 0
    assert writes.write(add, undo=remove) == "one"


def test_a_write_that_takes_too_long_is_rolled_back_whenever_it_is_done(
    writes: BoundedWrites, core: Core
) -> None:
    goes_on, done = threading.Event(), []

    def stall(tx: Transaction) -> None:
        add(tx)
        done.append(goes_on.wait(60))

    with pytest.raises(StoreError, match="longer than 1 s"):
        writes.write(stall, undo=lambda tx: None)
    # Its caller has not waited for it.
    assert done == []
    goes_on.set()
    come_to_rest(writes)
    assert core.read(count) == 0


def test_a_commit_that_was_on_its_way_is_undone(writes: BoundedWrites, core: Core) -> None:
    goes_on = threading.Event()

    def hang(connection: Connection) -> None:
        if threading.current_thread().name == "tickerq-write" and not goes_on.is_set():
            goes_on.wait(60)

    event.listen(core.database.engine, "commit", hang)
    with pytest.raises(StoreError):
        writes.write(add, undo=remove)
    goes_on.set()
    come_to_rest(writes)
    assert core.read(count) == 0


def test_a_write_that_was_concluded_when_its_caller_gave_up_is_no_error(
    writes: BoundedWrites, core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    conclude, has_given_up = _Write.conclude, threading.Event()

    def late(write: _Write[str], outcome: Callable[[], str]) -> bool:
        is_first = conclude(write, outcome)
        # The answer is on its way to the caller, whose time is up.
        has_given_up.wait(60)
        return is_first

    with monkeypatch.context() as patched:
        patched.setattr(_Write, "conclude", late)
        patched.setattr(WorkThread, "end", lambda thread: has_given_up.set())
        try:
            assert writes.write(add, undo=remove) == "one"
        finally:
            has_given_up.set()
    assert core.read(count) == 1


def test_a_write_that_waits_behind_a_stalled_one_is_not_begun_later(
    writes: BoundedWrites, core: Core
) -> None:
    goes_on, begun = threading.Event(), []

    def hang(connection: Connection) -> None:
        goes_on.wait(60)

    def note(tx: Transaction) -> None:
        begun.append(tx)

    event.listen(core.database.engine, "begin", hang)
    with pytest.raises(StoreError):
        writes.write(note, undo=lambda tx: None)
    goes_on.set()
    come_to_rest(writes)
    assert begun == []


def slow_to_connect(core: Core, *, seconds: float = 60) -> threading.Event:
    """Let each new connection of a store wait for the event that is returned, or for so many seconds."""
    goes_on = threading.Event()

    def hang(*_: object) -> None:
        goes_on.wait(seconds)

    event.listen(core.database.engine, "connect", hang)
    return goes_on


def test_a_connection_has_a_limit_of_its_own(core: Core) -> None:
    # Twice as long as an answer may take.
    slow_to_connect(core, seconds=2 * LIMIT.total_seconds())
    patient = BoundedWrites(core, LIMIT, connect_limit=timedelta(seconds=60))
    assert patient.write(add, undo=remove) == "one"
    patient.close()


def test_a_connection_that_takes_too_long_is_named_and_nothing_is_written_later(core: Core) -> None:
    goes_on = slow_to_connect(core)
    writes = BoundedWrites(core, timedelta(seconds=60), connect_limit=LIMIT)
    with pytest.raises(StoreError, match="no connection in 1 s"):
        writes.write(add, undo=lambda tx: None)
    goes_on.set()
    come_to_rest(writes)
    assert core.read(count) == 0


@on_servers
@pytest.mark.parametrize("is_connected", [True, False], ids=["connected", "connecting"])
def test_a_frozen_server_keeps_no_caller_waiting_and_commits_nothing_later(
    own: OwnServer, is_connected: bool, namespace: str
) -> None:
    server, url = own.server, own.url
    core = core_on(url, namespace)
    core.write(add)
    writes = BoundedWrites(core, LIMIT, connect_limit=LIMIT)
    if not is_connected:
        core.database.close()
    server.freeze()
    try:
        for name in ("two", "three"):
            # By the limits that are set here: a driver gives up much later.
            with pytest.raises(StoreError, match=r"(longer than|no connection in) 1 s"):
                writes.write(lambda tx, name=name: add(tx, name), undo=lambda tx: None)  # type: ignore[misc]
    finally:
        server.thaw()
    come_to_rest(writes)
    assert core.read(count) == 1
    core.write(add, "four")
    assert core.read(count) == 2
    writes.close()
    core.database.close()


@on_servers
def test_a_server_that_is_down_is_an_error_at_once(own: OwnServer, namespace: str) -> None:
    server, url = own.server, own.url
    core = core_on(url, namespace)
    server.stop()
    writes = BoundedWrites(core, LIMIT, connect_limit=LIMIT)
    with pytest.raises(StoreError):
        writes.write(add, undo=remove)
    writes.close()
    server.start()
    assert core.read(count) == 0
    core.database.close()


def test_a_child_process_writes_by_a_thread_of_its_own(writes: BoundedWrites, core: Core) -> None:
    writes.write(add, undo=remove)
    # Without the engine's connections, which are the parent's.
    core.database.close()
    child = os.fork()
    if child == 0:
        code = 1
        with suppress(BaseException):
            writes.write(lambda tx: add(tx, "two"), undo=lambda tx: None)
            code = 0
        os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    assert core.read(count) == 2


_UNDER_GEVENT = """
from gevent import monkey
monkey.patch_all()
import sys
from datetime import timedelta
from tests.integration.runtime.test_bounded_writes import add, core_on
from tickerq_celery.errors import StoreError
from tickerq_celery.runtime.bounded_writes import BoundedWrites
core = core_on(sys.argv[1], sys.argv[2])
limit = timedelta(seconds=30)
BoundedWrites(core, limit, connect_limit=limit).write(add, undo=lambda tx: None)
limit = timedelta(seconds=0.5)
writes = BoundedWrites(core, limit, connect_limit=limit)
print("written", flush=True)
sys.stdin.readline()
try:
    writes.write(lambda tx: add(tx, "two"), undo=lambda tx: None)
except StoreError as error:
    print(error, flush=True)
"""


@on_servers
def test_under_gevent_a_frozen_server_keeps_no_caller_waiting(own: OwnServer, namespace: str) -> None:
    server, url = own.server, own.url
    process = subprocess.Popen(
        [sys.executable, "-c", _UNDER_GEVENT, url, namespace],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == "written\n"
        server.freeze()
        process.stdin.write("\n")
        process.stdin.flush()
        # While it is frozen.
        said = process.stdout.readline()
        process.kill()
    server.thaw()
    assert "longer than 0.5 s" in said
