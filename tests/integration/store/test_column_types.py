"""Values come back as they were stored, and time in SQL means the same on every database."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection, literal, select, update
from sqlalchemy.exc import StatementError

from tests.inner import Core, Database
from tests.integration.conftest import send
from tests.integration.making import claim, enrolled, make_run, row_of
from tests.tables import tickers
from tickerq_celery.clock import SystemClock
from tickerq_celery.errors import TickerValidationError
from tickerq_celery.store.tables.column_types import UtcDateTime, sql_after, sql_now

pytestmark = pytest.mark.every_database
SYSTEM = SystemClock()


def store(core: Core, column: str, value: object) -> Any:
    """Write a value to a run's row and return what comes back."""
    run_id = make_run(core)
    statement = update(tickers).where(tickers.c.id == run_id).values({column: value})
    core.database.write(lambda connection: connection.execute(statement))
    return getattr(row_of(core, run_id), column)


def now_on(database: Database) -> datetime:
    return database.read(lambda connection: connection.scalars(select(sql_now(SYSTEM))).one())


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 1, 15, 12, 0, 0, 123456, tzinfo=UTC),
        datetime(2026, 1, 15, 12, 0, 0, 999999, tzinfo=UTC),
        datetime(2026, 1, 15, 12, 0, 0, 1, tzinfo=UTC),
        datetime(2026, 7, 1, 9, 30, tzinfo=ZoneInfo("Europe/Berlin")),
        datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=ZoneInfo("Europe/Berlin")),
        datetime(2026, 7, 1, 9, 30, tzinfo=timezone(timedelta(hours=5, minutes=45))),
        datetime(2026, 1, 1, 0, 30, tzinfo=timezone(timedelta(hours=-11))),
        datetime(9998, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    ],
    ids=str,
)
def test_a_moment_comes_back_as_the_same_moment_in_utc(core: Core, moment: datetime) -> None:
    found = store(core, "locked_at", moment)
    assert found == moment.astimezone(UTC)
    assert found.tzinfo is UTC


@pytest.mark.parametrize(
    "span",
    [timedelta(0), timedelta(microseconds=1), timedelta(days=30, microseconds=-1), timedelta(days=36_525)],
    ids=str,
)
def test_a_duration_comes_back_to_the_microsecond(core: Core, span: timedelta) -> None:
    assert store(core, "timeout", span) == span
    assert store(core, "retry_intervals", (span, 2 * span)) == (span, 2 * span)


@pytest.mark.parametrize("moment", [datetime.max.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC)])
def test_a_moment_that_some_session_could_not_show_is_not_stored(core: Core, moment: datetime) -> None:
    with pytest.raises(TickerValidationError, match="years 2 to 9998"):
        make_run(core, execution_time=moment)


def test_a_naive_datetime_is_refused(core: Core) -> None:
    with pytest.raises(StatementError, match=r"naive datetime 2026-01-15T12:00:00: pass an aware one"):
        store(core, "locked_at", datetime(2026, 1, 15, 12, 0))  # noqa: DTZ001 - what is refused here


@pytest.mark.parametrize("value", [[], ["a", "é", '"'], [60, 0.5], {"a": None}, "text", None])
def test_a_json_value_comes_back_as_it_was(core: Core, value: object) -> None:
    column = "exception_message" if value is None else "tags"
    assert store(core, column, value) == value


@pytest.mark.parametrize("payload", [b"", b"\x00\xff", b"x" * 300_000])
def test_bytes_come_back_as_they_were(core: Core, payload: bytes) -> None:
    assert store(core, "request", payload) == payload


def test_the_databases_clock_is_this_machines_in_utc(database: Database) -> None:
    before = datetime.now(UTC)
    found = now_on(database)
    assert found.tzinfo is UTC
    # The database may round down to whole milliseconds.
    assert before - timedelta(milliseconds=2) <= found <= datetime.now(UTC) + timedelta(milliseconds=2)


@pytest.mark.parametrize(
    "wait", [timedelta(seconds=30), timedelta(days=400), timedelta(milliseconds=-250), timedelta(0)]
)
def test_a_wait_is_added_to_the_databases_clock(database: Database, wait: timedelta) -> None:
    def gap(connection: Connection) -> timedelta:
        now, later = connection.execute(select(sql_now(SYSTEM), sql_after(SYSTEM, wait))).one()
        return later - now

    assert abs(database.read(gap) - wait) <= timedelta(milliseconds=1)


def test_stored_moments_compare_with_the_databases_clock(core: Core) -> None:
    now = now_on(core.database)
    marked = {make_run(core): gap for gap in (-1, 0, 60)}

    def mark(connection: Connection) -> None:
        for run_id, gap in marked.items():
            at = now + timedelta(seconds=gap)
            connection.execute(update(tickers).where(tickers.c.id == run_id).values(locked_at=at))

    core.database.write(mark)
    past = select(tickers.c.id).where(tickers.c.locked_at <= sql_now(SYSTEM), tickers.c.id.in_(marked))
    found = core.database.read(lambda connection: set(connection.scalars(past)))
    assert {marked[run_id] for run_id in found} == {-1, 0}


def test_a_run_is_claimed_by_the_databases_own_clock(make_core: Callable[..., Core]) -> None:
    core = enrolled(replace(make_core(send()), clock=SYSTEM))
    due = make_run(core)
    make_run(core, execution_time=datetime.now(UTC) + timedelta(minutes=1))
    assert [each.id for each in claim(core)] == [due]
    row = row_of(core, due)
    assert row.is_late is False
    assert row.check_at - row.locked_at == pytest.approx(core.config.publish_check, abs=timedelta(seconds=1))


def test_a_clock_is_asked_where_the_same_statement_had_a_literal_moment_before(core: Core) -> None:
    moment = datetime(9999, 1, 1, tzinfo=UTC)
    for now, wanted in ((literal(moment, UtcDateTime()), moment), (sql_now(core.clock), core.clock.now())):
        statement = select(now.label("asked"))
        assert core.read(lambda tx, asked=statement: tx.scalars(asked).one()) == wanted
