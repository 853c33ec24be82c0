"""Functions: their options, their contexts, and the keywords with which they are scheduled."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypedDict, assert_type
from uuid import UUID

from celery import Celery
from pydantic import BaseModel
from sqlalchemy import Connection, Engine
from sqlalchemy.orm import Session

from tickerq_celery import (
    CronTicker,
    Run,
    TerminateExecution,
    TickerContext,
    TickerQ,
    TickerStatus,
    TimeTicker,
    ticker_function,
)

tickerq = TickerQ(Celery("shop"))
MOMENT = datetime(2030, 1, 1, tzinfo=UTC)


class Greeting(BaseModel):
    to: str


@dataclass(frozen=True)
class Bill:
    cents: int


class Order(TypedDict):
    number: int


@ticker_function
def tidy() -> None:
    """Take nothing, decorated without parentheses."""


@ticker_function("SendMail", retries=3, queue="mail")
def send(user_id: int, subject: str = "Hi") -> str:
    return f"{subject} {user_id}"


@ticker_function(priority="high", timeout=timedelta(seconds=30))
def send_from(context: TickerContext, user_id: int) -> UUID:
    return context.id


@tickerq.function("Greet", cron="@daily", misfire="run_all", overlap="skip", request={"to": "all"})
def greet(request: Greeting) -> None:
    """Take a model."""


@tickerq.function()
def charge(context: TickerContext[Bill], bill: Bill) -> int:
    assert_type(context.request, Bill)
    return bill.cents


@ticker_function
def pack(context: TickerContext[Order]) -> Order:
    return {"number": context.request["number"] + 1}


@ticker_function("Tell")
def tell(context: TickerContext, request: dict[str, object]) -> None:
    """Take a context and a mapping."""


@ticker_function(every=3600)
async def fetch(request: dict[str, Any]) -> list[str]:
    return list(request)


def call(context: TickerContext, billing: TickerContext[Bill]) -> None:
    tidy()
    assert_type(send(3, subject="Hello"), str)
    assert_type(send_from(context, user_id=3), UUID)
    assert_type(charge(billing, Bill(3)), int)
    assert_type(send.name, str)

    tidy(3)  # refused: call-arg | reportCallIssue
    send("3")  # refused: arg-type | reportArgumentType
    send(3, subjekt="Hello")  # refused: call-arg | reportCallIssue
    send_from(context)  # refused: call-arg | reportCallIssue
    greet({"to": "all"})  # refused: arg-type | reportArgumentType


def schedule(session: Session, connection: Connection, engine: Engine) -> None:
    assert_type(tidy.schedule(), Run)
    assert_type(greet.schedule(Greeting(to="you"), delay=60, session=session), Run)
    charge.schedule(Bill(3), at=MOMENT, session=connection, priority="low", unique_key="bill")
    pack.schedule({"number": 3}, delay=timedelta(hours=1), tags=["orders"], retries=5)
    tell.schedule({"to": "all"})
    fetch.schedule({"url": "…"}, on_conflict="replace", unique_key="fetch")

    greet.delay(3)  # refused: attr-defined | reportAttributeAccessIssue,reportUnknownMemberType
    send.s(3).apply_async()  # refused: attr-defined | reportAttributeAccessIssue,reportUnknownMemberType
    greet.schedule(Bill(3))  # refused: arg-type | reportArgumentType
    greet.schedule(Greeting(to="you"), retires=3)  # refused: call-arg | reportCallIssue
    greet.schedule(Greeting(to="you"), retries="3")  # refused: arg-type | reportArgumentType
    greet.s(Greeting(to="you"))  # refused: misc | reportAttributeAccessIssue,reportUnknownMemberType
    greet.schedule(Greeting(to="you"), session=engine)  # refused: arg-type | reportArgumentType
    greet.schedule(Greeting(to="you"), priority="hihg")  # refused: arg-type | reportArgumentType
    greet.schedule(Greeting(to="you"), at="tomorrow")  # refused: arg-type | reportArgumentType
    greet.schedule(Greeting(to="you"), on_conflict="ignore")  # refused: arg-type | reportArgumentType
    tell.schedule(3)  # refused: arg-type | reportArgumentType
    charge.schedule(Greeting(to="you"))  # refused: arg-type | reportArgumentType
    pack.schedule({"number": "3"})  # refused: typeddict-item | reportArgumentType
    tidy.schedule(Bill(3))  # refused: call-overload | reportArgumentType


def name_functions() -> None:
    ticker = TimeTicker(send.s(user_id=3), execution_time=MOMENT, children=[TimeTicker(tidy, delay=60)])
    send.s(user_id=3).schedule(at=MOMENT, children=ticker.children)
    CronTicker(function=send.s(3), every=timedelta(hours=1))

    send.s(user_id=3).schedule(delay="soon")  # refused: arg-type | reportArgumentType
    send_from.s(3, subject="Hello")  # refused: call-arg | reportCallIssue
    TimeTicker(print)  # refused: call-overload | reportArgumentType,reportCallIssue
    TimeTicker(send, "tell")  # refused: call-overload | reportCallIssue


def refuse_options() -> None:
    ticker_function("Send", retires=3)  # refused: call-overload | reportCallIssue
    ticker_function(cron=3)  # refused: call-overload | reportArgumentType
    ticker_function(overlap="never")  # refused: call-overload | reportArgumentType
    tickerq.function(priority="hihg")  # refused: call-overload | reportArgumentType
    tickerq.function(misfire="all")  # refused: call-overload | reportArgumentType


def end(context: TickerContext[Greeting], session: Session, engine: Engine) -> None:
    assert_type(context.request, Greeting)
    assert_type(context.scheduled_for, datetime | None)
    context.complete_in(session, result={"sent": 3})
    context.report_progress(0.5, "half of it")

    context.complete_in(engine)  # refused: arg-type | reportArgumentType
    context.report_progress("half")  # refused: arg-type | reportArgumentType
    send(context.request.to)  # refused: arg-type | reportArgumentType
    TerminateExecution("nothing to do", "skiped")  # refused: arg-type | reportArgumentType
    raise TerminateExecution("nothing to do", TickerStatus.CANCELLED)
