"""A store behind PgBouncer in transaction mode, where two transactions of a client share no session."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, NoReturn
from uuid import UUID

import pytest
from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, make_url, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from tests.inner import Core, Database, Recorder, resolved_url, succeeded, verify
from tests.integration.apps import enrol_worker, execute, messages, row_of, ticker_app
from tests.integration.conftest import send
from tests.integration.making import (
    add_function,
    all_rows,
    at_once,
    attempts_of,
    claim,
    enrolled,
    finish,
    make_runs,
    processes,
    start,
)
from tests.manual_clock import ManualClock
from tests.servers.availability import require
from tests.servers.pgbouncer import SERVER_CONNECTIONS, PgbouncerServer
from tests.servers.pool import SharedServer
from tests.servers.proxy import TcpProxy
from tests.tables import tickers
from tickerq_celery import TickerStatus, TimeTicker
from tickerq_celery.errors import QueryTooWideError
from tickerq_celery.runs import lease_retry
from tickerq_celery.store.database import connections

ROOT = Path(__file__).parents[3]
# Claims what is due, and stays inside of the transaction.
CLAIMING = """
import signal, sys
from tests.integration.apps import ticker_app
from tests.manual_clock import ManualClock
from tickerq_celery.runs.claimer import Claimer
url, namespace = sys.argv[1:]
with ticker_app(url, namespace, ManualClock()) as tickerq:
    def claim_and_stay(tx):
        claimed, _ = Claimer(tickerq.core)._claim(tx, "killed", None, None)
        print(len(claimed.claims), flush=True)
        signal.pause()
    tickerq.core.write(claim_and_stay)
"""


@pytest.fixture(scope="module")
def pooler(
    pytestconfig: pytest.Config, shared_server: Callable[[str], SharedServer]
) -> Iterator[PgbouncerServer]:
    """A PgBouncer with two connections to the PostgreSQL server that all tests share."""
    require(pytestconfig, "pgbouncer")
    with PgbouncerServer(shared_server("postgres")) as server:
        yield server


@pytest.fixture
def direct_url(schema_url: Callable[[str], str]) -> str:
    """The store without the pooler."""
    return schema_url("postgres")


@pytest.fixture
def store_url(pooler: PgbouncerServer, direct_url: str) -> str:
    """The same store through the pooler."""
    return pooler.before(direct_url)


@pytest.fixture
def engine(store_url: str) -> Iterator[Engine]:
    """The caller's own engine, set up for a pooler."""
    made = create_engine(store_url, connect_args={"prepare_threshold": None})
    yield made
    made.dispose()


@pytest.fixture
def worker(core: Core, proxy: TcpProxy, store_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Core]:
    """A node behind the proxy and the pooler; its connections are open."""
    monkeypatch.setattr(lease_retry.time, "sleep", lambda seconds: None)
    with closing(Database(resolved_url(proxy.before(store_url), Path.cwd()), is_for_tests=True)) as database:
        behind = enrolled(replace(core, database=database))
        make_runs(core, 1)
        run_what_is_due(behind)
        yield behind


def server_process(connection: Connection) -> Any:
    return connection.scalar(text("SELECT pg_backend_pid()"))


def use_both_server_connections(database: Database) -> set[int]:
    """Return the server processes of two transactions at once, after which both are the pooler's to lend."""
    with database.engine.connect() as first, database.engine.connect() as second:
        return {server_process(first), server_process(second)}


def count(url: str, source: str) -> int:
    """Return how many rows there are, asked by a client of its own."""
    with create_engine(url, poolclass=NullPool).connect() as connection:
        return int(connection.scalar(text(f"SELECT count(*) FROM {source}")) or 0)


def run_what_is_due(core: Core) -> list[UUID]:
    """Claim, start and finish until nothing is due, and return the runs in the order of their ends."""
    done = []
    while batch := claim(core):
        for each in batch:
            run = start(core, each)
            assert run is not None
            assert finish(core, run, succeeded(run.standing))
            done.append(run.id)
    return done


def test_two_transactions_of_a_client_have_different_server_connections(database: Database) -> None:
    both = use_both_server_connections(database)
    assert len(both) == SERVER_CONNECTIONS
    seen = set()
    with database.engine.connect() as client:
        for _ in range(2):
            seen.add(server_process(client))
            client.rollback()
    assert seen == both


def test_prepared_statements_fail_behind_this_pooler(database: Database) -> None:
    use_both_server_connections(database)
    options = {"connect_args": {"prepare_threshold": 0}}
    with closing(Database(database.url, options=options)) as preparing:
        preparing.read(server_process)
        with pytest.raises(DBAPIError, match="prepared statement"):
            preparing.read(server_process)


def threshold_of(engine: Engine) -> Any:
    with engine.connect() as connection:
        return connection.connection.driver_connection.prepare_threshold


def test_nothing_is_prepared_on_the_server_unless_the_user_asks_for_it(database: Database) -> None:
    assert threshold_of(database.engine) is None
    assert threshold_of(database.autocommitting_engine) is None


def test_without_a_pooler_the_statements_of_a_worker_are_prepared_and_no_others(
    core: Core, direct_url: str
) -> None:
    kept = text("SELECT statement FROM pg_prepared_statements")
    with closing(Database(make_url(direct_url), is_for_tests=True)) as direct:
        assert threshold_of(direct.engine) is None
        make_runs(core, 3)
        run_what_is_due(enrolled(replace(core, database=direct)))
        with direct.autocommitting_engine.connect() as connection:
            statements = list(connection.scalars(kept))
    assert [each.partition(" ")[0] for each in sorted(statements)] == ["UPDATE", "WITH"]


@pytest.mark.parametrize("asked", [None, 7])
def test_how_often_a_statement_is_sent_before_it_is_prepared_is_as_the_user_says(
    direct_url: str, asked: int | None
) -> None:
    options = {"connect_args": {"prepare_threshold": asked}}
    with closing(Database(make_url(direct_url), options=options)) as database:
        thresholds = [threshold_of(each) for each in (database.engine, database.autocommitting_engine)]
    assert thresholds == [asked, asked]


@pytest.mark.parametrize("scheme", ["postgresql+psycopg2", "postgresql+pg8000"])
def test_a_driver_other_than_psycopg_gets_no_option_of_psycopg(
    scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, Any] = {}

    def create(url: URL, **settings: Any) -> Engine:
        given.update(settings)
        # These drivers are not installed.
        return create_engine("postgresql+psycopg://")

    monkeypatch.setattr(connections, "create_engine", create)
    connections.make_engine(make_url(f"{scheme}://h/d"), {})
    assert "prepare_threshold" not in given["connect_args"]


def test_a_reads_budget_ends_with_its_transaction_and_reaches_no_other_client(core: Core) -> None:
    slow = text("SELECT pg_sleep(600)")
    limited = replace(core, config=replace(core.config, read_budget=timedelta(seconds=0.3)))
    with pytest.raises(QueryTooWideError):
        limited.read_bounded(lambda tx: tx.execute(slow))
    settings = "SELECT current_setting('statement_timeout'), current_setting('transaction_read_only')"
    assert limited.read_bounded(lambda tx: tx.execute(text(settings)).one()) == ("300ms", "on")
    # Of each server connection, as any client may get it now.
    with core.database.engine.connect() as first, core.database.engine.connect() as second:
        assert [client.execute(text(settings)).one() for client in (first, second)] == [("0", "off")] * 2
    limited.close()


def test_two_applications_that_migrate_at_once_both_succeed_and_leave_no_lock(
    pooler: PgbouncerServer, namespace: str
) -> None:
    url = pooler.new_database()
    name = make_url(url).database
    with create_engine(pooler.url, poolclass=NullPool).begin() as connection:
        # Who waits for a lock that is never released must fail, not wait.
        connection.execute(text(f"ALTER DATABASE {name} SET lock_timeout = '20s'"))
    with ticker_app(url, namespace) as one, ticker_app(url, namespace) as other:
        at_once(one.create_schema, other.create_schema)
        one.create_schema()
        verify(other.core.database)
    locks = "pg_locks AS l JOIN pg_database AS d ON d.oid = l.database"
    assert count(pooler.url, f"{locks} WHERE locktype = 'advisory' AND datname = '{name}'") == 0
    pooler.drop_database(url)


def test_six_nodes_start_and_finish_each_run_once_over_two_server_connections(
    make_core: Callable[..., Core],
) -> None:
    core = enrolled(make_core(send(), batch_size=10))
    ids = make_runs(core, 300)
    with processes(core, 6) as others:
        done = at_once(*(partial(run_what_is_due, each) for each in others))
    assert sorted(run for each in done for run in each) == sorted(ids)
    assert {(row.status, row.claim_no) for row in all_rows(core)} == {(TickerStatus.DONE, 1)}
    assert {len(attempts_of(core, run)) for run in ids} == {1}


def test_a_plain_run_takes_one_round_trip_for_its_start_and_one_for_its_end(
    core: Core, worker: Core, proxy: TcpProxy
) -> None:
    make_runs(core, 1)
    [claimed] = claim(core)
    proxy.forget()
    run = Recorder(worker).start(claimed.id, claimed.number)
    assert len(proxy.requests) == 1
    assert run is not None
    proxy.forget()
    assert Recorder(worker).finish(run, succeeded(run.standing), elapsed=None) is not None
    assert len(proxy.requests) == 1
    assert [row.status for row in all_rows(core)] == [TickerStatus.DONE] * 2


def test_a_start_and_an_end_whose_answers_are_lost_know_their_own_writes(
    core: Core, worker: Core, proxy: TcpProxy
) -> None:
    [run_id] = make_runs(core, 1)
    [claimed] = claim(core)
    proxy.cut_answer_to(b"UPDATE tickerq_tickers")
    run = Recorder(worker).start(claimed.id, claimed.number)
    assert run is not None
    # Another child of the node, to which the broker has delivered the message as well.
    assert Recorder(worker).start(claimed.id, claimed.number) is None
    proxy.cut_answer_to(b"tickerq_attempts")
    outcome = succeeded(run.standing)
    assert Recorder(worker).finish(run, outcome, elapsed=None) == outcome
    assert proxy.cuts == 2
    assert [attempt.status for attempt in attempts_of(core, run_id)] == [TickerStatus.DONE]


def test_a_client_that_is_killed_within_its_transaction_gives_its_runs_back(
    core: Core, store_url: str
) -> None:
    enrolled(core)
    ids = make_runs(core, 5)
    command = [sys.executable, "-c", CLAIMING, store_url, core.config.namespace]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "5\n"
            assert claim(core) == []
        finally:
            process.kill()
    # Waits for the rows' locks to go.
    standing = select(tickers.c.status, tickers.c.claim_no).where(tickers.c.id.in_(ids)).with_for_update()
    rows = core.database.write(lambda connection: connection.execute(standing).all())
    assert set(rows) == {(TickerStatus.IDLE, 0)}
    assert {each.id for each in claim(core)} == set(ids)


def test_a_callers_rollback_leaves_nothing_and_its_commit_runs(
    engine: Engine, store_url: str, namespace: str, clock: ManualClock
) -> None:
    due = TimeTicker(function="Send")
    ran: list[int] = []
    with ticker_app(store_url, namespace, clock) as tickerq:
        tickerq.function("Send")(lambda: ran.append(1))
        enrol_worker(tickerq)
        # More often than psycopg sends a statement before it prepares it.
        for number in range(1, 8):
            with Session(engine) as session:
                undone = tickerq.time_tickers.add(due, session=session)
                session.rollback()
                assert row_of(tickerq, undone.id) is None
                kept = tickerq.time_tickers.add(due, session=session)
                assert messages(tickerq) == []
                session.commit()
            execute(tickerq)
            assert len(ran) == number
            assert row_of(tickerq, kept.id).status is TickerStatus.DONE


@pytest.mark.parametrize("pooled", [True, False])
def test_clients_that_have_ended_their_transactions_hold_no_server_connection(
    database: Database, direct_url: str, namespace: str, pooled: bool
) -> None:
    def fail(connection: Connection) -> NoReturn:
        add_function(connection, namespace, "Undone")
        raise ZeroDivisionError

    with ExitStack() as stack:
        for number in range(6):
            client = stack.enter_context(closing(Database(database.url, pooled=pooled)))
            client.write(partial(add_function, namespace=namespace, name=f"Send{number}"))
            client.read(server_process)
            with pytest.raises(ZeroDivisionError):
                client.write(fail)
        busy = "backend_type = 'client backend' AND state <> 'idle' AND pid <> pg_backend_pid()"
        assert count(direct_url, f"pg_stat_activity WHERE datname = current_database() AND {busy}") == 0
        assert len(use_both_server_connections(database)) == SERVER_CONNECTIONS
