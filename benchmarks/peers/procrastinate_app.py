"""What ``procrastinate --app benchmarks.peers.procrastinate_app.app worker`` executes."""

import logging
import os

from procrastinate import App, PsycopgConnector, SyncPsycopgConnector

CONNINFO = os.environ["BENCHMARK_STORE_URL"].replace("postgresql+psycopg:", "postgresql:")
# Else it logs two lines a job, where Celery is asked for warnings only.
logging.disable(logging.INFO)
is_worker = os.environ.get("BENCHMARK_WORKER") == "1"
connector = PsycopgConnector if is_worker else SyncPsycopgConnector
app = App(connector=connector(conninfo=CONNINFO))


@app.task(name="noop")
async def noop(number: int) -> None:
    """Do nothing."""


@app.task(name="mail")
async def mail(user_id: int, address: str, subject: str, is_urgent: bool) -> None:
    """Do nothing with what a mail needs."""
