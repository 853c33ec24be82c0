"""A caller's transaction whose snapshot is older than what it changes, or than what it did the first time."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Engine, func, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from tests.inner import new_id
from tests.tables import tickers
from tickerq_celery import CronTicker, TickerQ, TimeTicker
from tickerq_celery.errors import TickerChangedError
from tickerq_celery.views import Actor

IN_AN_HOUR = timedelta(hours=1)
# PostgreSQL refuses a stale snapshot by itself, and SQLite has one writer.
pytestmark = pytest.mark.parametrize("store_url", ["mariadb"], indirect=True)


def snapshot(session: Session, *, isolation: str) -> None:
    """Begin as servers before 11.6 do by default, or as later ones."""
    session.execute(text(f"SET SESSION innodb_snapshot_isolation={isolation}"))
    session.commit()
    session.execute(select(func.count()).select_from(tickers)).one()


@pytest.fixture
def old(engine: Engine) -> Iterator[Session]:
    with Session(engine.execution_options(isolation_level="REPEATABLE READ")) as session:
        snapshot(session, isolation="OFF")
        yield session


def daily() -> CronTicker:
    return CronTicker("Send", expression="0 9 * * *")


def test_a_cron_ticker_that_another_has_changed_stays_as_it_is(tickerq: TickerQ, old: Session) -> None:
    seen = tickerq.cron_tickers.add(daily())
    old.rollback()
    snapshot(old, isolation="OFF")
    changed = tickerq.cron_tickers.update(seen.id, retries=1)
    with pytest.raises(TickerChangedError) as caught:
        tickerq.cron_tickers.update(seen.id, expected=seen, retries=2, session=old)
    assert caught.value.current == changed
    mine = tickerq.cron_tickers.update(seen.id, expected=changed, description="mine", session=old)
    assert (mine.retries, mine.description) == (1, "mine")


def test_an_edit_that_changes_nothing_returns_what_is_stored(tickerq: TickerQ, old: Session) -> None:
    cron = tickerq.cron_tickers.add(daily())
    old.rollback()
    snapshot(old, isolation="OFF")
    tickerq.cron_tickers.update(cron.id, retries=1)
    assert tickerq.cron_tickers.update(cron.id, session=old).retries == 1


def test_what_another_transaction_has_done_first_is_returned(tickerq: TickerQ, old: Session) -> None:
    once, other = (tickerq.acting_as(Actor("ana", operation_id=new_id())) for _ in range(2))
    run = once.time_tickers.add(TimeTicker("Send", delay=IN_AN_HOUR))
    cron = other.cron_tickers.add(daily())
    assert once.time_tickers.add(TimeTicker("Send", delay=IN_AN_HOUR), session=old) == run
    assert other.cron_tickers.add(daily(), session=old) == cron


@pytest.mark.parametrize("name", [None, "ana"])
def test_a_server_that_refuses_stale_snapshots_is_obeyed(
    tickerq: TickerQ, old: Session, name: str | None
) -> None:
    managers = tickerq if name is None else tickerq.acting_as(Actor(name))
    seen = tickerq.cron_tickers.add(daily())
    old.rollback()
    snapshot(old, isolation="ON")
    tickerq.cron_tickers.update(seen.id, retries=1)
    with pytest.raises(OperationalError, match="1020"):
        managers.cron_tickers.update(seen.id, expected=seen, retries=2, session=old)
