"""``tickerq.outbox``: calls of tasks commit with a session, or never were."""

import asyncio
import contextvars
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from celery import chain, chord, group
from celery._state import _task_stack
from celery.exceptions import Retry
from redis import Redis
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.orm import Session, scoped_session, sessionmaker

from tests.integration.apps import async_caller_engine, dispatch_due, messages
from tests.manual_clock import START, ManualClock
from tests.servers.pool import SharedServer
from tests.servers.schema_template import make_schema
from tickerq_celery import TickerQ, TickerStatus, TimeTicker
from tickerq_celery.enums import Origin
from tickerq_celery.errors import (
    CallNotKeptError,
    ConfigError,
    OtherDatabaseError,
    TickerValidationError,
)

HOUR = 3600
ONE_STORE = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)


def sent(tickerq: TickerQ) -> list[str]:
    """Take what waits in the app's queue, as task ids."""
    return [message.headers["id"] for message in messages(tickerq)]


def stored(tickerq: TickerQ) -> list[Any]:
    return list(tickerq.runs.find())


def test_a_call_is_a_row_of_the_transaction_and_sent_once_that_has_committed(
    shop: TickerQ, add: Any, engine: Engine
) -> None:
    with Session(engine) as session, shop.outbox(session):
        result = add.delay(1, 2)
        assert (sent(shop), stored(shop)) == ([], [])
        session.commit()
    assert sent(shop) == [result.id]
    (run,) = stored(shop)
    assert isinstance(result, shop.app.AsyncResult)
    assert (run.task_id, run.function, run.origin) == (result.id, "shop.add", Origin.OUTBOX)
    assert (run.status, run.execution_time) == (TickerStatus.DONE, START)
    assert (run.request["args"], run.request["kwargs"]) == ([1, 2], {})


def test_what_is_rolled_back_was_never_called(shop: TickerQ, add: Any, engine: Engine) -> None:
    with Session(engine) as session, shop.outbox(session):
        add.delay(1)
        session.rollback()
        session.commit()
        add.delay(2)
    dispatch_due(shop)
    assert (sent(shop), stored(shop)) == ([], [])


def test_the_commit_may_follow_the_block(shop: TickerQ, add: Any, engine: Engine) -> None:
    with Session(engine) as session, session.begin():
        with shop.outbox(session):
            kept = add.delay(1)
        outside = add.delay(2)
        assert sent(shop) == [outside.id]
    assert sent(shop) == [kept.id]


def test_a_savepoint_that_is_rolled_back_takes_its_calls_along(
    shop: TickerQ, add: Any, engine: Engine
) -> None:
    with Session(engine) as session, shop.outbox(session), session.begin():
        before = add.delay(0)
        with suppress(ConnectionError), session.begin_nested():
            add.delay(1)
            with session.begin_nested():
                add.delay(2)
            raise ConnectionError
        with session.begin_nested():
            released = add.delay(3)
        after = add.delay(4)
    assert sorted(sent(shop)) == sorted([before.id, released.id, after.id])


def test_the_calls_of_a_transaction_are_published_together(
    shop: TickerQ, add: Any, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches = []
    immediate = shop._process.get().immediate
    dispatch = immediate._dispatch
    monkeypatch.setattr(
        immediate, "_dispatch", lambda ids, calls: (batches.append(len(calls)), dispatch(ids, calls))
    )
    with Session(engine) as session, shop.outbox(session):
        for first, last in ((0, 5), (5, 8)):
            calls = [add.delay(number) for number in range(first, last)]
            session.commit()
            assert sorted(sent(shop)) == sorted(call.id for call in calls)
    assert batches == [5, 3]


def test_each_call_is_one_insert_of_the_transaction_that_is_there(
    shop: TickerQ, add: Any, engine: Engine
) -> None:
    with Session(engine) as session, shop.outbox(session):
        add.delay(0)
        session.commit()
        statements: list[str] = []
        event.listen(
            engine, "before_cursor_execute", lambda *args: statements.append(args[2].split(maxsplit=1)[0])
        )
        add.delay(1)
        add.delay(2)
        # By the other two SQLite begins to write.
        assert [each for each in statements if each not in {"BEGIN", "DELETE"}] == ["INSERT", "INSERT"]


@ONE_STORE
def test_what_dies_before_it_published_leaves_the_call_to_beat(
    shop: TickerQ, add: Any, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shop._process.get().immediate, "_dispatch", lambda ids, calls: None)
    with Session(engine) as session, shop.outbox(session):
        result = add.delay(1)
        session.commit()
    assert sent(shop) == []
    dispatch_due(shop)
    assert sent(shop) == [result.id]


def test_a_scoped_session_and_a_connection_take_calls(shop: TickerQ, add: Any, engine: Engine) -> None:
    sessions = scoped_session(sessionmaker(engine))
    with shop.outbox(sessions):
        first = add.delay(1)
    sessions.commit()
    sessions.remove()
    assert sent(shop) == [first.id]
    with engine.connect() as connection, shop.outbox(connection):
        second = add.delay(2)
        with suppress(ConnectionError), connection.begin_nested():
            add.delay(3)
            raise ConnectionError
        connection.commit()
    # A connection has no event for its commit.
    assert sent(shop) == []
    dispatch_due(shop)
    assert sent(shop) == [second.id]


@pytest.mark.parametrize("store_url", ["postgres", "mariadb"], indirect=True)  # SQLite has one writer
def test_the_innermost_of_two_blocks_takes_a_call(shop: TickerQ, add: Any, engine: Engine) -> None:
    with Session(engine) as outer, Session(engine) as inner, shop.outbox(outer):
        first = add.delay(1)
        with shop.outbox(inner):
            second = add.delay(2)
        third = add.delay(3)
        inner.commit()
        assert sent(shop) == [second.id]
        outer.commit()
    assert sorted(sent(shop)) == sorted([first.id, third.id])


@ONE_STORE
def test_nested_blocks_of_one_session_are_one(shop: TickerQ, add: Any, engine: Engine) -> None:
    with Session(engine) as session, shop.outbox(session):
        with shop.outbox(session):
            first = add.delay(1)
        second = add.delay(2)
        session.commit()
    assert sorted(sent(shop)) == sorted([first.id, second.id])


@ONE_STORE
def test_calls_of_another_app_are_its_own(shop: TickerQ, add: Any, engine: Engine, namespace: str) -> None:
    from celery import Celery

    with Celery(f"{namespace}-other", broker="memory://", set_as_current=False) as other:
        other.conf.task_default_queue = f"{namespace}-other"

        @other.task(name="shop.plain", shared=False)
        def plain() -> None: ...

        with Session(engine) as session, shop.outbox(session):
            plain.delay()
        with other.connection_for_read() as connection, connection.channel() as channel:
            assert other.amqp.queues[f"{namespace}-other"](channel).get(no_ack=True) is not None
    assert stored(shop) == []


def in_a_thread(call: Callable[[], Any]) -> None:
    thread = threading.Thread(target=call)
    thread.start()
    thread.join()


def in_a_thread_with_the_context(call: Callable[[], Any]) -> None:
    context = contextvars.copy_context()
    in_a_thread(lambda: context.run(call))


def by_to_thread(call: Callable[[], Any]) -> None:
    asyncio.run(asyncio.to_thread(call))


@ONE_STORE
@pytest.mark.parametrize("elsewhere", [in_a_thread, in_a_thread_with_the_context, by_to_thread])
def test_another_thread_is_not_caught(
    shop: TickerQ, add: Any, engine: Engine, elsewhere: Callable[[Callable[[], Any]], None]
) -> None:
    with Session(engine) as session, shop.outbox(session):
        elsewhere(lambda: add.delay(1))
        assert len(sent(shop)) == 1
        session.commit()
    assert stored(shop) == []


@ONE_STORE
def test_another_asyncio_task_is_not_caught(shop: TickerQ, add: Any, engine: Engine) -> None:
    async def calls() -> None:
        with Session(engine) as session, shop.outbox(session):
            await asyncio.create_task(asyncio.to_thread(lambda: None))

            async def other() -> None:
                add.delay(1)

            await asyncio.gather(other())
            assert len(sent(shop)) == 1
            add.delay(2)
            session.commit()

    asyncio.run(calls())
    assert [run.request["args"] for run in stored(shop)] == [[2]]


@ONE_STORE
def test_a_block_that_was_left_in_another_context_takes_nothing_more(
    shop: TickerQ, add: Any, engine: Engine
) -> None:
    with Session(engine) as session:
        block = shop.outbox(session)
        block.__enter__()
        contextvars.copy_context().run(block.__exit__, None, None, None)
        result = add.delay(1)
        assert sent(shop) == [result.id]
    assert stored(shop) == []


@ONE_STORE
def test_a_later_call_is_published_when_it_is_due(
    shop: TickerQ, add: Any, engine: Engine, clock: ManualClock
) -> None:
    with Session(engine) as session, shop.outbox(session):
        soon = add.apply_async((1,), countdown=5)
        past = add.apply_async((2,), eta=START - timedelta(hours=1))
        session.commit()
    assert sent(shop) == [past.id]
    clock.advance(seconds=5)
    dispatch_due(shop)
    (message,) = messages(shop)
    assert (message.headers["id"], message.headers["eta"]) == (soon.id, None)


CANVAS: dict[str, Callable[[Any], Any]] = {
    "signature": lambda add: add.s(1).delay(),
    "group": lambda add: group(add.s(1), add.s(2)).apply_async(),
    "chain": lambda add: chain(add.s(1), add.s(2)).apply_async(),
    "map": lambda add: add.map([(1,), (2,)]).apply_async(),
    "chunks": lambda add: add.chunks([(1,), (2,)], 1).apply_async(),
    "by name": lambda add: add.app.send_task("other.unknown", (1,)),
    "chord": lambda add: chord([add.s(1), add.s(2)], add.s()).apply_async(),
}


@ONE_STORE
@pytest.mark.parametrize("call", CANVAS.values(), ids=CANVAS.keys())
def test_a_canvas_reaches_no_broker_before_the_commit(
    shop: TickerQ, add: Any, engine: Engine, call: Callable[[Any], Any]
) -> None:
    shop.app.conf.result_backend = "cache+memory://"
    with Session(engine) as session, shop.outbox(session):
        call(add)
        session.rollback()
        assert (sent(shop), stored(shop)) == ([], [])
        call(add)
        session.commit()
    assert stored(shop) != []
    dispatch_due(shop)
    assert sorted(sent(shop)) == sorted(
        run.task_id for run in stored(shop) if run.status is not TickerStatus.IDLE
    )


@ONE_STORE
def test_what_asks_for_the_end_of_a_chord_is_rolled_back_with_it(
    shop: TickerQ, add: Any, engine: Engine
) -> None:
    shop.app.conf.result_backend = "cache+memory://"
    # As with a backend that cannot count the parts of a chord.
    del shop.app.backend.apply_chord
    with Session(engine) as session, shop.outbox(session):
        chord([add.s(1), add.s(2)], add.s()).apply_async()
        session.rollback()
        chord([add.s(1), add.s(2)], add.s()).apply_async()
        session.commit()
    assert sorted(run.function for run in stored(shop)) == ["celery.chord_unlock", "shop.add", "shop.add"]


@ONE_STORE
@pytest.mark.parametrize("is_deep", [False, True])
def test_what_a_chord_that_is_rolled_back_has_written_to_redis_expires(
    shop: TickerQ, add: Any, engine: Engine, shared_server: Callable[[str], SharedServer], is_deep: bool
) -> None:
    url = shared_server("redis").new_database()
    shop.app.conf.result_backend = url
    part = group(add.s(1), add.s(2)) if is_deep else add.s(1)
    with Session(engine) as session, shop.outbox(session):
        chord([part, add.s(3)], add.s()).apply_async()
        session.rollback()
    with Redis.from_url(url) as redis:
        left = {key: redis.ttl(key) for key in redis.scan_iter("celery-*")}
    # Closing an app leaves the connections of its result backend.
    shop.app.backend.result_consumer.stop()
    shop.app.backend.client.close()
    assert left
    assert all(0 < seconds <= 24 * HOUR for seconds in left.values()), left
    assert (sent(shop), stored(shop)) == ([], [])


@ONE_STORE
def test_a_session_on_another_database_is_refused_in_words(shop: TickerQ, add: Any, tmp_path: Any) -> None:
    for name, with_schema in (("empty", False), ("other", True)):
        url = f"sqlite:///{tmp_path}/{name}.db"
        if with_schema:
            make_schema(url)
        other = create_engine(url)
        with Session(other) as session, shop.outbox(session):
            with pytest.raises(OtherDatabaseError, match="its database holds"):
                add.delay(1)
            session.commit()
        other.dispose()
    assert (sent(shop), stored(shop)) == ([], [])


@pytest.mark.parametrize("by", ["engine", "connection"])
def test_a_connection_that_commits_each_statement_is_refused(
    shop: TickerQ, add: Any, store_url: str, by: str
) -> None:
    engine = create_engine(store_url, **({"isolation_level": "AUTOCOMMIT"} if by == "engine" else {}))
    if by == "connection":
        engine = engine.execution_options(isolation_level="AUTOCOMMIT")
    with (
        Session(engine) as session,
        shop.outbox(session),
        pytest.raises(TickerValidationError, match="AUTOCOMMIT"),
    ):
        add.delay(1)
    engine.dispose()
    assert (sent(shop), stored(shop)) == ([], [])


@ONE_STORE
def test_an_eager_app_has_no_outbox(shop: TickerQ, engine: Engine) -> None:
    shop.app.conf.task_always_eager = True
    with (
        Session(engine) as session,
        pytest.raises(ConfigError, match="task_always_eager: it is on"),
        shop.outbox(session),
    ):
        pass


@ONE_STORE
def test_what_is_no_session_or_of_the_other_kind_is_refused(
    shop: TickerQ, engine: Engine, store_url: str
) -> None:
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

    anything: Any = shop
    for each in ("session", None, sessionmaker(engine), engine):
        with pytest.raises(TickerValidationError, match=r"sqlalchemy\.orm\.Session"), anything.outbox(each):
            pass
    other = async_caller_engine(store_url)
    with pytest.raises(TickerValidationError, match="async with"), anything.outbox(AsyncSession(other)):
        pass

    async def enter(session: Any) -> None:
        async with shop.outbox(session):
            pass

    with Session(engine) as session, pytest.raises(TickerValidationError, match=r"`with tickerq\.outbox"):
        asyncio.run(enter(session))
    with pytest.raises(TickerValidationError, match="not connected"):
        asyncio.run(enter(AsyncConnection(other)))


NOT_KEPT: dict[str, tuple[dict[str, Any], str]] = {
    "an object under pickle": (
        {"args": (threading.Thread,), "serializer": "pickle"},
        "arguments are no JSON",
    ),
    "not a number": ({"args": (float("nan"),)}, "args cannot be kept as JSON"),
    "a header": ({"headers": {"at": {1: 2}}}, "headers are not the same as JSON"),
    "a long id": ({"task_id": "x" * 256}, "task_id: at most 255 characters"),
    "a moment that is none": ({"countdown": "soon"}, "its moment is none"),
}


@ONE_STORE
@pytest.mark.parametrize(("options", "reason"), NOT_KEPT.values(), ids=NOT_KEPT.keys())
def test_what_cannot_be_kept_is_refused_and_not_sent(
    shop: TickerQ, add: Any, engine: Engine, options: dict[str, Any], reason: str
) -> None:
    with Session(engine) as session, shop.outbox(session):
        with pytest.raises(CallNotKeptError, match=reason) as caught:
            add.apply_async(**options)
        kept = add.delay(1)
        session.commit()
    assert caught.value.task == "shop.add"
    assert sent(shop) == [kept.id]


@ONE_STORE
def test_a_message_without_headers_is_refused(shop: TickerQ, add: Any, engine: Engine) -> None:
    shop.app.conf.task_protocol = 1
    with (
        Session(engine) as session,
        shop.outbox(session),
        pytest.raises(CallNotKeptError, match="protocol 1"),
    ):
        add.delay(1)
    assert sent(shop) == []


@ONE_STORE
@pytest.mark.parametrize("by", ["connection", "producer", "publisher"])
def test_a_call_for_another_broker_is_refused(shop: TickerQ, add: Any, engine: Engine, by: str) -> None:
    from celery import Celery

    with Celery("other", broker="memory://elsewhere//", set_as_current=False) as other:
        connection = other.connection_for_write()
        given = connection if by == "connection" else other.amqp.Producer(connection)
        with (
            Session(engine) as session,
            shop.outbox(session),
            pytest.raises(CallNotKeptError, match="another broker"),
        ):
            add.apply_async((1,), **{by: given})
        connection.close()


@ONE_STORE
def test_no_argument_stands_in_a_refusal(shop: TickerQ, add: Any, engine: Engine) -> None:
    with Session(engine) as session, shop.outbox(session), pytest.raises(CallNotKeptError) as caught:
        add.delay("my secret", float("nan"))
    assert "my secret" not in str(caught.value)


def running(task: Any, **request: Any) -> None:
    task.push_request(
        id="r-1", args=[1], kwargs={}, called_directly=False, is_eager=False, delivery_info={}, **request
    )
    _task_stack.push(task)


@ONE_STORE
def test_a_retry_survives_the_rollback_that_it_causes(shop: TickerQ, add: Any, engine: Engine) -> None:
    running(add)
    try:
        with (  # noqa: PT012 - the call before it is rolled back with it
            pytest.raises(Retry),
            Session(engine) as session,
            session.begin(),
            shop.outbox(session),
        ):
            add.apply_async((2,))
            add.retry(countdown=1)
    finally:
        _task_stack.pop()
        add.pop_request()
    assert (sent(shop), stored(shop)) == (["r-1"], [])


@ONE_STORE
@pytest.mark.parametrize("kind", ["signature", "chain", "group"])
def test_a_replacement_survives_the_rollback_that_it_causes(
    shop: TickerQ, add: Any, engine: Engine, kind: str
) -> None:
    from celery.exceptions import Ignore

    shop.app.conf.result_backend = "cache+memory://"
    by = {"signature": add.s(1), "chain": add.s(1) | add.s(2), "group": group(add.s(1), add.s(2))}[kind]
    running(add, root_id="r-1", group=None, chord=None, callbacks=None, errbacks=None, chain=None)
    try:
        with pytest.raises(Ignore), Session(engine) as session, session.begin(), shop.outbox(session):
            add.replace(by)
    finally:
        _task_stack.pop()
        add.pop_request()
    assert len(sent(shop)) == (2 if kind == "group" else 1)
    assert stored(shop) == []


@ONE_STORE
def test_a_scheduled_task_is_published_by_a_commit_in_the_block(
    shop: TickerQ, add: Any, engine: Engine
) -> None:
    with Session(engine) as session, shop.outbox(session):
        run = shop.time_tickers.add(TimeTicker(task=add, args=[1]), session=session)
        session.commit()
        assert sent(shop) == [run.task_id]


@ONE_STORE
def test_a_kept_call_can_be_found_cancelled_and_not_changed(shop: TickerQ, add: Any, engine: Engine) -> None:
    with Session(engine) as session, shop.outbox(session):
        result = add.apply_async((1,), countdown=HOUR)
        session.commit()
    (run,) = shop.runs.find(task_id=result.id, origin="outbox")
    explanation = shop.runs.explain(run.id)
    assert (explanation.origin, "outbox" in str(explanation)) == (Origin.OUTBOX, True)
    with pytest.raises(TickerValidationError, match="cancel it, and call again"):
        shop.time_tickers.update(run.id, args=[2])
    assert shop.runs.cancel(run.id).status is TickerStatus.CANCELLED
