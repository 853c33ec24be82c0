"""Seeders, with and without arguments."""

from typing import assert_type

from celery import Celery
from sqlalchemy.orm import Session

from tickerq_celery import TickerQ, TimeTicker

tickerq = TickerQ(Celery("shop"))


@tickerq.seeder
def demo(session: Session) -> None:
    """Seed one ticker."""
    tickerq.time_tickers.add(TimeTicker(function="Send"), session=session)


@tickerq.seeder(name="more", version=2)
def more(session: Session) -> int:
    """Seed nothing."""
    return 0


def call_them(session: Session) -> None:
    """Call them as what they are."""
    demo(session)
    assert_type(more(session), int)


def without_session() -> None:
    """Take no session."""


tickerq.seeder(without_session)  # refused: type-var | reportArgumentType
tickerq.seeder("demo")  # refused: call-overload | reportArgumentType
tickerq.seeder(version="2")  # refused: call-overload | reportArgumentType
