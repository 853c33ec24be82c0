"""Whoever writes looks at the tables' versions once: also a process that only adds or cancels."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, delete, event, text, update
from sqlalchemy.orm import Session

from tests.integration.apps import ticker_app
from tests.manual_clock import ManualClock
from tests.servers.schema_template import make_schema
from tests.tables import meta
from tickerq_celery import TickerQ, TickerStatus, TimeTicker
from tickerq_celery.errors import SchemaError
from tickerq_celery.store.database.schema import SCHEMA

SEND = TimeTicker(function="Send")
NEWER = update(meta).values(schema=SCHEMA.number + 1, compatible_from=SCHEMA.number + 1)
OTHERS = {
    "newer": (NEWER, "upgrade tickerq-celery"),
    "older": (update(meta).values(schema=SCHEMA.number - 1), "tickerq migrate"),
    "cut off": (delete(meta), "tickerq migrate"),
    "of before the digest": (text("ALTER TABLE tickerq_meta DROP COLUMN digest"), "unreleased version"),
    "unreleased": (update(meta).values(digest="0" * 64), "unreleased version"),
}


@pytest.fixture
def own_url(empty_database_url: str) -> str:
    """A store that no other test has, as its versions are changed."""
    make_schema(empty_database_url)
    return empty_database_url


@pytest.fixture
def engine(own_url: str) -> Iterator[Engine]:
    made = create_engine(own_url)
    yield made
    made.dispose()


@pytest.fixture
def opened(own_url: str, namespace: str, clock: ManualClock) -> Iterator[Callable[[], TickerQ]]:
    """Open the store anew, as another process does."""
    blocks = []

    def made() -> TickerQ:
        block = ticker_app(own_url, namespace, clock)
        blocks.append(block)
        tickerq = block.__enter__()
        tickerq.function("Send")(lambda: None)
        return tickerq

    yield made
    for block in blocks:
        block.__exit__(None, None, None)


@pytest.mark.parametrize(("change", "reason"), OTHERS.values(), ids=OTHERS)
def test_a_process_that_only_adds_or_cancels_refuses_a_store_that_it_cannot_work_with(
    opened: Callable[[], TickerQ], engine: Engine, change: Any, reason: str
) -> None:
    run_id = opened().time_tickers.add(SEND).id
    with engine.begin() as connection:
        connection.execute(change)
    writes: dict[str, Callable[[TickerQ], object]] = {
        "add": lambda tickerq: tickerq.time_tickers.add(SEND),
        "add_batch": lambda tickerq: tickerq.time_tickers.add_batch([SEND, SEND]),
        "cancel": lambda tickerq: tickerq.runs.cancel(run_id),
        "pause": lambda tickerq: tickerq.pauses.pause(function="Send"),
    }
    for write in writes.values():
        with pytest.raises(SchemaError, match=reason):
            write(opened())
    joining = opened()
    with Session(engine) as session, pytest.raises(SchemaError, match=reason):
        joining.time_tickers.add(SEND, session=session)
    reader = opened()
    assert [(run.id, run.status) for run in reader.runs.find()] == [(run_id, TickerStatus.IDLE)]


def test_the_first_write_alone_looks_at_the_versions(opened: Callable[[], TickerQ]) -> None:
    tickerq = opened()
    asked: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    event.listen(tickerq.core.database.engine, "before_cursor_execute", note)
    tickerq.time_tickers.add(SEND)
    assert sum("tickerq_meta" in statement for statement in asked) == 1
    first = len(asked)
    tickerq.time_tickers.add(SEND)
    assert len(asked) == 2 * first - 1
    assert sum("tickerq_meta" in statement for statement in asked) == 1


def test_a_store_that_fits_after_a_refusal_is_taken(opened: Callable[[], TickerQ], engine: Engine) -> None:
    tickerq = opened()
    with engine.begin() as connection:
        connection.execute(NEWER)
    with pytest.raises(SchemaError):
        tickerq.time_tickers.add(SEND)
    with engine.begin() as connection:
        connection.execute(update(meta).values(schema=SCHEMA.number, compatible_from=SCHEMA.number))
    assert tickerq.time_tickers.add(SEND)


def test_to_make_the_tables_of_a_store_whose_versions_are_gone_is_refused_in_words(
    opened: Callable[[], TickerQ], engine: Engine
) -> None:
    tickerq = opened()
    meta.drop(engine)
    with pytest.raises(SchemaError, match="the table tickerq_meta is gone, though"):
        tickerq.create_schema()
