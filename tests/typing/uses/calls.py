"""What tells one request from plain parameters: what schedule takes, and what s does."""

from dataclasses import dataclass
from typing import TypedDict, assert_type

from celery import Celery
from pydantic import BaseModel
from sqlalchemy.orm import Session

from tickerq_celery import CronTicker, Run, TickerContext, TickerQ, TimeTicker, ticker_function

tickerq = TickerQ(Celery("shop"))


class Greeting(BaseModel):
    name: str


@dataclass
class Parcel:
    weight: float


class Letter(TypedDict):
    pages: int


@ticker_function
def say_hello(greeting: Greeting) -> str:
    return greeting.name


@tickerq.function("Post", retries=3, queue="mail")
def post(context: TickerContext[Parcel]) -> None:
    context.request.weight.is_integer()


@ticker_function()
def write(letter: Letter) -> None: ...


@tickerq.function
def sleep(request: float) -> None: ...


@ticker_function("Remind")
def remind(context: TickerContext, greeting: Greeting) -> None: ...


@ticker_function
def perhaps(greeting: Greeting | None = None) -> None: ...


@ticker_function
def count_to(number: int | None = None) -> None: ...


@ticker_function
def clean() -> None: ...


@ticker_function(cron="@daily")
def expire(days: int = 30) -> int:
    return days


@ticker_function
def send(user_id: int, subject: str = "Hi") -> None: ...


@tickerq.function("Count")
async def count(context: TickerContext[None], first: int, *, last: int = 9) -> int:
    return last - first


@ticker_function
def recount(context: TickerContext, days: int = 3) -> None: ...


@ticker_function
def anything(context: TickerContext) -> None: ...


def schedule(session: Session) -> None:
    assert_type(say_hello.schedule(Greeting(name="Ada"), delay=300, session=session, tags=["eu"]), Run)
    post.schedule(Parcel(2.5), retries=1)
    write.schedule({"pages": 3})
    sleep.schedule(2.5, on_conflict="return_existing", unique_key="sleep")
    remind.schedule(Greeting(name="Ada"))
    perhaps.schedule()
    perhaps.schedule(Greeting(name="Ada"))
    clean.schedule()
    count_to.schedule()
    count_to.s(number=3).schedule()
    expire.schedule()
    anything.schedule({"whatever": 1})

    say_hello.schedule(3)  # refused: arg-type | reportArgumentType
    say_hello.schedule({"name": "Ada"})  # refused: arg-type | reportArgumentType
    say_hello.schedule()  # refused: call-arg | reportCallIssue
    say_hello.schedule(Greeting(name="Ada"), retires=3)  # refused: call-arg | reportCallIssue
    post.schedule(Greeting(name="Ada"))  # refused: arg-type | reportArgumentType
    write.schedule({"pages": ""})  # refused: typeddict-item | reportArgumentType
    sleep.schedule("long")  # refused: arg-type | reportArgumentType
    remind.schedule(3)  # refused: arg-type | reportArgumentType
    send.schedule(3)  # refused: arg-type | reportArgumentType
    count_to.schedule(3)  # refused: call-overload | reportArgumentType
    send.schedule()  # refused: call-arg | reportCallIssue


def call(session: Session) -> None:
    assert_type(send.s(user_id=3).schedule(delay=300, session=session), Run)
    send.s(3, subject="Hello").schedule(retries=2)
    expire.s(days=3).schedule()
    expire.s().schedule()
    count.s(1, last=3).schedule()
    recount.s(days=4).schedule()
    tickerq.time_tickers.add(TimeTicker(send.s(user_id=3), delay=300, children=[TimeTicker(count.s(1))]))
    tickerq.cron_tickers.add(CronTicker(expire.s(3), expression="@daily"))

    send.s("three")  # refused: arg-type | reportArgumentType
    send.s(user=3)  # refused: call-arg | reportCallIssue
    send.s()  # refused: call-arg | reportCallIssue
    send.s(3).schedule(retires=2)  # refused: call-arg | reportCallIssue
    expire.s(days="three")  # refused: arg-type | reportArgumentType
    recount.s(days="three")  # refused: arg-type | reportArgumentType
    count.s("one")  # refused: arg-type | reportArgumentType


def name_the_function(session: Session) -> None:
    ticker = TimeTicker(say_hello, request=Greeting(name="Ada"), delay=60)
    assert_type(ticker.function, str | None)
    TimeTicker(function=send, request={"user_id": 3})
    TimeTicker("Send", children=[TimeTicker(clean)])
    CronTicker(clean, every=60)

    TimeTicker(3)  # refused: call-overload | reportArgumentType,reportCallIssue
    TimeTicker(send, delay="long")  # refused: call-overload | reportArgumentType,reportCallIssue


async def call_the_body(context: TickerContext[Parcel], own: TickerContext[None]) -> None:
    assert_type(say_hello(greeting=Greeting(name="Ada")), str)
    assert_type(expire(days=3), int)
    assert_type(await count(own, 1, last=3), int)
    post(context)
    send(3, subject="Hello")

    send("three")  # refused: arg-type | reportArgumentType
    say_hello()  # refused: call-arg | reportCallIssue
