"""Reads whose caller waits for a limited time, and which leave the connections of writes alone."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import replace
from datetime import timedelta
from types import FrameType
from typing import Any

import pytest
from sqlalchemy import Connection, NullPool, QueuePool, delete, event, literal, select, text

from tests.inner import Core, Transaction
from tests.integration.runtime.conftest import OwnServer
from tests.integration.runtime.transactions import add, core_on, count, wide
from tests.tables import seeders
from tests.thoroughness import in_verify
from tickerq_celery.errors import QueryTooWideError, StoreError, StoreTimeoutError
from tickerq_celery.store.database.reading import ReadBudget

BUDGET, PATIENT = timedelta(seconds=0.5), timedelta(seconds=30)
READERS = 4
on_servers = pytest.mark.parametrize("own", ["postgres", in_verify("mariadb")], indirect=True)
REQUEST: ContextVar[str] = ContextVar("REQUEST")


def with_budget(core: Core, budget: timedelta = BUDGET) -> Core:
    return replace(core, config=replace(core.config, read_budget=budget, read_connections=READERS))


@pytest.fixture
def core(store_url: str, namespace: str) -> Iterator[Core]:
    """One whose reads may wait for a busy machine."""
    made = with_budget(core_on(store_url, namespace), PATIENT)
    made.write(add)
    yield made
    made.close()


@pytest.fixture
def hurried(core: Core) -> Iterator[Core]:
    made = with_budget(core)
    yield made
    come_to_rest(made)
    made.close()


def come_to_rest(core: Core) -> None:
    """Wait until the reads that were given up have ended: what returns to a closed pool stays open."""
    pool, until = core.reader.database.engine.pool, time.monotonic() + 60
    assert isinstance(pool, QueuePool)
    while pool.checkedout():
        assert time.monotonic() < until
        time.sleep(0.02)


def one(tx: Transaction) -> int:
    return tx.scalars(select(literal(1))).one()


def test_a_read_returns_what_its_work_returned(core: Core) -> None:
    assert core.read_bounded(count) == 1


def test_what_the_work_raises_is_raised(core: Core) -> None:
    def fail(tx: Transaction) -> None:
        raise LookupError("no")

    with pytest.raises(LookupError, match="no"):
        core.read_bounded(fail)


def test_a_read_sees_what_this_process_has_written(core: Core) -> None:
    assert core.read_bounded(count) == 1
    core.write(add, "two")
    assert core.read_bounded(count) == 2


@pytest.mark.every_database
def test_a_statement_beyond_the_budget_is_ended_by_the_database(hurried: Core) -> None:
    # By itself it ends long after this test would have been given up.
    with pytest.raises(QueryTooWideError, match=r"longer than 0\.5 s") as caught:
        hurried.read_bounded(wide)
    # Not given up by the caller: the server has said so.
    assert caught.value.__cause__ is not None
    assert caught.value.seconds == 0.5
    # And the connection serves the next one, whose time is its own.
    assert hurried.read_bounded(count) == 1


def test_statements_that_each_keep_to_the_budget_end_together(hurried: Core) -> None:
    def endless(tx: Transaction) -> None:
        while True:
            one(tx)

    with pytest.raises(QueryTooWideError):
        hurried.read_bounded(endless)


@pytest.mark.every_database
def test_a_statement_has_no_more_than_what_is_left_of_the_whole_read(core: Core) -> None:
    # Long beyond what this test may take: only the end of the whole read can end its statement.
    budget = ReadBudget(statement=3_600, until=time.monotonic() + 3_600)

    def work(tx: Transaction) -> None:
        one(tx)
        budget._until = time.monotonic() + 0.3
        wide(tx)

    with pytest.raises(QueryTooWideError) as caught:
        core.reader.database.read_within(budget, core.transaction, work, (), {})
    assert caught.value.__cause__ is not None


@pytest.mark.every_database
def test_a_read_cannot_write(core: Core) -> None:
    with pytest.raises(StoreError, match=r"(?i)read.?only"):
        core.read_bounded(lambda tx: tx.execute(delete(seeders)))
    assert core.read(count) == 1
    core.write(add, "two")


@pytest.mark.parametrize("store_url", ["postgres"], indirect=True)
def test_postgresql_compiles_no_query_of_a_bounded_read(core: Core) -> None:
    def jit(tx: Transaction) -> str:
        return str(tx.scalar(text("SHOW jit")))

    assert (core.read_bounded(jit), core.read(jit)) == ("off", "on")


def test_reads_take_no_connection_of_writes(core: Core) -> None:
    used: list[Connection] = []
    event.listen(core.database.engine, "begin", used.append)
    core.read_bounded(one)
    assert used == []


def test_a_read_that_finds_no_free_connection_is_not_begun_later(hurried: Core) -> None:
    goes_on, begun, connections = threading.Event(), [], []
    event.listen(hurried.reader.database.engine, "checkout", lambda *each: connections.append(each))

    def stall(tx: Transaction) -> None:
        begun.append("stalled")
        goes_on.wait(60)

    def stalled() -> None:
        with suppress(StoreError):
            hurried.read_bounded(stall)

    threads = [threading.Thread(target=stalled) for _ in range(READERS)]
    for each in threads:
        each.start()
    while len(begun) < READERS:
        time.sleep(0.01)
    with pytest.raises(StoreError, match="no answer"):
        hurried.read_bounded(lambda tx: begun.append("waited"))
    goes_on.set()
    for each in threads:
        each.join()
    assert hurried.read_bounded(one) == 1
    assert begun == ["stalled"] * READERS
    assert len(connections) == READERS + 1


@on_servers
def test_a_frozen_server_keeps_no_caller_waiting(own: OwnServer, namespace: str) -> None:
    server, url = own.server, own.url
    core = with_budget(core_on(url, namespace))
    core.read_bounded(one)
    server.freeze()
    try:
        # Those that find no free connection are told the same: no filter of theirs is too wide.
        with ThreadPoolExecutor(2 * READERS) as pool:
            reads = [pool.submit(core.read_bounded, one) for _ in range(2 * READERS)]
        said = {str(each.exception()) for each in reads}
        # While it is frozen: none has waited for the server.
        assert said == {"the store did not answer: no answer in 1.4 s"}
        assert {type(each.exception()) for each in reads} == {StoreTimeoutError}
    finally:
        server.thaw()
    assert core.read_bounded(one) == 1
    come_to_rest(core)
    core.close()


@on_servers
def test_a_server_that_was_restarted_is_read_again(own: OwnServer, namespace: str) -> None:
    server, url = own.server, own.url
    core = with_budget(core_on(url, namespace), timedelta(seconds=5))
    core.read_bounded(one)
    server.stop()
    with pytest.raises(StoreError):
        core.read_bounded(one)
    server.start()
    assert core.read_bounded(one) == 1
    core.close()


def test_a_child_process_reads_by_threads_and_connections_of_its_own(core: Core) -> None:
    core.read_bounded(one)
    child = os.fork()
    if child == 0:
        code = 1
        with suppress(BaseException):
            code = core.read_bounded(one) - 1
        os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    assert core.read_bounded(one) == 1


def test_a_read_sees_its_callers_context_variables(core: Core) -> None:
    REQUEST.set("r-1")
    assert core.read_bounded(lambda tx: REQUEST.get()) == "r-1"


def test_a_signals_handler_interrupts_the_wait_and_may_read_itself(hurried: Core) -> None:
    def handle(number: int, frame: FrameType | None) -> None:
        raise InterruptedError(hurried.read_bounded(one))

    def read() -> None:
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        hurried.read_bounded(wide)

    before = signal.signal(signal.SIGALRM, handle)
    try:
        with pytest.raises(InterruptedError) as caught:
            read()
        assert caught.value.args == (1,)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_closed_connections_are_opened_again(core: Core) -> None:
    core.read_bounded(one)
    core.close()
    assert core.read_bounded(one) == 1


@pytest.mark.parametrize(
    "options", [{"pool_size": 1, "max_overflow": 0}, {"poolclass": NullPool}], ids=["small", "none"]
)
def test_the_sizes_of_the_applications_pool_are_those_of_its_writes(
    options: dict[str, Any], store_url: str, namespace: str
) -> None:
    plain = core_on(store_url, namespace)
    plain.database.options.update(options)
    core = replace(plain)
    meeting = threading.Barrier(READERS)

    def meet(tx: Transaction) -> int:
        meeting.wait(10)
        return one(tx)

    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(core.read_bounded(meet))) for _ in range(READERS)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert found == [1] * READERS
    core.close()
