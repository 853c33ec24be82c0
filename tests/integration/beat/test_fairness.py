"""Beside a backlog, and while one is being stored, beat dispatches what is of another function."""

from collections.abc import Iterator
from itertools import pairwise
from uuid import UUID

import pytest
from sqlalchemy import select

from tests.integration.apps import enrol_worker, published, ticker_app
from tests.integration.making import enrolled
from tests.manual_clock import ManualClock
from tests.tables import cron_tickers, nodes, tickers
from tickerq_celery import CronTicker, MisfirePolicy, TickerQ, TimeTicker
from tickerq_celery.cron import firing
from tickerq_celery.scheduler import TickerScheduler

CRONS, INSTANTS = 3, 60
MORE_CRONS = 8


@pytest.fixture
def tickerq(
    store_url: str, namespace: str, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> Iterator[TickerQ]:
    """A TickerQ whose beats store ten occurrences a tick, and claim five runs."""
    monkeypatch.setattr(firing, "_ROWS_AT_ONCE", 10)
    monkeypatch.setattr(firing, "_ROWS_A_TICK", 10)
    with ticker_app(store_url, namespace, clock, batch_size=5) as made:
        made.function("Send")(lambda: None)
        made.function("Other")(lambda: None)
        enrol_worker(made)
        yield made


@pytest.fixture
def beat(tickerq: TickerQ, clock: ManualClock, request: pytest.FixtureRequest) -> Iterator[TickerScheduler]:
    """A beat that has begun to catch up after three days, of so many cron tickers."""
    ticker = CronTicker(
        function="Send", expression="* * * * *", misfire=MisfirePolicy.RUN_ALL, misfire_limit=INSTANTS
    )
    tickerq.cron_tickers.add_batch([ticker] * getattr(request, "param", CRONS))
    clock.advance(days=3)
    enrol_worker(tickerq)
    made = TickerScheduler(tickerq.app)
    assert made.tick() == 0.0
    yield made
    made.close()


def is_catching_up(tickerq: TickerQ) -> bool:
    here = select(cron_tickers.c.id).where(
        cron_tickers.c.namespace == tickerq.core.config.namespace,
        cron_tickers.c.catch_up_until.is_not(None),
    )
    return bool(tickerq.core.database.read(lambda connection: connection.scalars(here).all()))


def add_other(tickerq: TickerQ) -> UUID:
    """Add a run of the other function that is due at once, as a process without a broker would."""
    with tickerq.core.database.engine.begin() as connection:
        return tickerq.time_tickers.add(TimeTicker(function="Other"), session=connection).id


def test_while_a_backlog_is_stored_a_run_of_another_function_is_dispatched_within_a_second(
    tickerq: TickerQ, beat: TickerScheduler, clock: ManualClock
) -> None:
    for _ in range(3):
        published(tickerq)
        wanted = add_other(tickerq)
        sent = []
        # Ticks as long as they may be: each stores its share, and dispatches one batch.
        for _ in range(3):
            clock.advance(seconds=0.3)
            assert beat.tick() == 0.0
            sent += published(tickerq)
        assert wanted in sent
        assert is_catching_up(tickerq)


@pytest.mark.parametrize("beat", [MORE_CRONS], indirect=True)
def test_a_tick_that_stores_dispatches_other_functions_whatever_other_cron_tickers_have_due(
    tickerq: TickerQ, beat: TickerScheduler, clock: ManualClock
) -> None:
    # Known to take three messages: each function has a window.
    enrolled(tickerq.core, queues=(), prefetch=3)
    for _ in range(2):
        clock.advance(seconds=0.3)
        beat.tick()
    published(tickerq)
    wanted = add_other(tickerq)
    clock.advance(seconds=0.3)
    assert beat.tick() == 0.0
    assert wanted in published(tickerq)
    assert is_catching_up(tickerq)


def test_each_tick_of_a_catch_up_stores_its_share_and_dispatches(
    tickerq: TickerQ, beat: TickerScheduler
) -> None:
    here = select(tickers.c.id).where(tickers.c.namespace == tickerq.core.config.namespace)
    sizes = []
    while is_catching_up(tickerq):
        sizes.append(len(tickerq.core.database.read(lambda connection: connection.scalars(here).all())))
        beat.tick()
        assert len(published(tickerq)) >= 5
    assert len(sizes) >= CRONS * INSTANTS // 20 - 1
    assert max(later - earlier for earlier, later in pairwise(sizes)) <= 20


def test_a_beat_gives_its_signs_of_life_while_it_catches_up(
    tickerq: TickerQ, beat: TickerScheduler, clock: ManualClock
) -> None:
    mine = nodes.c.namespace == tickerq.core.config.namespace
    beats = select(nodes.c.counter).where(mine, nodes.c.kind == "beat")
    seen = set()
    for _ in range(4):
        clock.advance(seconds=tickerq.core.config.heartbeat.total_seconds())
        beat.tick()
        assert is_catching_up(tickerq)
        seen.add(tickerq.core.database.read(lambda connection: connection.scalars(beats).one()))
    assert len(seen) == 4
