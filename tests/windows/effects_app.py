"""``job_app`` with a function whose effect is a row of its own, which commits with the end of its run."""

import os
import random
import time
from typing import Any

from sqlalchemy import Engine, create_engine, insert
from sqlalchemy.orm import Session

from tests.acceptance.job_app import app, tickerq
from tests.windows.effects import effects
from tickerq_celery import TickerContext, prepare_sqlite_engine

__all__ = ["app"]
ENGINES: list[Engine] = []


def _engine() -> Engine:
    """Return this process's engine: the pool's children must not share one."""
    if not ENGINES:
        ENGINES.append(create_engine(os.environ["JOB_STORE_URL"]))
        prepare_sqlite_engine(ENGINES[0])
    return ENGINES[0]


@tickerq.function("Effect", retries=1_000, retry_intervals=[0.1])
def effect(context: TickerContext[Any]) -> None:
    """Write the effect and the end, with a pause of some length before and after each step."""
    _pause()
    with Session(_engine()) as session, session.begin():
        session.execute(insert(effects).values(run=str(context.id)))
        _pause()
        context.complete_in(session)
        _pause()
    _pause()


def _pause() -> None:
    time.sleep(random.uniform(0, 0.02))
