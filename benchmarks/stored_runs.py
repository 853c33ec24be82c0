"""Many runs in a store, written by SQL, and a live worker that has their functions."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

from celery import Celery
from sqlalchemy import ColumnElement, Connection, insert, literal, literal_column, null, select, text

from tests.tables import tickers
from tickerq_celery import TickerContext, TickerQ, TickerStatus, TimeTicker
from tickerq_celery.enums import NodeKind
from tickerq_celery.ids import new_id
from tickerq_celery.runtime.node import NodeRegistration, profile
from tickerq_celery.store.tables.column_types import UtcDateTime
from tickerq_celery.worker.enrolment import enrol

# One without limits, one of which one run may be active, and one of which few runs come.
WORK, LIMITED, OTHER = "Work", "Limited", "Other"
_WRITTEN_AT_ONCE = 100_000
# A UUIDv7, as the library makes them: its milliseconds, and what follows.
_ID: Mapping[str, str] = {
    "postgresql": "CAST(lpad(to_hex({first} + n), 12, '0') || '{rest}' AS uuid)",
    "sqlite": "printf('%012x{rest}', {first} + n)",
    "mysql": "CONCAT(LPAD(LOWER(HEX({first} + n)), 12, '0'), '{rest}')",
}
_NUMBERS: Mapping[str, str] = {
    "postgresql": "generate_series(1, {count}) AS numbers(n)",
    "sqlite": "(WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {count})"
    " SELECT n FROM s) AS numbers",
    "mysql": "(SELECT seq AS n FROM seq_1_to_{count}) AS numbers",
}


@contextmanager
def ticker_app(store_url: str, **settings: object) -> Iterator[TickerQ]:
    """Give a TickerQ on a store that is migrated, and a live worker that has the functions above."""
    app = Celery("bench", broker="memory://", set_as_current=False)
    tickerq = TickerQ(app, store_url, lease=timedelta(days=1), **settings)
    for name, limits in {WORK: {}, LIMITED: {"max_concurrency": 1}, OTHER: {}}.items():
        tickerq.function(name, **limits)(_nothing)
    tickerq.create_schema()
    enrol(tickerq.core, NodeRegistration(profile(tickerq.core, NodeKind.WORKER, queues=("celery",))))
    try:
        yield tickerq
    finally:
        tickerq.close()
        app.close()


def _nothing(context: TickerContext[None]) -> None:
    """Do nothing."""


def write_runs(
    tickerq: TickerQ,
    count: int,
    *,
    function: str = WORK,
    due_in: timedelta = timedelta(minutes=-1),
    has_ended: bool = False,
    values: Mapping[str, object] | None = None,
) -> None:
    """Store copies of a run that is added, due or ended at one moment, with other ``values``."""
    if not count:
        return
    core = tickerq.core
    now = core.clock.now()
    added = tickerq.time_tickers.add(TimeTicker(function, execution_time=now + timedelta(days=365)))
    moment = literal(now + due_in, UtcDateTime())
    own: dict[str, ColumnElement[object]] = {"due_at": moment}
    if has_ended:
        done = literal_column(str(int(TickerStatus.DONE)))
        own = {"due_at": null(), "status": done, "ended_status": done, "ended_at": moment}
    own |= {name: literal(value, tickers.c[name].type) for name, value in (values or {}).items()}
    for start in range(0, count, _WRITTEN_AT_ONCE):
        core.database.write(
            lambda to, start=start: _copy(to, added.id, min(_WRITTEN_AT_ONCE, count - start), own)
        )
    core.database.write(_analyse)


def _copy(to: Connection, ticker_id: UUID, count: int, own: Mapping[str, ColumnElement[object]]) -> None:
    kind = to.dialect.name
    ids = _ID[kind].format(first=time.time_ns() // 1_000_000, rest=f"70008{new_id().hex[-15:]}")
    columns = [{**own, "id": literal_column(ids)}.get(each.name, each) for each in tickers.c]
    source = tickers.join(text(_NUMBERS[kind].format(count=count)), literal_column("1 = 1"))
    rows = select(*columns).select_from(source).where(tickers.c.id == ticker_id)
    to.execute(insert(tickers).from_select([*tickers.c], rows))


def _analyse(to: Connection) -> None:
    """Let a server know what the table holds, as it finds out by itself in a while."""
    if to.dialect.name == "postgresql":
        to.execute(text("ANALYZE tickerq_tickers"))
    elif to.dialect.name != "sqlite":
        to.execute(text("ANALYZE TABLE tickerq_tickers"))
