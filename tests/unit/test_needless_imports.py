"""What a worker and a beat leave out of memory, since they do not use it."""

import json
import subprocess
import sys

import pytest

NEEDLESS = {
    *("alembic", "cryptography", "flask", "mako", "pygments", "rich", "tickerq_dashboard"),
    *("tickerq_celery.cli.changing", "tickerq_celery.cli.reading", "tickerq_celery.health.waiting"),
    *("pydantic", "sqlalchemy.dialects.mysql", "sqlalchemy.dialects.postgresql", "sqlalchemy.orm"),
}
# What all of them make is imported once; each goes on in a fork.
PROGRAM = """
import json, os, sys
before = set(sys.modules)
from celery import Celery
import celery.apps.worker, celery.apps.beat, celery.concurrency.prefork
celerys = set(sys.modules)
from tickerq_celery import TickerQ
app = Celery("adds", broker="memory://")
tickerq = TickerQ(app, "sqlite:///tickers.db")
@tickerq.function("Send")
def send(user_id: int, note: str | None = None): ...

for process, use in json.loads(sys.argv[1]).items():
    child = os.fork()
    if child == 0:
        exec(use)
        imported = set(sys.modules) - before - celerys
        print(json.dumps([process, *imported]), flush=True)
        os._exit(0)
    assert os.waitpid(child, 0) == (child, 0)
"""
USES = {
    "each that the celery command starts": "import tickerq_celery.cli.commands",
    "worker": "[step for step in app.steps['worker']]",
    "beat": "from tickerq_celery.scheduler import TickerScheduler; TickerScheduler(app, lazy=True);"
    "from tickerq_celery.runtime.node import NodeKind, profile; profile(tickerq.core, NodeKind.BEAT)",
}


@pytest.fixture(scope="module")
def imported() -> dict[str, set[str]]:
    """What each kind of process imports besides Celery's own part."""
    command = [sys.executable, "-c", PROGRAM, json.dumps(USES)]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    return {process: set(names) for process, *names in map(json.loads, ended.stdout.splitlines())}


@pytest.mark.parametrize("process", USES)
def test_a_process_imports_nothing_that_it_does_not_use(imported: dict[str, set[str]], process: str) -> None:
    assert "tickerq_celery" in imported[process]
    assert imported[process] & NEEDLESS == set()
