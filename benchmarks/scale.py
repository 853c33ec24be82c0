"""How the work of beats and workers grows with their number, beside a table of millions of rows.

Beside so many future and so many finished runs, and a tenth as many cron tickers: 10,000 runs that fall due
at one moment are published by 1, 2 and 4 beats, and 2,000 executed by 1, 2 and 4 workers with one child. On
two cores the brokers, the database and all of these share what there is.
"""

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from celery import Celery
from sqlalchemy import Connection, Table, select, text

from benchmarks.load import FUNCTION, celery, ended
from benchmarks.measured import Measured, Unit, rate
from benchmarks.subjects import OURS
from tests.tables import cron_tickers, tickers
from tickerq_celery import CronTicker, TickerQ, TimeTicker
from tickerq_celery.enums import SUCCEEDED

TIMES = (1, 2, 4)
DUE, EXECUTED = 10_000, 2_000
QUEUE = "ours"
# How long one number of processes may take, in seconds.
LONGEST = 120.0
FAR = timedelta(days=30)
MOVED = {"execution_time", "due_at", "next_run_at", "ended_at", "started_at", "created_at"}


def measure(*, count: int, store_url: str, broker_url: str) -> tuple[Measured, ...]:
    """Return rates of 1, 2 and 4 beats and workers beside ``count`` future and as many finished runs."""
    return tuple(_measured(count, store_url, broker_url))


def _measured(count: int, store_url: str, broker_url: str) -> Iterator[Measured]:
    app = Celery("scale", broker=broker_url, set_as_current=False)
    app.conf.task_default_queue = QUEUE
    tickerq = TickerQ(app, store_url, namespace="load_app", max_queued=10 * DUE)
    tickerq.create_schema()
    began = time.monotonic()
    fill(tickerq, count)
    seconds = time.monotonic() - began
    yield Measured(subject=OURS, quantity="filling", value=seconds, unit=Unit.SECONDS, count=count)
    case = f"beside {count:,} future, {count:,} finished, {count // 10:,} crons"
    environ = {"BENCH_BROKER": broker_url, "BENCH_STORE": store_url}
    yield from sizes(tickerq, case)
    for number in TIMES:
        with processes(environ, beats=number, workers=0):
            yield published(tickerq, number, case)
    for number in TIMES:
        with processes(environ, beats=1, workers=number):
            yield executed(tickerq, number, case)
    tickerq.close()


def fill(tickerq: TickerQ, count: int) -> None:
    """Store copies of one future run, of one that has ended, and of one cron ticker."""
    later = TimeTicker(
        function=FUNCTION, request={"is_failing": False}, execution_time=datetime.now(UTC) + FAR
    )
    future, over = tickerq.time_tickers.add_batch([later, later], allow_unknown=True)
    tickerq.runs.cancel(over.id)
    yearly = CronTicker(function=FUNCTION, expression="0 0 3 1 1 *", request={"is_failing": False})
    cron = tickerq.cron_tickers.add(yearly, allow_unknown=True)

    def copy_all(connection: Connection) -> None:
        copy(connection, tickers, future.id, count)
        copy(connection, tickers, over.id, count)
        copy(connection, cron_tickers, cron.id, count // 10)
        connection.execute(text("ANALYZE"))

    tickerq.core.database.unpooled(is_bounded=False).write(copy_all)


def copy(connection: Connection, table: Table, id_: object, count: int) -> None:
    """Store copies of a row, each a second later than the one before."""
    names = [column.name for column in table.columns]
    values = ["gen_random_uuid()" if name == "id" else moved(name) for name in names]
    connection.execute(
        text(
            f"INSERT INTO {table.name} ({', '.join(names)}) SELECT {', '.join(values)} "
            f"FROM {table.name}, generate_series(1, :count) AS n WHERE id = :id"
        ),
        {"count": count, "id": id_},
    )


def moved(name: str) -> str:
    """Return the SQL of a column's copy."""
    return f"{name} + n * interval '1 second'" if name in MOVED else name


def sizes(tickerq: TickerQ, case: str) -> Iterator[Measured]:
    """Yield how much the table of runs takes, with its indexes."""
    size = select(text("pg_total_relation_size('tickerq_tickers')"))
    found = tickerq.core.database.read(lambda connection: connection.scalar(size))
    yield Measured(
        subject=OURS, quantity="runs on disk", value=float(found) / 2**20, unit=Unit.MEGABYTES, case=case
    )


def published(tickerq: TickerQ, beats: int, case: str) -> Measured:
    """Let runs fall due at one moment, and return how many a second their beats published."""
    began = become_due(tickerq, DUE)
    with tickerq.app.connection_for_write() as connection:
        client = connection.default_channel.client
        wait_for(lambda: arrived(client) >= DUE)
        seconds = time.time() - began
        found = arrived(client)
        client.flushdb()
    forget(tickerq)
    return rate(OURS, f"published by {beats} beats", count=found, seconds=seconds, case=case)


def arrived(client: Any) -> int:
    """Return how many messages wait: kombu has a list for each priority of a queue."""
    return sum(client.llen(key) for key in client.scan_iter(f"{QUEUE}*", _type="list"))


def executed(tickerq: TickerQ, workers: int, case: str) -> Measured:
    """Let runs fall due at one moment, and return how many a second were done."""
    began = become_due(tickerq, EXECUTED)
    wait_for(lambda: tickerq.runs.count(status=SUCCEEDED) >= EXECUTED)
    seconds = time.time() - began
    found = tickerq.runs.count(status=SUCCEEDED)
    forget(tickerq)
    return rate(OURS, f"executed by {workers} workers", count=found, seconds=seconds, case=case)


def become_due(tickerq: TickerQ, count: int) -> float:
    """Add runs that are due at one moment soon; wait for that, and return it."""
    due = datetime.now(UTC) + timedelta(seconds=8)
    one = TimeTicker(function=FUNCTION, request={"is_failing": False}, execution_time=due)
    for _ in range(count // 2_000):
        tickerq.time_tickers.add_batch([one] * 2_000, allow_unknown=True)
    time.sleep(max(0.0, due.timestamp() - time.time()))
    return due.timestamp()


def forget(tickerq: TickerQ) -> None:
    """Delete what fell due, so that the next number of processes begins as the one before."""
    gone = text("DELETE FROM tickerq_tickers WHERE execution_time < now()")
    tickerq.core.database.write(lambda connection: connection.execute(gone))


def wait_for(is_done: Callable[[], bool]) -> None:
    """Return once it is, or when the time is up: what was counted until then counts."""
    until = time.monotonic() + LONGEST
    while not is_done() and time.monotonic() < until:
        time.sleep(0.05)


@contextmanager
def processes(environ: dict[str, str], *, beats: int, workers: int) -> Iterator[None]:
    """Run so many beats and workers."""
    with ExitStack() as stack:
        made: list[subprocess.Popen[bytes]] = [celery("beat", environ=environ) for _ in range(beats)]
        made += [
            celery("worker", "-c", "1", "-Q", QUEUE if number < workers else "idle", "-n", f"w{number}@%h",
                   environ=environ) for number in range(max(1, workers))
        ]  # fmt: skip
        stack.callback(ended, made)
        time.sleep(15)
        yield
