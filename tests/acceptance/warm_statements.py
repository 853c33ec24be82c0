"""Compiles what a beat and a worker ask of a store on SQLite, so that the forks of a warm process need not.

It takes a third of a second of each of them otherwise, which is most of what a beat of a short test does.
"""

from datetime import UTC, datetime
from tempfile import TemporaryDirectory

from celery import Celery
from sqlalchemy import create_engine, update

from tests.compiled_statements import share_compiled_statements
from tests.servers.schema_template import make_schema
from tests.tables import cron_tickers
from tickerq_celery import CronTicker, TickerQ, TimeTicker
from tickerq_celery.enums import NodeKind
from tickerq_celery.runtime.node import NodeRegistration, profile
from tickerq_celery.scheduler import TickerScheduler
from tickerq_celery.worker.enrolment import enrol

# Each does a part of what is due.
_TICKS = 20


def compile_statements() -> None:
    """Let a beat fire and dispatch, and execute what it published, on a store that is gone afterwards."""
    share_compiled_statements()
    app = Celery("warm", broker="memory://", set_as_current=False)
    with TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/tickers.db"
        make_schema(url)
        tickerq = TickerQ(app, url)
        tickerq.function("Body", retries=1)(lambda: None)
        worker = NodeRegistration(profile(tickerq.core, NodeKind.WORKER, queues=("celery",)))
        enrol(tickerq.core, worker)
        tickerq.cron_tickers.add(CronTicker("Body", expression="@hourly"))
        tickerq.time_tickers.add(TimeTicker("Body"))
        _make_due(url)
        beat = TickerScheduler(app=app)
        for _ in range(_TICKS):
            beat.tick()
        _execute(app)
        tickerq.core.write(worker.beat)
        beat.close()
        tickerq.close()
    app.close()
    # A thread that has not quite ended may keep it, and a fork would count it among its own.
    TickerQ._of_app.pop(app)


def _make_due(url: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(update(cron_tickers).values(next_run_at=datetime.now(UTC)))
    engine.dispose()


def _execute(app: Celery) -> None:
    with app.connection_for_read() as connection:
        queue = connection.SimpleQueue("celery")
        assert queue.qsize(), "no tick has published anything"
        while queue.qsize():
            headers = queue.get(block=False).headers
            app.tasks[headers["task"]].apply(task_id=headers["id"], headers={"ticker": headers["ticker"]})
        queue.close()
