"""What a tick of beat costs when nothing is due, alone and beside many cron tickers.

python -m benchmarks.idle_tick [store URL …]; without a URL on SQLite in a temporary folder. The store is
migrated; rows are written under a namespace of their own, and removed.
"""

import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from celery import Celery
from sqlalchemy import delete, select

from tickerq_celery import CronTicker, TickerQ
from tickerq_celery.ids import new_id
from tickerq_celery.scheduler import TickerScheduler
from tickerq_celery.store.database.batches import insert_rows
from tickerq_celery.store.tables import cron_tickers

CRONS = 100_000
BATCH = 5_000
TICKS = 300
MOST_MS = 10.0


def measure(store_url: str) -> bool:
    """Print the figures of one store, and return True if they are good enough."""
    with ticker_app(store_url) as tickerq:
        alone = median_tick_ms(tickerq)
        add_crons(tickerq)
        beside = median_tick_ms(tickerq)
    kind = store_url.partition(":")[0]
    print(
        f"{kind}: {alone:.2f} ms alone, {beside:.2f} ms beside {CRONS:,} cron tickers (at most {MOST_MS:g})"
    )
    return beside <= MOST_MS


def add_crons(tickerq: TickerQ) -> None:
    """Store many cron tickers, whose next instants are days away and differ: copies of one that is added."""
    ticker = CronTicker(function="Nothing", every=timedelta(days=2))
    added = tickerq.cron_tickers.add(ticker, allow_unknown=True)
    database = tickerq.core.database
    ours = select(cron_tickers).where(cron_tickers.c.id == added.id)
    row = database.read(lambda connection: connection.execute(ours).one())._asdict()
    for start in range(1, CRONS, BATCH):
        rows = [
            row | {"id": new_id(), "next_run_at": row["next_run_at"] + timedelta(seconds=number)}
            for number in range(start, min(start + BATCH, CRONS))
        ]
        database.write(lambda tx, rows=rows: insert_rows(tx, cron_tickers, rows))


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


@contextmanager
def ticker_app(store_url: str) -> Iterator[TickerQ]:
    """Give a TickerQ on a migrated store, whose cron tickers are removed at the end."""
    namespace = f"bench-{uuid.uuid4().hex[:12]}"
    app = Celery(namespace, broker="memory://", set_as_current=False)
    tickerq = TickerQ(app, store_url)
    tickerq.create_schema()
    try:
        yield tickerq
    finally:
        ours = delete(cron_tickers).where(cron_tickers.c.namespace == namespace)
        tickerq.core.database.write(lambda connection: connection.execute(ours))
        tickerq.close()
        app.close()


def main(urls: list[str]) -> int:
    """Measure each store; 1 if one of them is too slow."""
    with tempfile.TemporaryDirectory() as folder:
        results = [measure(url) for url in urls or [f"sqlite:///{folder}/tickers.db"]]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
