"""What a process that adds a ticker leaves out of memory, since only others use it."""

import subprocess
import sys

import pytest

ADD = """
import sys
from celery import Celery
from tickerq_celery import TickerQ, TimeTicker

tickerq = TickerQ(Celery("adds", broker="memory://"), sys.argv[1])
tickerq.function("Send")(lambda user_id: None)
tickerq.time_tickers.add(TimeTicker(function="Send", request={"user_id": 3}))
print(*sys.modules)
"""
# Rooms of which it needs nothing.
ROOMS = {"cli", "cron", "health", "stats"}
MANAGERS = {
    "acting",
    "asynchronous",
    "batches",
    "chains",
    "changes",
    "digests",
    "facade",
    "fresh_runs",
    "keyed_rows",
    "operations",
    "settings_report",
    "task_calls",
    "time_tickers",
    "time_tickers.operations",
    "time_tickers.task_scheduling",
    "time_tickers.time_tickers",
    "unique_keys",
    "unit_of_work",
    "unknown_tasks",
}
# What a process needs that never runs a ticker: the tasks of its functions, which may be called in it.
WORKER = {"exception_handler", "parts", "seeder_decorator", "step"}
BEAT = {"check"}
FOREIGN = {
    "alembic",
    "billiard.pool",
    "celery.worker.request",
    "cryptography",
    "psutil",
    "pydantic",
    "pydantic_core",
    "sqlalchemy.dialects.mysql",
    "sqlalchemy.dialects.postgresql",
    "sqlalchemy.ext.asyncio",
    "sqlalchemy.orm",
}


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_process_that_adds_a_ticker_imports_what_adding_needs(store_url: str) -> None:
    added = subprocess.run([sys.executable, "-c", ADD, store_url], capture_output=True, text=True, check=True)
    modules = set(added.stdout.split())
    assert "tickerq_celery.managers.time_tickers.time_tickers" in modules
    assert FOREIGN & modules == set()
    assert {room for room in ROOMS if f"tickerq_celery.{room}" in modules} == set()
    for room, needed in (("managers", MANAGERS), ("worker", WORKER), ("beat", BEAT)):
        prefix = f"tickerq_celery.{room}."
        assert {name.removeprefix(prefix) for name in modules if name.startswith(prefix)} <= needed
