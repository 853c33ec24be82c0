"""What managers take and return, in the caller's transaction or in their own."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import assert_type
from uuid import UUID

from celery import Celery
from sqlalchemy import Connection, Engine
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session, scoped_session

from tickerq_celery import Cron, CronTicker, Run, RunCondition, TickerQ, TickerStatus, TimeTicker

tickerq = TickerQ(Celery("shop"))
time_tickers, cron_tickers = tickerq.time_tickers, tickerq.cron_tickers
runs, pauses = tickerq.runs, tickerq.pauses
MOMENT = datetime(2030, 1, 1, tzinfo=UTC)


@tickerq.function("Send")
def send(user_id: int) -> None: ...


def take_a_session(session: Session, scoped: scoped_session[Session], connection: Connection) -> None:
    ticker = TimeTicker(function="send")
    assert_type(time_tickers.add(ticker, session=session), Run)
    time_tickers.add(ticker, session=scoped)
    time_tickers.add_batch([ticker], session=connection)
    with tickerq.outbox(session), tickerq.outbox(scoped), tickerq.outbox(connection):
        pass
    time_tickers.update(UUID(int=1), session=session, retries=3)
    cron_tickers.add(CronTicker(function="send", expression="@daily"), session=None)


def refuse_what_is_no_session(engine: Engine, asynchronous: AsyncSession) -> None:
    ticker = TimeTicker(function="send")
    time_tickers.add(ticker, session="sqlite:///shop.db")  # refused: arg-type | reportArgumentType
    time_tickers.add(ticker, session=engine)  # refused: arg-type | reportArgumentType
    time_tickers.add_batch([ticker], session=asynchronous)  # refused: arg-type | reportArgumentType
    cron_tickers.update("id", session=engine)  # refused: arg-type | reportArgumentType


def add() -> None:
    child = TimeTicker(function="tell", run_condition=RunCondition.ON_FAILURE)
    ticker = TimeTicker(function="send", priority="high", timeout=30, children=[child], tags=("mail",))
    assert_type(time_tickers.add_batch([ticker], on_conflict="return_existing"), list[Run])
    time_tickers.add(TimeTicker(function="send", retry_intervals=[60, timedelta(hours=1)], hard_timeout=90.5))
    cron = CronTicker(function="send", every=timedelta(hours=1), misfire="run_all", overlap="skip", jitter=5)
    cron_tickers.add(CronTicker(function="send", every=3600, misfire_grace=timedelta(days=1)))
    assert_type(cron_tickers.add(cron), Cron)

    TimeTicker()  # refused: call-overload | reportCallIssue
    TimeTicker(send.s(user_id=3), request=4)  # refused: call-overload | reportArgumentType
    TimeTicker("send", task="shop.send")  # refused: call-overload | reportCallIssue
    CronTicker(send.s(user_id=3))  # refused: call-overload | reportCallIssue
    CronTicker("send", expression="@daily", every=60)  # refused: call-overload | reportCallIssue
    TimeTicker(send.s(user_id=3), delay=5)
    CronTicker(send.s(user_id=3), every=60, tags=["eu"])
    TimeTicker(function="send", retrys=3)  # refused: call-overload | reportCallIssue
    TimeTicker("s", priority="hihg")  # refused: call-overload | reportArgumentType,reportCallIssue
    TimeTicker("s", priority=TickerStatus.DONE)  # refused: call-overload | reportArgumentType,reportCallIssue
    TimeTicker("s", run_condition="on_sucess")  # refused: call-overload | reportArgumentType,reportCallIssue
    TimeTicker("s", execution_time="tomorrow")  # refused: call-overload | reportArgumentType,reportCallIssue
    TimeTicker("s", timeout="30 s")  # refused: call-overload | reportArgumentType,reportCallIssue
    TimeTicker("s", retry_intervals=60)  # refused: call-overload | reportArgumentType,reportCallIssue
    TimeTicker(function="send", children=["tell"])  # refused: list-item | reportArgumentType,reportCallIssue
    CronTicker("s", every=9, overlap="no")  # refused: call-overload | reportArgumentType,reportCallIssue
    CronTicker("s", every=9, misfire="all")  # refused: call-overload | reportArgumentType,reportCallIssue
    time_tickers.add(cron)  # refused: arg-type | reportArgumentType
    cron_tickers.add(ticker)  # refused: arg-type | reportArgumentType
    time_tickers.add(ticker, on_conflict="ignore")  # refused: arg-type | reportArgumentType


def change(run: Run, cron: Cron) -> None:
    assert_type(time_tickers.update(run.id, execution_time=MOMENT, priority="low", request={"to": 3}), Run)
    assert_type(time_tickers.clone(run.id, unique_key="again"), Run)
    assert_type(time_tickers.update_batch({run.id: {"retries": 1}}), list[Run])
    assert_type(cron_tickers.update(cron.id, expression="@hourly", is_enabled=False), Cron)
    assert_type(cron_tickers.update_batch({str(cron.id): {"every": timedelta(hours=1)}}), list[Cron])

    time_tickers.update(run.id, retrys=3)  # refused: call-arg | reportCallIssue
    time_tickers.update(run.id, retries="3")  # refused: arg-type | reportArgumentType
    time_tickers.update(run.id, unique_key="fixed")  # refused: call-arg | reportCallIssue
    time_tickers.clone(run.id, retrys=3)  # refused: call-arg | reportCallIssue
    time_tickers.update_batch({run.id: {"retrys": 1}})  # refused: typeddict-unknown-key | reportArgumentType
    time_tickers.update_batch({run.id: {"retries": ""}})  # refused: typeddict-item | reportArgumentType
    time_tickers.update_batch({7: {"retries": 1}})  # refused: type-var | reportArgumentType
    cron_tickers.update(cron.id, expresion="@hourly")  # refused: call-arg | reportCallIssue
    cron_tickers.update(cron.id, execution_time=MOMENT)  # refused: call-arg | reportCallIssue
    cron_tickers.update(cron.id, overlap="never")  # refused: arg-type | reportArgumentType


def find() -> None:
    page = runs.find(status=["failed", TickerStatus.CANCELLED], held_for="rate", ended_from=MOMENT)
    sequence: Sequence[Run] = page
    assert_type(page[0], Run)
    assert_type(page[1:], tuple[Run, ...])
    assert_type(page.next_cursor, str | None)
    for run in sequence:
        assert_type(run, Run)
    for each in runs.iterate(type="time_ticker"):
        assert_type(each, Run)
    for cron in cron_tickers.find(is_enabled=True):
        assert_type(cron, Cron)
    assert_type(runs.count(function="send"), int)

    runs.find(stauts="failed")  # refused: call-arg | reportCallIssue
    runs.find(status="faild")  # refused: arg-type | reportArgumentType
    runs.find(status=["faild"])  # refused: list-item | reportArgumentType
    runs.find(held_for="night")  # refused: arg-type | reportArgumentType
    runs.find(ended_from="yesterday")  # refused: arg-type | reportArgumentType
    time_tickers.count(limit=None)  # refused: arg-type | reportArgumentType
    runs.get(7)  # refused: arg-type | reportArgumentType


def end(run: Run, cron: Cron) -> None:
    assert_type(time_tickers.cancel(run.id, terminate=True), Run)
    assert_type(runs.retry(str(run.id)), Run)
    assert_type(cron_tickers.pause(cron.id, reason="holidays", by="ops"), Cron)
    assert_type(cron_tickers.run_now(cron.id, request={"to": 3}), Run)
    assert_type(time_tickers.delete_batch([run.id]), int)
    pauses.pause(tag="mail")

    cron_tickers.pause(cron.id, reasn="holidays")  # refused: call-arg | reportCallIssue
    cron_tickers.backfill(cron.id, "monday", MOMENT)  # refused: arg-type | reportArgumentType
    pauses.pause("mail")  # refused: call-arg | reportCallIssue
