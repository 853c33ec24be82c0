"""How late runs are while a long history is pruned beside them, and how fast it goes; on PostgreSQL.

Rows are written under a namespace of their own, and removed.
"""

import multiprocessing
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from multiprocessing.synchronize import Event

from celery import Celery
from sqlalchemy import delete, func, select, text

from benchmarks.measured import Measured, delays, rate
from benchmarks.subjects import OURS
from tests.integration.pruning import count_ends
from tests.tables import attempts, nodes, tickers
from tickerq_celery import TickerQ, TimeTicker
from tickerq_celery.beat.maintenance import Maintenance
from tickerq_celery.beat.retention import RetentionJob
from tickerq_celery.enums import NodeKind
from tickerq_celery.runs.pruner import Piece, Pruner
from tickerq_celery.runs.recorder import Recorder
from tickerq_celery.runtime.core import Core
from tickerq_celery.runtime.node import NodeRegistration, profile
from tickerq_celery.scheduler import TickerScheduler
from tickerq_celery.tickers.lifecycle import succeeded
from tickerq_celery.worker.enrolment import enrol

BATCHES_A_SECOND = 10
_LOOK_EVERY = 0.2
SPAWNED = multiprocessing.get_context("spawn")
# No worker gives a sign of life here, and many runs may wait for one.
SETTINGS = {"lease": 86_400, "max_queued": 1_000_000, "auto_prune": False}


class CountedPruner(Pruner):
    """A pruner that counts what it deleted, and says when its first round is over."""

    def __init__(self, core: Core) -> None:
        super().__init__(core, None)
        self.deleted = 0
        self.is_over = threading.Event()

    def step(self) -> Piece:
        piece = super().step()
        self.deleted += piece.deleted
        if piece.is_last:
            self.is_over.set()
        return piece


def measure(*, count: int, store_url: str, added: int = 200, quiet: float = 20.0) -> tuple[Measured, ...]:
    """Prune ``count`` old runs while ``added`` a second become due, after ``quiet`` seconds of that alone."""
    with ticker_app(store_url) as tickerq:
        make_history(tickerq, count)
        count_ends(tickerq.core)
        with going_on(tickerq, added):
            some_lateness(tickerq, datetime.now(UTC))  # The processes that add and execute are there.
            since = datetime.now(UTC)
            time.sleep(quiet)
            alone = delays(OURS, some_lateness(tickerq, since), case="without pruning")
            pruner = CountedPruner(apart(tickerq.core))
            job = RetentionJob(pruner)
            job.step()  # which is a wait
            maintenance = Maintenance(apart(tickerq.core), [job], lambda: None)
            since, began = datetime.now(UTC), time.perf_counter()
            maintenance.start()
            pruner.is_over.wait()
            seconds = time.perf_counter() - began
            beside = delays(OURS, some_lateness(tickerq, since), case="beside pruning")
            maintenance.ask_to_end()
            maintenance.wait_for_end(5)
    pruned = rate(OURS, "pruned", count=pruner.deleted, seconds=seconds, case="PostgreSQL")
    return (*alone, *beside, pruned)


def apart(core: Core) -> Core:
    return replace(core, database=core.database.apart())


def some_lateness(tickerq: TickerQ, since: datetime) -> list[float]:
    """Return the same as soon as there is any: a short history is deleted before a run falls due."""
    while not (found := lateness(tickerq, since)):
        time.sleep(_LOOK_EVERY)
    return found


def lateness(tickerq: TickerQ, since: datetime) -> list[float]:
    """Return by how many milliseconds runs that were due since then were published late."""
    late = select(func.extract("epoch", tickers.c.published_at - tickers.c.execution_time)).where(
        tickers.c.namespace == tickerq.config.namespace,
        tickers.c.execution_time > since,
        tickers.c.published_at.is_not(None),
    )
    return [float(each) * 1000 for each in tickerq.core.read(lambda tx: tx.scalars(late).all())]


def make_history(tickerq: TickerQ, rows: int) -> None:
    """Store runs that ended 60 to 90 days ago, with an attempt each: copies of one that has run."""
    added = tickerq.time_tickers.add(TimeTicker("Work"), allow_unknown=True)
    ended = tickerq.runs.get(added.id)
    with going_on(tickerq, 0):
        while ended.ended_at is None:
            time.sleep(0.1)
            ended = tickerq.runs.get(added.id)
    past = "now() - interval '60 days' - n * interval '2 seconds'"
    for table, changed in (
        (tickers, {"id": "gen_random_uuid()", "ended_at": past}),
        (attempts, {"ticker_id": "made.id"}),
    ):
        names = [column.name for column in table.columns]
        values = ", ".join(changed.get(name, f"{table.name}.{name}") for name in names)
        key = "id" if table is tickers else "ticker_id"
        others = (
            f"generate_series(1, {rows}) AS n"
            if table is tickers
            else f"{tickers.name} AS made WHERE made.namespace = :namespace AND made.id <> :own AND"
        )
        where = "WHERE" if table is tickers else ""
        sql = (
            f"INSERT INTO {table.name} ({', '.join(names)}) SELECT {values} "
            f"FROM {table.name}, {others} {where} {table.name}.{key} = :own"
        )
        known = {"own": ended.id, "namespace": tickerq.config.namespace}
        tickerq.core.write(lambda tx, sql=sql, known=known: tx.execute(text(sql), known))


@contextmanager
def going_on(tickerq: TickerQ, rate: int) -> Iterator[None]:
    """Dispatch beside the block; add ``rate`` runs a second, and execute them, in processes of their own."""
    ended, others_end = threading.Event(), SPAWNED.Event()
    beat = threading.Thread(target=dispatch, args=(tickerq, ended), daemon=True)
    known = (str(tickerq.config.store_url), tickerq.config.namespace)
    others = [SPAWNED.Process(target=execute, args=(*known, others_end), daemon=True)]
    if rate:
        others.append(SPAWNED.Process(target=add, args=(*known, others_end, rate), daemon=True))
    for each in (beat, *others):
        each.start()
    yield
    ended.set()
    others_end.set()
    for each in (beat, *others):
        each.join(10)


def add(url: str, namespace: str, ended: Event, rate: int) -> None:
    """Add runs a second before their time, evenly spread."""
    tickerq = connected(url, namespace)
    due = datetime.now(UTC)
    while not ended.wait(max(0.0, (due - datetime.now(UTC)).total_seconds())):
        due += timedelta(seconds=1 / BATCHES_A_SECOND)
        apart_by = timedelta(seconds=1 / rate)
        moments = [due + timedelta(seconds=1) + n * apart_by for n in range(rate // BATCHES_A_SECOND)]
        batch = [TimeTicker("Work", execution_time=moment) for moment in moments]
        tickerq.time_tickers.add_batch(batch, allow_unknown=True)


def execute(url: str, namespace: str, ended: Event) -> None:
    """Start and end what is published, as workers do."""
    core = connected(url, namespace).core
    recorder = Recorder(core)
    published = select(tickers.c.id, tickers.c.claim_no).where(
        tickers.c.namespace == namespace, tickers.c.check_at.is_not(None), tickers.c.published_at.is_not(None)
    )
    while not ended.wait(0.02):
        for row in core.read(lambda tx: tx.execute(published).all()):
            run = None if ended.is_set() else recorder.start(row.id, row.claim_no)
            if run is not None:
                recorder.finish(run, succeeded(run.standing), elapsed=timedelta(0))


def dispatch(tickerq: TickerQ, ended: threading.Event) -> None:
    """Tick as a beat does."""
    beat = TickerScheduler(tickerq.app)
    while not ended.wait(beat.tick()):
        pass
    beat.close()


def connected(url: str, namespace: str) -> TickerQ:
    """Return a TickerQ of the application that is measured, as another process has it."""
    app = Celery(namespace, broker="memory://", set_as_current=False)
    app.conf.task_default_queue = namespace
    tickerq = TickerQ(app, url, **SETTINGS)
    tickerq.function("Work")(lambda context: None)
    return tickerq


@contextmanager
def ticker_app(url: str) -> Iterator[TickerQ]:
    """Give a TickerQ with one function on a migrated store, whose rows are removed at the end."""
    namespace = f"bench-{uuid.uuid4().hex[:12]}"
    tickerq = connected(url, namespace)
    tickerq.create_schema()
    enrol(tickerq.core, NodeRegistration(profile(tickerq.core, NodeKind.WORKER, queues=[namespace])))
    try:
        yield tickerq
    finally:
        for table in (tickers, nodes):
            ours = delete(table).where(table.c.namespace == namespace)
            tickerq.core.database.write(lambda connection, ours=ours: connection.execute(ours))
        tickerq.close()
        tickerq.app.close()
