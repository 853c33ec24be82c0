"""Flame graphs of a beat and of a worker's child under load, by py-spy.

python -m benchmarks.flames POSTGRES_URL REDIS_URL FOLDER; the database and the broker are new and empty. Both
are sampled for SECONDS (15) while 100 runs fall due each second. A graph shows wall time: what waits for the
network is in it.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

from celery import Celery

from benchmarks.load import celery, ended
from benchmarks.memory import RATE, feed_ours, first_child
from tickerq_celery import TickerQ

SECONDS = 15
PY_SPY = shutil.which("py-spy", path=sysconfig.get_path("scripts")) or "py-spy"


def record(store_url: str, broker_url: str, folder: Path) -> None:
    """Write ``beat.svg`` and ``child.svg``."""
    app = Celery("feeds", broker=broker_url, set_as_current=False)
    tickerq = TickerQ(app, store_url, namespace="load_app")
    tickerq.create_schema()
    environ = {"BENCH_BROKER": broker_url, "BENCH_STORE": store_url}
    processes = [celery("beat", environ=environ), celery("worker", "-c", "2", "-Q", "ours", environ=environ)]
    try:
        child = first_child(processes[1].pid)
        feed_ours(tickerq, RATE)
        time.sleep(5)
        spies = [spy(processes[0].pid, folder / "beat.svg"), spy(child, folder / "child.svg")]
        while any(each.poll() is None for each in spies):
            feed_ours(tickerq, RATE)
            time.sleep(1)
    finally:
        ended(processes)
        tickerq.close()


def spy(pid: int, file: Path) -> "subprocess.Popen[bytes]":
    """Sample a process."""
    options = ("--rate", "100", "--duration", os.environ.get("SECONDS", str(SECONDS)), "--idle")
    return subprocess.Popen([PY_SPY, "record", "--pid", str(pid), "--output", str(file), *options])


if __name__ == "__main__":
    record(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
