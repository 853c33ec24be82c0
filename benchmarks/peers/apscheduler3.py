"""APScheduler 3, which executes what is due in threads of its own process."""

import threading
import time
from datetime import UTC, datetime, timedelta

from apscheduler.jobstores.base import BaseJobStore
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.background import BackgroundScheduler

from benchmarks.measured import Measured, rate

SUBJECT = "APScheduler 3"
MOST_SECONDS = 60.0
_called: list[None] = []
_counted = threading.Lock()


def called() -> None:
    """Count a call."""
    with _counted:
        _called.append(None)


def dispatch(*, count: int, store_url: str = "") -> tuple[Measured, ...]:
    """Have ``count`` jobs called whose moment has come; without a database they are kept in memory."""
    store: BaseJobStore = SQLAlchemyJobStore(store_url) if store_url else MemoryJobStore()
    scheduler = BackgroundScheduler(jobstores={"default": store}, timezone=UTC)
    scheduler.start(paused=True)
    past = datetime.now(UTC) - timedelta(hours=1)
    for _ in range(count):
        scheduler.add_job(f"{__name__}:called", "date", run_date=past, misfire_grace_time=None)
    began = time.perf_counter()
    scheduler.resume()
    while len(_called) < count and time.perf_counter() - began < MOST_SECONDS:
        time.sleep(0.002)
    seconds = time.perf_counter() - began
    scheduler.shutdown()
    case = "in process, PostgreSQL" if store_url else "in process, memory"
    return (rate(SUBJECT, "dispatched", count=len(_called), seconds=seconds, case=case),)
