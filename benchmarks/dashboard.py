"""How long the dashboard's pages take the server beside a long history, and what of it its processor.

Each request reads anew, as the first of those who ask in a moment does. A browser's part is not measured. The
processor time is that of the process that serves, without the database's: but for SQLite, which is in it.
"""

import gc
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from statistics import median

from sqlalchemy import Connection

from benchmarks.measured import Measured, Unit
from benchmarks.subjects import OURS
from tests.integration.apps import ticker_app
from tests.plans import history
from tests.plans.explaining import Sent, queries
from tests.plans.history import History
from tests.plans.pages import TIMED
from tests.plans.things import filled
from tests.plans.visiting import client_of, show
from tests.servers.schema_template import make_schema
from tickerq_celery import TickerQ
from tickerq_celery.store.database.database import Database
from tickerq_celery.store.database.urls import resolved_url
from tickerq_dashboard.serving import freeze_heap

MEDIAN, PAGE = "a page, p50", "a page, p95"
PROCESSOR, STATEMENTS = "its processor time", "its statements"
STATEMENT = "its slowest statement, p95"
REPEATED, ACTIVE = 20, 10
# Nothing is left out for its time: that is what is measured.
BUDGET = timedelta(minutes=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What one request took, in milliseconds: on the clock, and of the processor in the server's process."""

    took: float
    processor: float


def measure(*, count: int, store_url: str, case: str) -> tuple[Measured, ...]:
    """Ask each page 20 times beside ``count`` ended runs; ``case`` names the database."""
    make_schema(store_url)
    with closing(Database(resolved_url(store_url, Path.cwd()), is_bounded=False)) as database:
        written = database.write(lambda connection: history.build(connection, count))
        database.write(lambda connection: history.set_active(connection, written, ACTIVE))
        with ticker_app(store_url, history.BIG, read_budget=BUDGET) as tickerq:
            return tuple(_measured(tickerq, database, case, written))


def _measured(tickerq: TickerQ, database: Database, case: str, written: History) -> Iterator[Measured]:
    for template in TIMED:
        path = filled(template, history.BIG, written)
        with queries() as sent:
            show(client_of(tickerq), path)
        requests = _requests(tickerq, path)
        slowest = max(database.read(partial(_took, sent=each)) for each in sent)
        for quantity, value in {**figures_of(requests), STATEMENTS: len(sent), STATEMENT: slowest}.items():
            yield Measured(
                subject=OURS,
                quantity=quantity,
                value=value,
                unit=Unit.COUNT if quantity == STATEMENTS else Unit.MILLISECONDS,
                case=f"{case}, {template}",
                count=0 if quantity == STATEMENTS else REPEATED,
            )


def figures_of(requests: Sequence[Request]) -> dict[str, float]:
    """Return what the requests of one page come to."""
    took = [each.took for each in requests]
    return {
        MEDIAN: median(took),
        PAGE: p95(took),
        PROCESSOR: median(each.processor for each in requests),
    }


def _requests(tickerq: TickerQ, path: str) -> list[Request]:
    client = client_of(tickerq)
    show(client, path)  # compiles the templates
    freeze_heap()
    requests = [_request(lambda: show(client, path)) for _ in range(REPEATED)]
    gc.unfreeze()
    return requests


def _request(work: Callable[[], object]) -> Request:
    # Of all threads: reads of the store have their own.
    began = time.process_time()
    took = _timed(work)
    return Request(took=took, processor=1_000 * (time.process_time() - began))


def _took(connection: Connection, *, sent: Sent) -> float:
    """Return how many milliseconds a statement and its rows take, in 19 of 20 times at most."""
    for setting in sent.settings:
        connection.exec_driver_sql(setting)
    return p95(
        [
            _timed(lambda: connection.exec_driver_sql(sent.statement, sent.parameters).all())
            for _ in range(REPEATED)
        ]
    )


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return 1_000 * (time.perf_counter() - began)


def p95(milliseconds: Sequence[float]) -> float:
    """Return what 19 of 20 of them are at most, by the nearest-rank method."""
    return sorted(milliseconds)[math.ceil(0.95 * len(milliseconds)) - 1]
