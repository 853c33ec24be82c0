"""One soak from its servers to its history."""

import json
import os
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from celery import Celery
from sqlalchemy import NullPool, create_engine

from tests.acceptance.processes import ROOT
from tests.servers.pool import new_server
from tests.servers.server import Server
from tests.soak.chaos import Chaos
from tests.soak.ends import Ends
from tests.soak.faults import FaultKind, FaultPlan
from tests.soak.fleet import Fleet
from tests.soak.history import History
from tests.soak.producer import Producer
from tests.soak.reading import read_history
from tests.soak.settings import (
    CELERY,
    LEASE_SECONDS,
    LONGEST_SETTLE,
    LONGEST_WAIT,
    NAMESPACE,
    STALL_LIMIT,
    TICKERQ,
)
from tests.soak.settling import Settling, read_calm, settle, uncounted
from tests.soak.workload import CRONS, KEY_LIMITS, LIMITS, Workload
from tickerq_celery import Cron, CronTicker, TickerQ


@dataclass(slots=True, kw_only=True)
class Soaked:
    """What a soak gave: its history, what the fleet itself saw, and after how many seconds all was done."""

    history: History
    faults: Counter[FaultKind]
    restarts: int
    settled_after: float
    ends: Ends


def soak(seconds: float, *, seed: int, folder: Path) -> Soaked:
    """Run one soak; all that it starts has ended when it returns or raises, and ``folder`` holds the logs."""
    with _server("postgres", folder) as postgres, _server("redis", folder) as redis:
        store_url = postgres.new_database()
        tickerq = TickerQ(Celery(NAMESPACE, broker=redis.url, set_as_current=False), store_url, **TICKERQ)
        tickerq.create_schema()
        fleet = Fleet(folder=folder, environ=_environ(store_url, redis.url, folder))
        plan = FaultPlan(seed)
        chaos = Chaos(fleet=fleet, postgres=postgres, redis=redis, plan=plan, lease_seconds=LEASE_SECONDS)
        producer = Producer(tickerq, create_engine(store_url, poolclass=NullPool), Workload(seed))
        try:
            return _soak(tickerq, chaos, producer, seconds=seconds)
        finally:
            fleet.close()
            tickerq.close()


def _soak(tickerq: TickerQ, chaos: Chaos, producer: Producer, *, seconds: float) -> Soaked:
    fleet = chaos.fleet
    fleet.start_all()
    crons = _add_crons(tickerq)
    producer.start()
    chaos.run(seconds)
    added = producer.stop()
    chaos.calm()
    calm_since = time.monotonic()
    calm = read_calm(tickerq, longest_wait=LONGEST_WAIT)
    settling = Settling(stall_limit=STALL_LIMIT, longest=LONGEST_SETTLE, meanwhile=fleet.tend)
    spans = settle(tickerq, crons, CRONS, settling, calm)
    settled_after = time.monotonic() - calm_since
    # A body that ended its process by plan may have been among the last.
    fleet.calm()
    settling.wait(lambda: uncounted(tickerq))
    fleet.stop_all()
    history = read_history(
        tickerq.core,
        fleet.folder / "bodies.txt",
        added=added,
        crons=spans,
        blows=fleet.blows,
        calm=calm,
        limits=LIMITS,
        key_limits=KEY_LIMITS,
    )
    return Soaked(
        history=history,
        faults=chaos.done,
        restarts=fleet.restarts,
        settled_after=settled_after,
        ends=fleet.ends,
    )


def _add_crons(tickerq: TickerQ) -> list[Cron]:
    batch = [
        CronTicker(
            function="Work",
            expression=order.expression,
            request=order.request(),
            misfire=order.misfire,
            misfire_limit=order.misfire_limit,
            overlap=order.overlap,
        )
        for order in CRONS
    ]
    return tickerq.cron_tickers.add_batch(batch)


def _environ(store_url: str, broker_url: str, folder: Path) -> dict[str, str]:
    return {
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
        "PYTHONUNBUFFERED": "1",
        "SOAK_STORE_URL": store_url,
        "SOAK_BROKER_URL": broker_url,
        "SOAK_BODIES": str(folder / "bodies.txt"),
        "SOAK_TICKERQ": json.dumps(dict(TICKERQ)),
        "SOAK_CELERY": json.dumps(dict(CELERY)),
    }


@contextmanager
def _server(kind: str, folder: Path) -> Iterator[Server]:
    with new_server(kind) as server:
        try:
            yield server
        finally:
            shutil.copyfile(server.folder / "server.log", folder / f"{kind}.log")


def make_folder() -> Path:
    """Make the folder of a soak's logs."""
    return Path(tempfile.mkdtemp(prefix=f"tickerq-soak-{time.strftime('%H%M%S')}-"))
