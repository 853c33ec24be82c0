"""What a tick of beat costs when nothing is due, alone and beside many cron tickers."""

import statistics
import time
from contextlib import closing
from datetime import timedelta

from benchmarks.measured import Measured, Unit
from benchmarks.noop_app import FUNCTION, noop_app
from benchmarks.subjects import OURS
from tests.tables import cron_tickers
from tickerq_celery import CronTicker, TickerQ
from tickerq_celery.ids import new_id
from tickerq_celery.scheduler import TickerScheduler
from tickerq_celery.store.database.batches import insert_rows

BATCH = 5_000
TICKS = 200


def measure(*, count: int, store_url: str, case: str, alone: bool = True) -> tuple[Measured, ...]:
    """Return the median of many ticks beside ``count`` cron tickers, and before beside none if ``alone``."""
    with closing(noop_app(store_url, "memory://", "benchmarks")) as tickerq:
        tickerq.create_schema()
        found = [_tick(tickerq, f"{case}, beside none")] if alone else []
        add_crons(tickerq, count)
        return (*found, _tick(tickerq, f"{case}, beside {count:,} schedules"))


def add_crons(tickerq: TickerQ, count: int) -> None:
    """Store many cron tickers, whose next instants are days away and differ: copies of one that is added."""
    added = tickerq.cron_tickers.add(CronTicker(function=FUNCTION, every=timedelta(days=2)))
    ours = cron_tickers.select().where(cron_tickers.c.id == added.id)
    row = tickerq.core.read(lambda tx: tx.execute(ours).one())._asdict()
    for start in range(1, count, BATCH):
        rows = [
            row | {"id": new_id(), "next_run_at": row["next_run_at"] + timedelta(seconds=number)}
            for number in range(start, min(start + BATCH, count))
        ]
        tickerq.core.write(insert_rows, cron_tickers, rows)


def median_tick_ms(tickerq: TickerQ) -> float:
    """Return the median of many ticks in a row; what comes round now and then is in some of them."""
    beat = TickerScheduler(tickerq.app)
    beat.tick()
    took = []
    for _ in range(TICKS):
        began = time.perf_counter()
        beat.tick()
        took.append((time.perf_counter() - began) * 1000)
    beat.close()
    return statistics.median(took)


def _tick(tickerq: TickerQ, case: str) -> Measured:
    value = median_tick_ms(tickerq)
    return Measured(subject=OURS, quantity="idle tick", value=value, unit=Unit.MILLISECONDS, case=case)
