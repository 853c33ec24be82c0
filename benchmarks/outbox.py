"""What a call of a task in a transaction takes, and how soon after the commit its task starts in a child.

One transaction of one row and one call after the other, each once the task of the one before has started.
"""

import os
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any

from redis import Redis
from sqlalchemy import Column, Engine, Float, MetaData, Table, create_engine, event, insert
from sqlalchemy.orm import Session

from benchmarks import outbox_app
from benchmarks.fleet import wait_until
from benchmarks.measured import Measured, delays
from benchmarks.processes import running
from tickerq_celery import TickerQ

_CELERY = ("celery", "-A", "benchmarks.outbox_app", "worker", "--concurrency=2", "--loglevel=ERROR")
_LEAN = ("--without-gossip", "--without-mingle", "--without-heartbeat")
_WARM = 20
_LONGEST = 30.0
orders = Table("orders", MetaData(), Column("number", Float, primary_key=True))


def _in_an_outbox(tickerq: TickerQ, session: Session, call: Callable[[], float]) -> tuple[float, float]:
    with tickerq.outbox(session):
        took = call()
    asked = time.time()
    session.commit()
    return took, asked


def _after_the_commit(tickerq: TickerQ, session: Session, call: Callable[[], float]) -> tuple[float, float]:
    took: list[float] = []
    event.listen(session, "after_commit", lambda _: took.append(call()))
    asked = time.time()
    session.commit()
    return took[0], asked


def _bare(tickerq: TickerQ, session: Session, call: Callable[[], float]) -> tuple[float, float]:
    asked = time.time()
    took = call()
    session.commit()
    return took, asked


WAYS = {
    "an outbox": _in_an_outbox,
    "after_commit(task.delay)": _after_the_commit,
    "a bare .delay()": _bare,
}


def measure(*, count: int, store_url: str, broker_url: str, way: str) -> tuple[Measured, ...]:
    """Return the delays of starts by one of the ``WAYS``, from the commit, or the bare call; and of calls."""
    environment = {outbox_app.BROKER: broker_url, outbox_app.STORE: store_url}
    with (
        closing(outbox_app.make(broker_url=broker_url, store_url=store_url)) as tickerq,
        closing(Redis.from_url(broker_url)) as redis,
    ):
        tickerq.create_schema()
        engine = create_engine(store_url)
        orders.create(engine)
        with running(*_CELERY, *_LEAN, environment={**os.environ, **environment}):
            wait_until(lambda: bool(tickerq.nodes.find()), seconds=_LONGEST)
            calls, starts = _measured(WAYS[way], tickerq, engine, redis, count)
        engine.dispose()
    return (
        *delays(way, starts, case="from the commit, or the bare call, to the start"),
        *delays(way, calls, case="the call"),
    )


def _measured(
    ways: Any, tickerq: TickerQ, engine: Engine, redis: "Redis[Any]", count: int
) -> tuple[Sequence[float], Sequence[float]]:
    calls, starts = [], []
    task: Any = tickerq.app.tasks[outbox_app.TASK]

    def call() -> float:
        began = time.perf_counter()
        task.delay()
        return (time.perf_counter() - began) * 1000

    for number in range(_WARM + count):
        with Session(engine) as session:
            session.execute(insert(orders).values(number=number))
            took, asked = ways(tickerq, session, call)
        found = redis.blpop([outbox_app.STARTED], timeout=_LONGEST)
        if found is None:
            raise TimeoutError("a task has not started")
        if number >= _WARM:
            calls.append(took)
            starts.append((float(found[1]) - asked) * 1000)
    return calls, starts
