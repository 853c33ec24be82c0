"""How fast beat counts ends into the roll-up, and how long others wait for it meanwhile."""

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from sqlalchemy import Connection, delete

from benchmarks.measured import Measured, Unit, rate
from benchmarks.subjects import OURS
from tests.integration.apps import ticker_app
from tests.plans import history
from tests.servers.schema_template import make_schema
from tests.tables import rollup_state, rollups
from tickerq_celery.runtime.core import Core
from tickerq_celery.stats.rolling import roll_up
from tickerq_celery.store.database.database import Database
from tickerq_celery.store.database.urls import resolved_url


def measure(*, count: int, store_url: str, case: str) -> tuple[Measured, ...]:
    """Count ``count`` ends piece by piece: how many a second, and how long the pieces lock the store."""
    make_schema(store_url)
    with closing(Database(resolved_url(store_url, Path.cwd()), is_bounded=False)) as database:
        database.write(lambda connection: history.build(connection, count))
        database.write(count_nothing)
    with ticker_app(store_url, history.BIG) as tickerq:
        pieces = list(counting(tickerq.core))
    ends, seconds = sum(each for each, _ in pieces), sum(took for _, took in pieces)
    subject = OURS
    longest = max(took for _, took in pieces) * 1000
    return (
        rate(subject, "ends counted", count=ends, seconds=seconds, case=case),
        Measured(subject=subject, quantity="longest piece", value=longest, unit=Unit.MILLISECONDS, case=case),
    )


def count_nothing(connection: Connection) -> None:
    """Let no end be counted."""
    connection.execute(delete(rollups))
    connection.execute(delete(rollup_state))


def counting(core: Core) -> Iterator[tuple[int, float]]:
    """Count all ends; yield of each piece how many, and how long it took."""
    is_last = False
    while not is_last:
        began = time.perf_counter()
        rolled = core.write(roll_up)
        assert rolled is not None
        is_last = rolled.is_last
        yield rolled.ends, time.perf_counter() - began
