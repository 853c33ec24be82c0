"""``async with tickerq.outbox``: ``delay`` cannot await, and what it stores commits with the session."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, event, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_scoped_session, async_sessionmaker
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from tests.integration.apps import async_caller_engine, dispatch_due, messages
from tests.tables import tickers
from tickerq_celery import TickerQ
from tickerq_celery.enums import Origin
from tickerq_celery.errors import OtherDatabaseError, TickerValidationError

# aiomysql cannot send bytes with the PyMySQL of these tests.
STORES = pytest.mark.parametrize("store_url", ["sqlite", "postgres"], indirect=True)
ONE = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)


class Base(DeclarativeBase):
    pass


class Order(Base):
    __tablename__ = "outbox_orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    namespace: Mapped[str] = mapped_column(default="")


@pytest.fixture
def run(shop: TickerQ, store_url: str) -> Callable[[Callable[[AsyncEngine], Awaitable[None]]], list[Any]]:
    """Await what is given an engine of the caller's; return the numbers that were called with, in order."""

    def ran(work: Callable[[AsyncEngine], Awaitable[None]]) -> list[Any]:
        async def whole() -> None:
            engine = async_caller_engine(store_url)
            try:
                async with engine.begin() as connection:
                    await connection.run_sync(Base.metadata.create_all)
                await work(engine)
                # What a commit publishes goes on in a thread of the loop's.
                await asyncio.get_running_loop().shutdown_default_executor()
            finally:
                await engine.dispose()

        asyncio.run(whole())
        return sorted(each.request["args"][0] for each in shop.runs.find())

    return ran


@STORES
def test_a_call_commits_with_the_session_and_is_published(shop: TickerQ, add: Any, run: Any) -> None:
    results = []

    async def work(engine: AsyncEngine) -> None:
        async with AsyncSession(engine) as session, shop.outbox(session):
            results.append(add.delay(1))
            assert shop.runs.count() == 0
            await session.commit()

    assert run(work) == [1]
    assert [message.headers["id"] for message in messages(shop)] == [results[0].id]
    assert shop.runs.find()[0].origin is Origin.OUTBOX


@STORES
def test_what_is_rolled_back_or_closed_was_never_called(shop: TickerQ, add: Any, run: Any) -> None:
    async def work(engine: AsyncEngine) -> None:
        async with AsyncSession(engine) as session, shop.outbox(session):
            add.delay(1)
            await session.rollback()
            await session.commit()
            add.delay(2)
            await session.close()
            await session.commit()
            add.delay(3)
            await session.execute(select(1))
            await session.rollback()
            await session.commit()
            # Nor does the session hold on to it.
            assert not any(session.sync_session.info.values())

    assert run(work) == []
    assert messages(shop) == []


@STORES
def test_a_savepoint_that_is_rolled_back_takes_its_calls_along(shop: TickerQ, add: Any, run: Any) -> None:
    async def work(engine: AsyncEngine) -> None:
        async with AsyncSession(engine) as session, shop.outbox(session), session.begin():
            add.delay(1)
            with suppress(ConnectionError):
                async with session.begin_nested():
                    add.delay(-1)
                    async with session.begin_nested():
                        add.delay(-2)
                    raise ConnectionError
            async with session.begin_nested():
                add.delay(2)
            add.delay(3)

    assert run(work) == [1, 2, 3]


@STORES
def test_a_savepoint_whose_flush_fails_takes_its_own_calls_only(shop: TickerQ, add: Any, run: Any) -> None:
    async def work(engine: AsyncEngine) -> None:
        async with AsyncSession(engine) as session, shop.outbox(session), session.begin():
            await session.execute(Order.__table__.delete())
            session.add(Order(id=1))
            await session.flush()
            add.delay(1)
            with suppress(IntegrityError):
                async with session.begin_nested():
                    add.delay(-1)
                    await session.execute(insert(Order).values(id=1, namespace=""))
            add.delay(2)

    assert run(work) == [1, 2]


@STORES
def test_what_waits_is_written_before_a_flush(shop: TickerQ, add: Any, run: Any) -> None:
    counts = []

    async def work(engine: AsyncEngine) -> None:
        own = tickers.c.namespace == shop.config.namespace
        async with AsyncSession(engine) as session, shop.outbox(session), session.begin():
            add.delay(1)
            counts.append(len((await session.scalars(select(tickers.c.id).where(own))).all()))
            session.add(Order(id=2))
            await session.flush()
            counts.append(len((await session.scalars(select(tickers.c.id).where(own))).all()))
            await session.rollback()

    assert run(work) == []
    assert counts == [0, 1]


@STORES
def test_a_call_in_an_event_of_the_flush_of_a_commit_is_stored(shop: TickerQ, add: Any, run: Any) -> None:
    async def work(engine: AsyncEngine) -> None:
        async with AsyncSession(engine) as session, shop.outbox(session):
            event.listen(session.sync_session, "after_flush", lambda *_: add.delay(1))
            session.add(Order(id=3))
            await session.commit()

    assert run(work) == [1]


@STORES
def test_what_runs_in_run_sync_stores_its_calls_at_once(shop: TickerQ, add: Any, run: Any) -> None:
    async def work(engine: AsyncEngine) -> None:
        async with AsyncSession(engine) as session, shop.outbox(session), session.begin():
            await session.run_sync(lambda _: add.delay(1))
            own = select(tickers.c.id).where(tickers.c.namespace == shop.config.namespace)
            assert len((await session.scalars(own)).all()) == 1

    assert run(work) == [1]


@ONE
def test_a_scoped_session_takes_calls(shop: TickerQ, add: Any, run: Any) -> None:
    async def work(engine: AsyncEngine) -> None:
        sessions = async_scoped_session(async_sessionmaker(engine), scopefunc=asyncio.current_task)
        async with shop.outbox(sessions):
            add.delay(1)
        await sessions.commit()
        await sessions.remove()

    assert run(work) == [1]


@STORES
def test_a_connection_takes_calls_with_its_savepoints(shop: TickerQ, add: Any, run: Any) -> None:
    async def work(engine: AsyncEngine) -> None:
        async with engine.connect() as connection, shop.outbox(connection):
            with pytest.raises(TickerValidationError, match="no transaction has begun"):
                add.delay(0)
            async with connection.begin():
                add.delay(1)
                with suppress(ConnectionError):
                    async with connection.begin_nested():
                        add.delay(-1)
                        raise ConnectionError
                async with connection.begin_nested():
                    add.delay(2)
                add.delay(3)
            await connection.begin()
            add.delay(-2)
            await connection.rollback()
            await connection.begin()
            await connection.commit()

    assert run(work) == [1, 2, 3]
    dispatch_due(shop)
    assert len(messages(shop)) == 3


@STORES
def test_all_that_waits_is_one_insert(shop: TickerQ, add: Any, run: Any) -> None:
    inserts = []

    async def work(engine: AsyncEngine) -> None:
        event.listen(
            engine.sync_engine,
            "before_cursor_execute",
            lambda *args: inserts.append(args[2]) if args[2].startswith("INSERT") else None,
        )
        async with AsyncSession(engine) as session, shop.outbox(session), session.begin():
            for number in range(5):
                add.delay(number)

    assert run(work) == [0, 1, 2, 3, 4]
    assert len(inserts) == 1


@ONE
def test_two_tasks_of_a_loop_have_outboxes_of_their_own(shop: TickerQ, add: Any, run: Any) -> None:
    async def work(engine: AsyncEngine) -> None:
        turns = asyncio.Barrier(2)

        async def place(number: int, *, is_kept: bool) -> None:
            async with AsyncSession(engine) as session, shop.outbox(session):
                await turns.wait()
                add.delay(number)
                await turns.wait()
                if is_kept:
                    await session.commit()

        await asyncio.gather(place(1, is_kept=True), place(2, is_kept=False))

    assert run(work) == [1]


@ONE
def test_a_session_on_another_database_fails_the_commit_in_words(
    shop: TickerQ, add: Any, run: Any, tmp_path: Any
) -> None:
    other = Table("things", MetaData(), Column("id", Integer, primary_key=True))

    async def work(engine: AsyncEngine) -> None:
        elsewhere = async_caller_engine(f"sqlite:///{tmp_path}/other.db")
        async with elsewhere.begin() as connection:
            await connection.run_sync(other.metadata.create_all)
        async with AsyncSession(elsewhere) as session, shop.outbox(session):
            await session.execute(insert(other).values(id=1))
            add.delay(1)
            with pytest.raises(OtherDatabaseError):
                await session.commit()
        async with AsyncSession(elsewhere) as session:
            assert (await session.scalars(select(other.c.id))).all() == []
        await elsewhere.dispose()

    assert run(work) == []
