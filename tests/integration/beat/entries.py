"""Beats of apps that have entries of Celery's, and what the store and the broker hold of them."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest
from celery.schedules import crontab

from tests.integration.apps import messages, ticker_app
from tests.manual_clock import ManualClock
from tickerq_celery import Cron, TickerQ, TickerStatus
from tickerq_celery.scheduler import TickerScheduler

EVERY_MINUTE = {"task": "shop.refresh", "schedule": timedelta(minutes=1)}
NIGHTLY = {
    "task": "shop.report",
    "schedule": crontab(minute=30, hour=2),
    "args": ("sales", 7),
    "kwargs": {"to": "ops"},
    "options": {"queue": "reports", "expires": 3600, "priority": 4, "headers": {"team": "ops"}},
}
Start = Callable[..., TickerScheduler]


@pytest.fixture
def start(store_url: str, namespace: str, clock: ManualClock) -> Iterator[Start]:
    """Start a beat of an app of its own, with the given entries, and let it look once."""
    with ExitStack() as stack:

        def started(**entries: Any) -> TickerScheduler:
            tickerq = stack.enter_context(ticker_app(store_url, namespace, clock))
            tickerq.app.conf.beat_schedule = entries
            clock.advance(milliseconds=1)
            beat = TickerScheduler(tickerq.app)
            stack.callback(beat.close)
            beat.tick()
            return beat

        yield started


def tickerq_of(beat: TickerScheduler) -> TickerQ:
    return TickerQ.of(beat.app)


def crons(beat: TickerScheduler) -> dict[str, Cron]:
    return {cron.function: cron for cron in tickerq_of(beat).cron_tickers.find()}


def statuses(beat: TickerScheduler) -> list[TickerStatus]:
    return [run.status for run in tickerq_of(beat).runs.find()]


def sent(beat: TickerScheduler) -> list[Any]:
    return messages(tickerq_of(beat))


def settle(*beats: TickerScheduler, clock: ManualClock) -> None:
    """Let time pass in which each beat sweeps."""
    clock.advance(seconds=5)
    for beat in beats:
        beat.tick()
