"""One beat and one worker with two children, as processes of their own, and when runs started in them."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager

from sqlalchemy import select

from benchmarks import fleet_app
from benchmarks.processes import running
from tests.tables import nodes, tickers
from tickerq_celery import TickerQ

_CELERY = ("celery", "-A", "benchmarks.fleet_app")
_LEAN = ("--without-gossip", "--without-mingle", "--without-heartbeat")
_WORKER = ("worker", "--concurrency=2", "--loglevel=ERROR", *_LEAN)
_BEAT = ("beat", "--scheduler=tickerq_celery.scheduler.TickerScheduler", "--loglevel=ERROR")
_LONGEST_START = 30.0
_LOOK = 0.1


@contextmanager
def store_of(store_url: str, broker_url: str) -> Iterator[TickerQ]:
    """Give a TickerQ on a new store, whose tables it makes."""
    with closing(fleet_app.make(broker_url=broker_url, store_url=store_url)) as tickerq:
        tickerq.create_schema()
        yield tickerq


@contextmanager
def fleet(
    tickerq: TickerQ, store_url: str, broker_url: str, *, poll_interval: float = 1.0, body: float = 0.0
) -> Iterator[None]:
    """Run a worker and a beat beside the block, which begins once both have enrolled.

    A run of the crowd takes ``body`` seconds.
    """
    environment = {
        fleet_app.BROKER: broker_url,
        fleet_app.STORE: store_url,
        fleet_app.POLL: str(poll_interval),
        fleet_app.BODY: str(body),
    }
    with ExitStack() as stack:
        for number, command in enumerate((_WORKER, _BEAT), start=1):
            stack.enter_context(running(*_CELERY, *command, environment=environment))
            wait_until(lambda number=number: _nodes(tickerq) >= number, seconds=_LONGEST_START)
        yield


def wait_until(is_so: Callable[[], bool], *, seconds: float) -> None:
    """Wait until something is so.

    Raises:
        TimeoutError: It is not after so many seconds.
    """
    until = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() >= until:
            raise TimeoutError(f"not so in {seconds} s")
        time.sleep(_LOOK)


def _nodes(tickerq: TickerQ) -> int:
    return len(tickerq.core.database.read(lambda connection: connection.execute(select(nodes.c.id)).all()))


def started_late(tickerq: TickerQ, function: str) -> list[float]:
    """Return by how many milliseconds the runs of a function that have started did so after their time."""
    columns = (tickers.c.execution_time, tickers.c.started_at)
    statement = select(*columns).where(tickers.c.function == function, tickers.c.started_at.is_not(None))
    rows = tickerq.core.database.read(lambda connection: connection.execute(statement).all())
    return [(started_at - due).total_seconds() * 1000 for due, started_at in rows]
