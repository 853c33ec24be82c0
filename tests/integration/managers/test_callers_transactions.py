"""Scheduling inside the caller's own transaction: both commit, or neither."""

import asyncio
import logging
import re
import threading
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID, uuid4

import pytest
from celery.signals import before_task_publish
from kombu import Connection
from sqlalchemy import Engine, create_engine, func, select, text
from sqlalchemy.ext.asyncio import (
    AsyncConnection,
    AsyncEngine,
    AsyncSession,
    async_scoped_session,
    async_sessionmaker,
)
from sqlalchemy.orm import Session, scoped_session, sessionmaker

from tests.inner import Claimed, Claimer, Dispatcher
from tests.integration.apps import (
    async_caller_engine,
    caller_engine,
    dispatch_due,
    published,
    row_of,
)
from tests.integration.broker.cutting_proxy import cutting_proxy
from tests.manual_clock import START, ManualClock
from tests.servers.pool import SharedServer
from tests.servers.ports import free_port
from tests.servers.schema_template import make_schema
from tests.tables import tickers
from tickerq_celery import CronTicker, TickerQ, TickerStatus, TimeTicker, prepare_sqlite_engine
from tickerq_celery.errors import (
    DuplicateTickerError,
    InvalidCronError,
    OtherDatabaseError,
    StoreError,
    TickerStateError,
    TickerValidationError,
)

T = TypeVar("T")
DUE = TimeTicker(function="Send")
HOURLY = CronTicker(function="Send", expression="@hourly")


def add(tickerq: TickerQ, session: object, ticker: TimeTicker = DUE) -> Any:
    return tickerq.time_tickers.add(ticker, session=session).id


def test_a_commit_stores_and_publishes_at_once(tickerq: TickerQ, engine: Engine) -> None:
    with Session(engine) as session:
        run = add(tickerq, session)
        assert published(tickerq) == []
        session.commit()
        assert published(tickerq) == [run]
    assert row_of(tickerq, run).status is TickerStatus.QUEUED


def test_a_rollback_leaves_nothing(tickerq: TickerQ, engine: Engine) -> None:
    with Session(engine) as session:
        run = add(tickerq, session)
        session.rollback()
        session.commit()
        assert row_of(tickerq, run) is None
        other = add(tickerq, session)
        session.commit()
    assert published(tickerq) == [other]


def test_a_session_that_is_closed_leaves_nothing(tickerq: TickerQ, engine: Engine) -> None:
    with Session(engine) as session:
        run = add(tickerq, session)
    assert row_of(tickerq, run) is None
    assert published(tickerq) == []


@pytest.mark.parametrize("unique_key", [None, "k"])
def test_a_rollback_leaves_nothing_on_an_engine_without_options(
    tickerq: TickerQ, store_url: str, unique_key: str | None
) -> None:
    plain = create_engine(store_url)
    with Session(plain) as session:
        run = add(tickerq, session, TimeTicker(function="Send", unique_key=unique_key))
        session.rollback()
    plain.dispose()
    assert row_of(tickerq, run) is None
    assert published(tickerq) == []


def test_a_later_ticker_is_stored_and_not_published(tickerq: TickerQ, engine: Engine) -> None:
    with Session(engine) as session:
        run = add(tickerq, session, TimeTicker(function="Send", execution_time=START + timedelta(hours=1)))
        session.commit()
    assert row_of(tickerq, run).due_at == START + timedelta(hours=1)
    assert published(tickerq) == []


def test_a_savepoint_that_is_rolled_back_takes_its_tickers_along(tickerq: TickerQ, engine: Engine) -> None:
    with Session(engine) as session:
        kept = add(tickerq, session)
        savepoint = session.begin_nested()
        lost = add(tickerq, session)
        savepoint.rollback()
        session.commit()
    assert row_of(tickerq, lost) is None
    assert published(tickerq) == [kept]


def test_a_savepoint_that_is_released_publishes_with_the_outer_commit(
    tickerq: TickerQ, engine: Engine
) -> None:
    with Session(engine) as session:
        with session.begin_nested():
            run = add(tickerq, session)
        assert published(tickerq) == []
        session.commit()
    assert published(tickerq) == [run]


def test_a_released_savepoint_is_lost_with_the_outer_transaction(tickerq: TickerQ, engine: Engine) -> None:
    with Session(engine) as session:
        with session.begin_nested():
            run = add(tickerq, session)
        session.rollback()
    assert row_of(tickerq, run) is None
    assert published(tickerq) == []


JOINED = ["conditional_savepoint", "rollback_only", "create_savepoint"]


@pytest.mark.parametrize("mode", JOINED)
def test_an_outer_transaction_that_is_rolled_back_leaves_nothing(
    tickerq: TickerQ, engine: Engine, mode: Any
) -> None:
    with engine.connect() as connection:
        outer = connection.begin()
        with Session(connection, join_transaction_mode=mode) as session:
            run = add(tickerq, session)
            session.commit()
        assert published(tickerq) == []
        outer.rollback()
    assert row_of(tickerq, run) is None
    assert published(tickerq) == []


@pytest.mark.parametrize("mode", JOINED)
def test_an_outer_transaction_that_commits_later_leaves_the_run_to_beat(
    tickerq: TickerQ, engine: Engine, mode: Any
) -> None:
    with engine.begin() as connection, Session(connection, join_transaction_mode=mode) as session:
        run = add(tickerq, session)
        session.commit()
    assert row_of(tickerq, run).status is TickerStatus.IDLE
    assert published(tickerq) == []
    dispatch_due(tickerq)
    assert published(tickerq) == [run]


def test_a_bad_ticker_of_a_batch_stores_none_in_the_callers_session(tickerq: TickerQ, engine: Engine) -> None:
    with Session(engine) as session:
        kept = add(tickerq, session)
        with pytest.raises(TickerValidationError):
            tickerq.time_tickers.add_batch([DUE, TimeTicker(function="Send", retries=-1)], session=session)
        session.commit()
    assert [run.id for run in tickerq.time_tickers.find()] == [kept]


def test_a_taken_key_leaves_the_callers_transaction_usable(tickerq: TickerQ, engine: Engine) -> None:
    keyed = TimeTicker(function="Send", unique_key="k")
    with Session(engine) as session:
        add(tickerq, session, keyed)
        with pytest.raises(DuplicateTickerError):
            add(tickerq, session, keyed)
        add(tickerq, session)
        session.commit()
    assert len(published(tickerq)) == 2
    assert len(tickerq.time_tickers.find()) == 2


@pytest.mark.parametrize("level", ["READ COMMITTED", "REPEATABLE READ"])
@pytest.mark.parametrize("store_url", ["postgres", "mariadb"], indirect=True)  # SQLite has one writer
def test_a_key_that_was_taken_after_the_callers_snapshot_is_named(
    tickerq: TickerQ, engine: Engine, level: Any
) -> None:
    free, taken = (TimeTicker(function="Send", unique_key=key) for key in ("free", "taken"))
    with Session(engine.execution_options(isolation_level=level)) as session:
        session.execute(select(func.count()).select_from(tickers)).one()
        add(tickerq, None, taken)
        with pytest.raises(DuplicateTickerError) as caught:
            tickerq.time_tickers.add_batch([DUE, free, taken], session=session)
        assert caught.value.unique_key == "taken"
        kept = add(tickerq, session, free)
        session.commit()
    assert len(tickerq.time_tickers.find()) == 2
    assert row_of(tickerq, kept).unique_key == "free"


def test_a_change_commits_with_the_callers_data_and_publishes_what_it_makes_due(
    tickerq: TickerQ, engine: Engine
) -> None:
    run = tickerq.time_tickers.add(replace(DUE, execution_time=START + timedelta(hours=1)))
    with Session(engine) as session:
        tickerq.time_tickers.update(run.id, session=session, execution_time=None)
        session.rollback()
        assert tickerq.time_tickers.get(run.id) == run
        changed = tickerq.time_tickers.update(run.id, session=session, execution_time=None)
        assert (changed.status, published(tickerq)) == (TickerStatus.IDLE, [])
        session.commit()
    assert published(tickerq) == [run.id]


def test_a_bad_change_of_a_batch_stores_none_though_the_caller_goes_on(
    tickerq: TickerQ, engine: Engine
) -> None:
    good, ended = (
        tickerq.time_tickers.add(replace(DUE, execution_time=START + timedelta(hours=1))) for _ in range(2)
    )
    tickerq.runs.cancel(ended.id)
    crons = [tickerq.cron_tickers.add(CronTicker(function="Send", expression="0 * * * *")) for _ in range(2)]
    bad_cron = {crons[0].id: {"retries": 9}, crons[1].id: {"expression": "60 * * * *"}}
    with Session(engine) as session:
        with pytest.raises(TickerStateError):
            tickerq.time_tickers.update_batch(
                {good.id: {"retries": 9}, ended.id: {"retries": 9}}, session=session
            )
        with pytest.raises(InvalidCronError):
            tickerq.cron_tickers.update_batch(bad_cron, session=session)
        session.commit()
    assert tickerq.time_tickers.get(good.id).retries == 0
    assert tickerq.cron_tickers.get(crons[0].id).retries == 0


def test_a_change_of_a_cron_ticker_commits_with_the_callers_data(tickerq: TickerQ, engine: Engine) -> None:
    cron = tickerq.cron_tickers.add(CronTicker(function="Send", expression="0 * * * *"))
    with Session(engine) as session:
        tickerq.cron_tickers.update(cron.id, session=session, expression="30 * * * *")
        session.rollback()
        assert tickerq.cron_tickers.get(cron.id) == cron
        tickerq.cron_tickers.update(cron.id, session=session, expression="30 * * * *")
        session.commit()
    assert tickerq.cron_tickers.get(cron.id).expression == "30 * * * *"


def test_one_session_serves_one_transaction_after_another(tickerq: TickerQ, engine: Engine) -> None:
    with Session(engine) as session:
        runs = []
        for _ in range(3):
            runs += [add(tickerq, session), add(tickerq, session)]
            session.commit()
            assert published(tickerq) == runs[-2:]


@pytest.mark.parametrize("store_url", ["postgres", "mariadb"], indirect=True)  # SQLite has one writer
def test_two_sessions_publish_their_own_runs_only(tickerq: TickerQ, engine: Engine) -> None:
    with Session(engine) as first, Session(engine) as second, Session(engine) as third:
        mine, theirs, lost = add(tickerq, first), add(tickerq, second), add(tickerq, third)
        second.commit()
        assert published(tickerq) == [theirs]
        third.rollback()
        first.commit()
        assert published(tickerq) == [mine]
    assert row_of(tickerq, lost) is None


def test_a_scoped_session_is_a_session(tickerq: TickerQ, engine: Engine) -> None:
    sessions = scoped_session(sessionmaker(engine))
    run = add(tickerq, sessions)
    sessions.commit()
    sessions.remove()
    assert published(tickerq) == [run]


SESSION_VERBS = {
    "time_tickers.add": lambda tickerq, session: tickerq.time_tickers.add(DUE, session=session),
    "time_tickers.add_batch": lambda tickerq, session: tickerq.time_tickers.add_batch([DUE], session=session),
    "time_tickers.update": lambda tickerq, session: tickerq.time_tickers.update(uuid4(), session=session),
    "time_tickers.update_batch": lambda tickerq, session: tickerq.time_tickers.update_batch(
        {uuid4(): {}}, session=session
    ),
    "cron_tickers.add": lambda tickerq, session: tickerq.cron_tickers.add(HOURLY, session=session),
    "cron_tickers.add_batch": lambda tickerq, session: tickerq.cron_tickers.add_batch(
        [HOURLY], session=session
    ),
    "cron_tickers.update": lambda tickerq, session: tickerq.cron_tickers.update(uuid4(), session=session),
    "cron_tickers.update_batch": lambda tickerq, session: tickerq.cron_tickers.update_batch(
        {uuid4(): {}}, session=session
    ),
}


@pytest.mark.parametrize("verb", SESSION_VERBS)
@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_an_error_names_the_async_verb_to_asynchronous_callers(
    tickerq: TickerQ, store_url: str, verb: str
) -> None:
    engine = async_caller_engine(store_url)
    scoped = async_scoped_session(async_sessionmaker(engine), scopefunc=object)
    named = re.escape(f"await tickerq.aio.{verb}(…, session=session)")
    for session in (AsyncSession(engine), AsyncConnection(engine), scoped):
        with pytest.raises(TickerValidationError, match=named):
            SESSION_VERBS[verb](tickerq, session)


@pytest.mark.parametrize("verb", SESSION_VERBS)
@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_an_async_verb_refuses_a_sync_session(tickerq: TickerQ, engine: Engine, verb: str) -> None:
    named = re.escape(f"a sync one goes to tickerq.{verb}(…, session=session)")
    with Session(engine) as session, pytest.raises(TickerValidationError, match=named):
        asyncio.run(SESSION_VERBS[verb](tickerq.aio, session))
    assert not tickerq.runs.find()


@pytest.mark.parametrize("make", [lambda: "session", sessionmaker, object])
@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_what_is_no_session_is_refused(tickerq: TickerQ, make: Callable[[], object]) -> None:
    for manager, ticker in (
        (tickerq.time_tickers, DUE),
        (tickerq.cron_tickers, CronTicker(function="Send", expression="* * * * *")),
    ):
        with pytest.raises(TickerValidationError, match=r"sqlalchemy\.orm\.Session") as caught:
            manager.add(ticker, session=make())
        assert caught.value.field == "session"


def test_a_cron_ticker_commits_with_the_callers_data(tickerq: TickerQ, engine: Engine) -> None:
    ticker = CronTicker(function="Send", expression="* * * * *")
    with Session(engine) as session:
        tickerq.cron_tickers.add(ticker, session=session)
        session.rollback()
        assert not tickerq.cron_tickers.find()
        cron = tickerq.cron_tickers.add(ticker, session=session)
        session.commit()
    assert [each.id for each in tickerq.cron_tickers.find()] == [cron.id]


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> list[Connection]:
    """The connections to a broker that were opened, or that it was tried to open."""
    made: list[Connection] = []
    connect = Connection.ensure_connection

    def noted(connection: Connection, *arguments: Any, **options: Any) -> Any:
        made.append(connection)
        return connect(connection, *arguments, **options)

    monkeypatch.setattr(Connection, "ensure_connection", noted)
    return made


@pytest.fixture
def dispatches(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """One item for each time that the application has turned to the broker, with a connection or without."""
    made: list[None] = []
    dispatch = Dispatcher.dispatch

    def noted(*arguments: Any, **options: Any) -> bool:
        made.append(None)
        return dispatch(*arguments, **options)

    monkeypatch.setattr(Dispatcher, "dispatch", noted)
    return made


@pytest.mark.parametrize("with_session", [False, True])
@pytest.mark.parametrize("broker", ["redis", "amqp"])
def test_a_broker_that_is_down_costs_one_wait_and_no_run(
    tickerq: TickerQ,
    engine: Engine,
    connections: list[Connection],
    caplog: pytest.LogCaptureFixture,
    broker: str,
    with_session: bool,
) -> None:
    tickerq.app.conf.broker_url = f"{broker}://127.0.0.1:{free_port()}"
    with caplog.at_level(logging.WARNING), Session(engine) as session:
        runs = []
        for _ in range(5):
            runs.append(add(tickerq, session if with_session else None))
            session.commit()
    assert [(row_of(tickerq, run).status, row_of(tickerq, run).due_at) for run in runs] == [(0, START)] * 5
    assert sum("beat will publish" in record.message for record in caplog.records) == len(connections) == 1


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_broker_that_is_back_is_asked_again(tickerq: TickerQ, clock: ManualClock) -> None:
    tickerq.app.conf.broker_url = f"redis://127.0.0.1:{free_port()}"
    add(tickerq, None)
    tickerq.app.conf.broker_url = "memory://"
    add(tickerq, None)
    assert published(tickerq) == []
    clock.advance(seconds=6)
    run = add(tickerq, None)
    assert published(tickerq) == [run]


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("kind", ["redis", "rabbitmq"])
@pytest.mark.parametrize("is_known", [False, True])
def test_a_broker_that_hangs_costs_one_short_wait_and_no_run(
    tickerq: TickerQ,
    connections: list[Connection],
    dispatches: list[None],
    shared_server: Callable[[str], SharedServer],
    kind: str,
    is_known: bool,
) -> None:
    broker = shared_server(kind)
    url = broker.new_database()
    with cutting_proxy(url) as proxy:
        tickerq.app.conf.broker_url = proxy.url
        if is_known:
            add(tickerq, None)
        proxy.is_mute = True
        dispatches.clear()
        runs = [add(tickerq, None) for _ in range(3)]
        tickerq.close()
    broker.drop_database(url)
    # How short a wait is shows in the clock only; without an end to it this would hang.
    assert (len(dispatches), len(connections)) == (1, 1)
    assert {row_of(tickerq, run).status for run in runs} == {TickerStatus.IDLE}


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_ticker_that_is_added_while_another_is_published_is_left_to_beat(tickerq: TickerQ) -> None:
    added: list[UUID] = []

    def add_another(**_: Any) -> None:
        if not added:
            added.append(add(tickerq, None))

    before_task_publish.connect(add_another)
    try:
        outer = add(tickerq, None)
    finally:
        before_task_publish.disconnect(add_another)
    assert published(tickerq) == [outer]
    dispatch_due(tickerq)
    assert published(tickerq) == added


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_call_that_does_not_get_the_publisher_in_time_is_left_to_beat(
    tickerq: TickerQ, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tickerq_celery.runs.immediate.LOCK_WAIT_SECONDS", 0.01)
    added: list[UUID] = []

    def add_elsewhere(**_: Any) -> None:
        other = threading.Thread(target=lambda: added.append(add(tickerq, None)))
        other.start()
        other.join(30)

    before_task_publish.connect(add_elsewhere)
    try:
        outer = add(tickerq, None)
    finally:
        before_task_publish.disconnect(add_elsewhere)
    assert published(tickerq) == [outer]
    assert [row_of(tickerq, run).status for run in added] == [TickerStatus.IDLE]


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_large_batch_is_published_at_once_up_to_the_batch_size(
    tickerq: TickerQ, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    claim = Claimer.claim

    def counted(self: Claimer, *, holder: str, ids: Any = None) -> Claimed:
        asked.append(len(ids))
        return claim(self, holder=holder, ids=ids)

    monkeypatch.setattr(Claimer, "claim", counted)
    tickerq.time_tickers.add_batch([DUE] * 510)
    assert asked == [tickerq.config.batch_size] == [500]
    assert len(published(tickerq)) == 500


def test_a_connection_takes_tickers_along_and_leaves_their_publication_to_beat(
    tickerq: TickerQ, engine: Engine
) -> None:
    with engine.connect() as connection:
        lost = add(tickerq, connection)
        connection.rollback()
        with connection.begin():
            kept = add(tickerq, connection)
            with connection.begin_nested() as savepoint:
                undone = add(tickerq, connection)
                savepoint.rollback()
    assert (row_of(tickerq, lost), row_of(tickerq, undone)) == (None, None)
    assert published(tickerq) == []
    dispatch_due(tickerq)
    assert published(tickerq) == [kept]


def run_async(store_url: str, work: Callable[[AsyncEngine], Coroutine[Any, Any, T]]) -> T:
    async def with_engine() -> T:
        engine = async_caller_engine(store_url)
        try:
            return await work(engine)
        finally:
            await engine.dispose()

    return asyncio.run(with_engine())


def test_an_async_session_commits_and_publishes_or_leaves_nothing(tickerq: TickerQ, store_url: str) -> None:
    async def work(engine: AsyncEngine) -> tuple[UUID, UUID]:
        async with AsyncSession(engine) as session:
            lost = (await tickerq.aio.time_tickers.add(DUE, session=session)).id
            await session.rollback()
            async with session.begin():
                async with session.begin_nested():
                    [kept] = await tickerq.aio.time_tickers.add_batch([DUE], session=session)
                assert published(tickerq) == []
        return lost, kept.id

    lost, kept = run_async(store_url, work)
    assert row_of(tickerq, lost) is None
    assert published(tickerq) == [kept]


def test_an_update_in_an_async_session_commits_and_publishes_or_changes_nothing(
    tickerq: TickerQ, store_url: str
) -> None:
    run = tickerq.time_tickers.add(replace(DUE, execution_time=START + timedelta(hours=1)))

    async def work(engine: AsyncEngine) -> None:
        update = tickerq.aio.time_tickers.update
        async with AsyncSession(engine) as session:
            await update(run.id, session=session, execution_time=None)
            await session.rollback()
            assert await tickerq.aio.time_tickers.get(run.id) == run
            async with session.begin():
                await update(run.id, session=session, execution_time=None)
                assert published(tickerq) == []

    run_async(store_url, work)
    assert published(tickerq) == [run.id]


def test_cron_tickers_are_part_of_an_async_session_too(tickerq: TickerQ, store_url: str) -> None:
    async def work(engine: AsyncEngine) -> UUID:
        async with AsyncSession(engine) as session:
            await tickerq.aio.cron_tickers.add(HOURLY, session=session)
            await session.rollback()
            async with session.begin():
                [kept] = await tickerq.aio.cron_tickers.add_batch([HOURLY], session=session)
                await tickerq.aio.cron_tickers.update(kept.id, session=session, description="changed")
                [same] = await tickerq.aio.cron_tickers.update_batch(
                    {kept.id: {"tags": ["eu"]}}, session=session
                )
        assert (same.description, same.tags) == ("changed", ("eu",))
        return kept.id

    kept = run_async(store_url, work)
    assert [(cron.id, cron.description) for cron in tickerq.cron_tickers.find()] == [(kept, "changed")]


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_an_event_loop_reads_page_by_page_and_pauses(tickerq: TickerQ) -> None:
    async def work() -> list[UUID]:
        aio = tickerq.aio
        await aio.time_tickers.add_batch([DUE] * 5)
        assert await aio.runs.count() == 5
        assert len(await aio.time_tickers.find(limit=3)) == 3
        pause = await aio.pauses.pause(function="Send")
        assert await aio.pauses.resume(function="Send") == pause
        return [run.id async for run in aio.runs.iterate(page_size=2, function="Send")]

    assert asyncio.run(work()) == [run.id for run in tickerq.runs.iterate()]


def test_an_async_connection_commits_or_leaves_nothing(tickerq: TickerQ, store_url: str) -> None:
    async def work(engine: AsyncEngine) -> tuple[UUID, UUID]:
        async with engine.connect() as connection:
            lost = (await tickerq.aio.time_tickers.add(DUE, session=connection)).id
            await connection.rollback()
            kept = (await tickerq.aio.time_tickers.add(DUE, session=connection)).id
            await connection.commit()
        return lost, kept

    lost, kept = run_async(store_url, work)
    assert (row_of(tickerq, lost), row_of(tickerq, kept).status) == (None, TickerStatus.IDLE)


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_an_async_verb_without_a_session_commits_by_itself_and_off_the_loop(
    tickerq: TickerQ, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[int] = []
    run_it = tickerq.core.database.run

    def noted(*arguments: Any, **options: Any) -> Any:
        threads.append(threading.get_ident())
        return run_it(*arguments, **options)

    monkeypatch.setattr(tickerq.core.database, "run", noted)
    run = asyncio.run(tickerq.aio.time_tickers.add(DUE))
    assert published(tickerq) == [run.id]
    assert threading.get_ident() not in threads
    cron = asyncio.run(tickerq.aio.cron_tickers.add(CronTicker(function="Send", expression="* * * * *")))
    assert [each.id for each in tickerq.cron_tickers.find()] == [cron.id]


def test_a_session_on_a_database_without_a_store_is_refused_and_stays_usable(
    tickerq: TickerQ, empty_database_url: str
) -> None:
    theirs = caller_engine(empty_database_url)
    with Session(theirs) as session:
        session.execute(text("CREATE TABLE mine (id INTEGER)"))
        with pytest.raises(OtherDatabaseError, match="holds no ticker store") as caught:
            add(tickerq, session)
        session.execute(text("INSERT INTO mine VALUES (1)"))
        session.commit()
        assert session.scalar(text("SELECT count(*) FROM mine")) == 1
    theirs.dispose()
    assert caught.value.found is None


def test_a_session_on_another_store_is_refused(tickerq: TickerQ, empty_database_url: str) -> None:
    make_schema(empty_database_url)
    theirs = caller_engine(empty_database_url)
    with (
        Session(theirs) as session,
        pytest.raises(OtherDatabaseError, match="holds the ticker store") as caught,
    ):
        add(tickerq, session)
    theirs.dispose()
    assert caught.value.found != caught.value.store_id


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_on_sqlite_a_caller_that_has_read_is_refused_clearly_or_begins_as_a_writer(
    tickerq: TickerQ, engine: Engine, store_url: str
) -> None:
    def read_then_add(theirs: Engine) -> None:
        with Session(theirs) as session:
            session.execute(select(func.count()).select_from(tickers)).one()
            writer = threading.Thread(target=add, args=(tickerq, None))
            writer.start()
            writer.join(0.3)
            add(tickerq, session)
            session.commit()
            writer.join(30)

    with pytest.raises(StoreError, match="prepare_sqlite_engine"):
        read_then_add(engine)
    prepared = create_engine(store_url)
    prepare_sqlite_engine(prepared)
    read_then_add(prepared)
    prepared.dispose()
    assert len(tickerq.time_tickers.find()) == 3
