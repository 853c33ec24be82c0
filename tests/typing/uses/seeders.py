"""Functions that seed the store."""

from celery import Celery
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from tickerq_celery import TickerQ, TimeTicker

tickerq = TickerQ(Celery("shop"))


@tickerq.seeder
def catch_up(session: Session) -> None:
    tickerq.time_tickers.add(TimeTicker("Send"), session=session)


@tickerq.seeder(name="demo", version=2)
def show(session: Session) -> None:
    catch_up(session)


def take_two(session: Session, number: int) -> None:
    """Take more than a session."""


async def wait(session: Session) -> None:
    """Be a coroutine function."""


def seed_in_a_loop(session: AsyncSession) -> None:
    """Take another session."""


def refuse(session: Session) -> None:
    show(session)

    show("session")  # refused: arg-type | reportArgumentType
    tickerq.seeder(version="2")  # refused: call-overload | reportArgumentType
    tickerq.seeder(vershun=2)  # refused: call-overload | reportCallIssue
    tickerq.seeder(take_two)  # refused: type-var | reportArgumentType
    tickerq.seeder(version=1)(take_two)  # refused: type-var | reportArgumentType
    tickerq.seeder(seed_in_a_loop)  # refused: type-var | reportArgumentType
    tickerq.seeder(wait)  # refused: type-var | reportArgumentType
