"""How many runs of a function that does nothing are executed a second, by processes of beat and worker."""

import time
import uuid
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta

from sqlalchemy import create_engine, func, make_url, select, text
from sqlalchemy.pool import NullPool

from benchmarks.measured import Measured, rate
from benchmarks.noop_app import BROKER, FUNCTION, QUEUE, STORE, noop_app
from benchmarks.processes import running, wait_for
from benchmarks.subjects import OURS
from tests.tables import tickers
from tickerq_celery import TickerQ, TimeTicker
from tickerq_celery.enums import SUCCEEDED

CELERY = ("celery", "-A", "benchmarks.noop_app")
WORKER = (*CELERY, "worker", "-c", "2", "--loglevel", "WARNING")
BEAT = (*CELERY, "beat", "--loglevel", "WARNING")
WARM_UP = 50
ADDED_AT_ONCE = 1_000
# Enough to add them before they are due, and for beat to have looked since.
AHEAD_SECONDS = 2.0


def measure(
    *, count: int, store_url: str, broker_url: str, case: str = "PostgreSQL", synchronous_commit: bool = True
) -> tuple[Measured, ...]:
    """Let ``count`` runs become due at one moment; return how many a second ended from then on."""
    if not synchronous_commit:
        answer_before_the_disk(store_url)
    queue = f"benchmarks-{uuid.uuid4().hex[:12]}"
    with ExitStack() as stack:
        tickerq = stack.enter_context(closing(noop_app(store_url, broker_url, queue)))
        tickerq.create_schema()
        environment = {STORE: store_url, BROKER: broker_url, QUEUE: queue}
        stack.enter_context(running(*WORKER, environment=environment))
        stack.enter_context(running(*BEAT, environment=environment))
        add(tickerq, WARM_UP, datetime.now(UTC))
        wait_for(lambda: ended(tickerq), WARM_UP, look_every=0.05)
        due = datetime.now(UTC) + timedelta(seconds=AHEAD_SECONDS)
        add(tickerq, count, due)
        time.sleep(max(0.0, (due - datetime.now(UTC)).total_seconds()))
        began = time.perf_counter()
        done = wait_for(lambda: ended(tickerq), WARM_UP + count, look_every=0.02) - WARM_UP
        seconds = time.perf_counter() - began
    return (rate(OURS, "executed", count=done, seconds=seconds, case=case),)


def add(tickerq: TickerQ, count: int, moment: datetime) -> None:
    """Add runs that are due at one moment."""
    for start in range(0, count, ADDED_AT_ONCE):
        number = min(ADDED_AT_ONCE, count - start)
        tickerq.time_tickers.add_batch([TimeTicker(FUNCTION, execution_time=moment) for _ in range(number)])


def ended(tickerq: TickerQ) -> int:
    """Return how many runs have succeeded, as the database says."""
    done = select(func.count()).where(tickers.c.status.in_(SUCCEEDED))
    return tickerq.core.read(lambda tx: tx.scalar(done)) or 0


def answer_before_the_disk(store_url: str) -> None:
    """Let PostgreSQL answer a commit that is not on the disk yet, in this database."""
    url = make_url(store_url)
    with create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text(f'ALTER DATABASE "{url.database}" SET synchronous_commit = off'))
