"""Celery tasks where functions stand: by name, as tasks and as signatures."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Unpack, assert_type

from celery import Celery
from sqlalchemy import Engine
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from tickerq_celery import Cron, CronTicker, Run, TickerQ, TimeTicker
from tickerq_celery.enums import OnLost, TickerKindLike
from tickerq_celery.typing import CelerySignature, CeleryTask, TaskLike, TaskScheduleOptions

app = Celery("shop")
tickerq = TickerQ(app)
MOMENT = datetime(2030, 1, 1, tzinfo=UTC)


@app.task(name="shop.add")
def add(first: int, second: int = 0) -> int:
    return first + second


@app.task(bind=True)
def report(self: object, to: str) -> None:
    """Take its task first."""


@tickerq.function("Send")
def send(user_id: int) -> None: ...


def schedule(session: Session) -> None:
    assert_type(tickerq.schedule(add.s(2, 3), delay=300, session=session, unique_key="sum"), Run)
    tickerq.schedule(add.si(2).set(queue="sums", expires=60), at=MOMENT, on_lost="retry", priority="high")
    tickerq.schedule(add, args=[2], kwargs={"second": 3}, options={"expires": MOMENT}, tags=["eu"])
    tickerq.schedule("shop.report", args=("ops", Decimal("2.5")), on_conflict="replace", unique_key="report")
    tickerq.schedule(report.s(to="ops"), children=[TimeTicker(task=add.s(1)), TimeTicker(send.s(user_id=3))])

    tickerq.schedule(send)  # refused: arg-type | reportArgumentType
    tickerq.schedule(send.s(user_id=3))  # refused: arg-type | reportArgumentType
    tickerq.schedule(3)  # refused: arg-type | reportArgumentType
    tickerq.schedule(add.s(2), retries=3)  # refused: call-arg | reportCallIssue
    tickerq.schedule(add.s(2), timeout=30)  # refused: call-arg | reportCallIssue
    tickerq.schedule(add.s(2), countdown=30)  # refused: call-arg | reportCallIssue
    tickerq.schedule(add.s(2), on_lost="ignore")  # refused: arg-type | reportArgumentType
    tickerq.schedule(add.s(2), delay="soon")  # refused: arg-type | reportArgumentType
    tickerq.schedule(add, args=3)  # refused: arg-type | reportArgumentType
    tickerq.schedule(add, kwargs=[3])  # refused: arg-type | reportArgumentType


async def schedule_in_a_loop(session: AsyncSession, sync: Session) -> None:
    assert_type(await tickerq.aio.schedule(add.s(2, 3), delay=300, session=session), Run)
    await tickerq.aio.schedule("shop.report", args=["ops"], on_lost=OnLost.RETRY)

    await tickerq.aio.schedule(add.s(2), session=sync)  # refused: arg-type | reportArgumentType
    await tickerq.aio.schedule(add.s(2), retries=3)  # refused: call-arg | reportCallIssue
    await tickerq.aio.schedule(send)  # refused: arg-type | reportArgumentType


def add_tickers(engine: Engine) -> None:
    ticker = TimeTicker(task=add.s(2, 3), delay=60, on_lost="retry", children=[TimeTicker(task="shop.alert")])
    assert_type(ticker.task, str | None)
    assert_type(ticker.function, str | None)
    cron = CronTicker(task=add, args=[2], every=timedelta(hours=1), overlap="skip", options={"queue": "sums"})
    assert_type(tickerq.cron_tickers.add(cron), Cron)

    TimeTicker(task=3)  # refused: call-overload | reportArgumentType
    TimeTicker(task=send)  # refused: call-overload | reportArgumentType
    TimeTicker(task=add, args=3)  # refused: call-overload | reportArgumentType
    TimeTicker(task=add, options=[3])  # refused: call-overload | reportArgumentType
    TimeTicker(task=add, on_lost="ignore")  # refused: call-overload | reportArgumentType
    CronTicker(task=send.s(user_id=3), every=60)  # refused: call-overload | reportArgumentType
    tickerq.schedule(add.s(2), session=engine)  # refused: arg-type | reportArgumentType


def change(run: Run, cron: Cron) -> None:
    tickerq.time_tickers.update(run.id, args=[3], kwargs={}, options={}, on_lost="fail", task=add)
    tickerq.time_tickers.update_batch({run.id: {"args": [3]}})
    tickerq.time_tickers.clone(run.id, task=add.s(3), unique_key="again")
    tickerq.cron_tickers.update(cron.id, task="shop.report", args=["ops"])
    assert_type(run.task_id, str | None)
    assert_type(run.on_lost, OnLost | None)

    tickerq.time_tickers.update(run.id, task=3)  # refused: arg-type | reportArgumentType
    tickerq.time_tickers.update(run.id, arg=[3])  # refused: call-arg | reportCallIssue
    tickerq.cron_tickers.update(cron.id, kwargs=[3])  # refused: arg-type | reportArgumentType


def find(task_id: str, kind: TickerKindLike) -> None:
    tickerq.runs.find(task_id=task_id, kind=kind)
    tickerq.runs.count(kind="celery_task")

    tickerq.runs.find(kind="task")  # refused: arg-type | reportArgumentType
    tickerq.runs.find(task_id=3)  # refused: arg-type | reportArgumentType


def later(task: TaskLike, **options: Unpack[TaskScheduleOptions]) -> Run:
    return tickerq.schedule(task, delay=60, **options)


def wrap(task: CeleryTask, signature: CelerySignature) -> None:
    later(task, args=[2])
    later(signature, tags=["eu"])
    later(add.s(2), on_lost="retry")

    later(add.s(2), retries=3)  # refused: call-arg | reportCallIssue
