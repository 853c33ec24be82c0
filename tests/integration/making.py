"""Make runs, crons, workers and beats by the public calls, and read back what became of them."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Connection, Row, event, func, select

from tests.manual_clock import START, ManualClock
from tests.plain_surroundings import PlainSurroundings
from tests.tables import attempts, cron_tickers, functions, tickers
from tickerq_celery.broker.known_tasks import AnyTask
from tickerq_celery.broker.one_by_one import MOST_ONE_BY_ONE, one_by_one
from tickerq_celery.enums import NodeKind, OnLost, TickerPriority, TickerStatus
from tickerq_celery.errors import PublishError
from tickerq_celery.managers.bulk import BulkManager
from tickerq_celery.managers.cron.cron_tickers import CronTickerManager
from tickerq_celery.managers.runs.runs import RunManager
from tickerq_celery.managers.time_tickers.time_tickers import TimeTickerManager
from tickerq_celery.managers.unit_of_work import UnitOfWork
from tickerq_celery.runs.cancelling import Canceller
from tickerq_celery.runs.claimer import Claimed, Claimer
from tickerq_celery.runs.recorder import Recorder
from tickerq_celery.runtime.core import Core, new_identity
from tickerq_celery.runtime.node import NodeRegistration, profile
from tickerq_celery.store.cron import cron_tickers as stored_crons
from tickerq_celery.store.database.batches import insert_if_absent
from tickerq_celery.store.database.database import Database
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.nodes.nodes import NodeProfile
from tickerq_celery.store.runs import publications
from tickerq_celery.tickers import claims
from tickerq_celery.tickers.claims import Claim, Started
from tickerq_celery.tickers.cron_rows import CronRow
from tickerq_celery.tickers.handover import Handover
from tickerq_celery.tickers.inputs import CronTicker, TimeTicker
from tickerq_celery.tickers.lifecycle import Failure, Outcome, failed
from tickerq_celery.tickers.surroundings import Surroundings
from tickerq_celery.worker.enrolment import enrol

# More than may be published: no window bounds that.
MANY_MESSAGES = 10_000
T = TypeVar("T")
ON_SERVERS = ("postgres", "mariadb")


class ListPublisher:
    """A broker that keeps what it was sent, and takes no more than ``takes`` messages."""

    def __init__(self, takes: int | None = None) -> None:
        self.sent: list[Claim] = []
        self.lost: list[tuple[UUID, str]] = []
        self.cancelled: list[UUID] = []
        self.asked: list[tuple[UUID, int, bool]] = []
        self.takes = takes

    @property
    def most_at_once(self) -> int:
        return MOST_ONE_BY_ONE

    def connect(self) -> None:
        pass

    def hand_over(self, claims: Sequence[Claim]) -> Handover:
        return one_by_one(claims, self.publish)

    def publish(self, claim: Claim) -> None:
        if self.takes is not None and len(self.sent) >= self.takes:
            raise PublishError("the broker is unreachable")
        self.sent.append(claim)

    def publish_lost(self, run: Started, message: str, *, status: TickerStatus) -> None:
        self.lost.append((run.id, message))
        if status is TickerStatus.CANCELLED:
            self.cancelled.append(run.id)

    def publish_cancel(self, run: Started, *, terminate: bool) -> None:
        self.asked.append((run.id, run.claim_no, terminate))

    def close(self) -> None:
        pass


def storing(core: Core) -> UnitOfWork:
    """Return what managers need, where nothing is dispatched at once."""
    return UnitOfWork(core, lambda ids: None, AnyTask())


def canceller(core: Core, publisher: ListPublisher | None = None) -> Canceller:
    """Return what cancels runs, and notifies ``publisher``."""
    notified = publisher or ListPublisher()
    return Canceller(core, notified, lambda ids: None)


def time_tickers(core: Core, publisher: ListPublisher | None = None) -> TimeTickerManager:
    """Return the manager of time tickers; ``publisher`` is notified of a cancel."""
    return TimeTickerManager(storing(core), canceller(core, publisher), PlainSurroundings())


def make_run(core: Core, function: str = "Send", **fields: Any) -> UUID:
    """Store a run that is due now, unless ``fields`` say otherwise, and return its id."""
    return make_runs(core, 1, function, **fields)[0]


def make_runs(core: Core, count: int, function: str = "Send", **fields: Any) -> list[UUID]:
    """Store ``count`` equal runs and return their ids."""
    batch = [TimeTicker(function=function, **fields)] * count
    return [run.id for run in time_tickers(core).add_batch(batch, allow_unknown=True)]


def runs(
    core: Core, publisher: ListPublisher | None = None, surroundings: Surroundings | None = None
) -> RunManager:
    """Return the manager of runs of both kinds; ``publisher`` is notified of a cancel."""
    return RunManager(storing(core), canceller(core, publisher), surroundings or PlainSurroundings())


def crons(core: Core) -> CronTickerManager:
    """Return the manager of cron tickers."""
    return CronTickerManager(storing(core), canceller(core), PlainSurroundings())


def make_cron(core: Core, expression: str = "0 * * * *", function: str = "Send", **fields: Any) -> UUID:
    """Store a cron ticker, hourly unless ``expression`` says otherwise, and return its id."""
    ticker = CronTicker(function=function, expression=expression, **fields)
    return crons(core).add(ticker, allow_unknown=True).id


def bulk(core: Core) -> BulkManager:
    """Return the manager of bulk jobs."""
    return BulkManager(storing(core))


def remove_runs(core: Core, ids: Sequence[UUID]) -> None:
    """Delete runs."""
    time_tickers(core).delete_batch(ids)


def enrolled(core: Core, **fields: Any) -> Core:
    """Let a worker with this core's functions and identity enrol, and return the core."""
    enrol(core, NodeRegistration(worker_profile(core, **fields)))
    return core


def worker_profile(core: Core, **fields: Any) -> NodeProfile:
    """Return what a worker on the queue ``celery`` says of itself, which takes whatever is published."""
    described = {"queues": ("celery",), "concurrency": 2, "prefetch": MANY_MESSAGES, **fields}
    return profile(core, NodeKind.WORKER, **described)


def add_function(connection: Connection, namespace: str, name: str, path: str = "here") -> None:
    """Write a row of a function, unless there is one."""
    record = {
        "namespace": namespace,
        "name": name,
        "path": path,
        "priority": int(TickerPriority.NORMAL),
        "max_concurrency": None,
        "max_concurrency_per_key": 1,
        "on_lost": OnLost.RETRY.value,
        "retries": 0,
        "retry_intervals": [],
        "registered_at": START,
        "updated_at": START,
    }
    insert_if_absent(Transaction(connection, ManualClock(), namespace), functions, [record])


def paths_of(database: Database, namespace: str) -> dict[str, str]:
    """Return the functions of a namespace, each with its path."""
    statement = select(functions.c.name, functions.c.path).where(functions.c.namespace == namespace)
    rows = database.read(lambda connection: connection.execute(statement).all())
    return {row[0]: row[1] for row in rows}


def another_node(core: Core) -> Core:
    """Return the same core under another identity."""
    return replace(core, node=new_identity("other"))


@contextmanager
def processes(core: Core, count: int) -> Iterator[list[Core]]:
    """Give cores as ``count`` other processes would have them: own identity, own connections."""
    with ExitStack() as stack:
        made = []
        for _ in range(count):
            database = Database(core.database.url)
            stack.callback(database.close)
            made.append(replace(another_node(core), database=database))
        yield made


def at_once(*works: Callable[[], T]) -> list[T]:
    """Run ``works`` in threads that start together, and return their results in order."""
    barrier = threading.Barrier(len(works))

    def run(work: Callable[[], T]) -> T:
        barrier.wait(timeout=30)
        return work()

    with ThreadPoolExecutor(len(works)) as pool:
        return [future.result() for future in [pool.submit(run, work) for work in works]]


def claim(core: Core, ids: Sequence[UUID] | None = None) -> list[Claim]:
    """Claim a batch as this core's beat would."""
    return list(claim_batch(core, ids).claims)


def claim_batch(core: Core, ids: Sequence[UUID] | None = None) -> Claimed:
    """Claim a batch, and learn whether it was full."""
    return Claimer(core).claim(holder=core.node.name, ids=ids)


def release_holds(core: Core) -> int:
    """Release holds as the sweep does, and return how many."""
    return core.write(Claimer(core).release_holds).count


def give_back(core: Core, batch: Sequence[Claim]) -> None:
    """Return claims as a beat does whose broker is unreachable."""
    core.write(publications.give_back, batch)


def claimed_again(core: Core, claimed: claims.Claim) -> claims.Claim:
    """Give a claim back and claim the run anew: the old claim is stale."""
    give_back(core, [claimed])
    (newer,) = claim(core, [claimed.id])
    return newer


def start(core: Core, claimed: Claim) -> Started | None:
    """Start a claim as this core's worker would."""
    return Recorder(core).start(claimed.id, claimed.number)


def started(core: Core, run_id: UUID) -> Started:
    """Claim and start one due run."""
    (claimed,) = claim(core, [run_id])
    run = start(core, claimed)
    assert run is not None
    return run


def finish(core: Core, run: Started, outcome: Outcome) -> bool:
    """Write how an attempt ended, after 1.5 s."""
    return Recorder(core).finish(run, outcome, elapsed=timedelta(seconds=1.5)) is not None


def rescue(core: Core, run: Started) -> Outcome | None:
    """End an attempt as a beat that finds its worker dead."""
    return Recorder(core).rescue(run, "worker lost: gone")


def failure(message: str = "no route to host") -> Failure:
    """Return what is kept of an exception."""
    return Failure(type="builtins.OSError", message=message, traceback=f"Traceback: {message}")


def fail(core: Core, run: Started) -> bool:
    """Write that an attempt failed."""
    return finish(core, run, failed(run.standing, failure()))


def row_of(core: Core, run_id: UUID) -> Row[Any]:
    """Return a run's row, every column of it."""
    return core.database.read(
        lambda connection: connection.execute(select(tickers).where(tickers.c.id == run_id)).one()
    )


def cron_row_of(core: Core, cron_id: UUID) -> Row[Any]:
    """Return a cron ticker's row, every column of it."""
    return core.database.read(
        lambda connection: connection.execute(select(cron_tickers).where(cron_tickers.c.id == cron_id)).one()
    )


def locked_cron(core: Core, cron_id: UUID) -> CronRow:
    """Return a cron ticker's row as the product reads it."""
    cron = core.write(stored_crons.lock, cron_id)
    assert cron is not None
    return cron


def edit_cron(core: Core, cron_id: UUID, **changes: Any) -> None:
    """Write fields of a cron ticker's row as they are, whatever they mean."""
    cron = locked_cron(core, cron_id)
    core.write(stored_crons.edit, cron, replace(cron, **changes))


def occurrences_of(core: Core, cron_id: UUID) -> list[Row[Any]]:
    """Return the rows of a cron ticker's occurrences, the earliest instant first."""
    statement = select(tickers).where(tickers.c.cron_ticker_id == cron_id).order_by(tickers.c.instant)
    return core.database.read(lambda connection: list(connection.execute(statement)))


def attempts_of(core: Core, run_id: UUID) -> list[Row[Any]]:
    """Return the rows of a run's attempts, oldest first."""
    statement = select(attempts).where(attempts.c.ticker_id == run_id).order_by(attempts.c.claim_no)
    return core.database.read(lambda connection: list(connection.execute(statement)))


def all_rows(core: Core) -> list[Row[Any]]:
    """Return the rows of this test's runs, oldest first."""
    statement = select(tickers).where(tickers.c.namespace == core.config.namespace).order_by(tickers.c.id)
    return core.database.read(lambda connection: list(connection.execute(statement)))


def count_by_status(core: Core) -> dict[TickerStatus, int]:
    """Return how many runs of this test stand in each status."""
    statement = (
        select(tickers.c.status, func.count())
        .where(tickers.c.namespace == core.config.namespace)
        .group_by(tickers.c.status)
    )
    rows = core.database.read(lambda connection: connection.execute(statement).all())
    return {row[0]: row[1] for row in rows}


def statements_of(core: Core, work: Callable[[], object]) -> list[str]:
    """Return the statements that ``work`` sends, in their order, in a process that has written before."""
    core.database.is_verified = True
    sent: dict[object, str] = {}

    def note(
        connection: object, cursor: object, statement: str, parameters: object, context: object, *_: object
    ) -> None:
        # An engine that commits each statement tells the listeners of the usual one too.
        sent[context] = statement

    database = core.database
    engines = (database.engine, *((database.autocommitting_engine,) if database.autocommits else ()))
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    try:
        work()
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", note)
    return [each for each in sent.values() if each.startswith(("SELECT", "INSERT", "UPDATE", "DELETE"))]
