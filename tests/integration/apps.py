"""TickerQ apps for tests: a broker in memory, and a store that the test chose."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any, NoReturn
from uuid import UUID

from celery import Celery
from celery.result import EagerResult
from kombu.message import Message
from sqlalchemy import Engine, create_engine, event, select
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from tests.manual_clock import ManualClock
from tests.tables import tickers
from tickerq_celery import Run, TickerContext, TickerQ, TimeTicker, prepare_sqlite_engine
from tickerq_celery.cron.firing import Firing
from tickerq_celery.enums import NodeKind
from tickerq_celery.runs.claimer import Claimer
from tickerq_celery.runs.dispatcher import Dispatcher
from tickerq_celery.runs.replaced import revoke
from tickerq_celery.runtime.core import new_identity
from tickerq_celery.runtime.node import NodeRegistration, profile
from tickerq_celery.worker.enrolment import enrol


@contextmanager
def ticker_app(
    store_url: str | None,
    namespace: str,
    clock: ManualClock | None = None,
    *,
    task_cls: type[Any] | None = None,
    **options: Any,
) -> Iterator[TickerQ]:
    """Give a TickerQ of an app of its own, whose queue no other app has; ``clock`` replaces the system's."""
    app = Celery(namespace, broker="memory://", task_cls=task_cls, set_as_current=False)
    app.conf.task_default_queue = namespace
    tickerq = TickerQ(app, store_url, **options)
    if clock is not None:
        tickerq._process.rebuild(replace(tickerq.core, clock=clock))
    yield tickerq
    tickerq.close()
    app.close()


@contextmanager
def sending_app(store_url: str, namespace: str, clock: ManualClock) -> Iterator[TickerQ]:
    """Give a TickerQ with one function, ``Send``, that a live worker has."""
    with ticker_app(store_url, namespace, clock) as tickerq:
        tickerq.function("Send")(lambda context: None)
        enrol_worker(tickerq)
        yield tickerq


def enrol_worker(tickerq: TickerQ, *, queues: Sequence[str] = ()) -> None:
    """Register a live worker that has this process's functions: only what a worker has is claimed."""
    me = profile(tickerq.core, NodeKind.WORKER, queues=queues)
    enrol(tickerq.core, NodeRegistration(me))


def join(tickerq: TickerQ, kind: NodeKind, *, namespace: str | None = None, **fields: Any) -> UUID:
    """Register another live beat or worker, of another namespace if that is given, and return its id."""
    core = tickerq.core
    if namespace is not None:
        core = replace(core, config=replace(core.config, namespace=namespace))
    core = replace(core, node=new_identity(None))
    registration = NodeRegistration(replace(profile(core, kind), **fields))
    if kind is NodeKind.WORKER:
        enrol(core, registration)
    else:
        core.write(registration.register)
    return core.node.id


def messages(tickerq: TickerQ) -> list[Message]:
    """Take what waits in the app's queue."""
    app = tickerq.app
    found = []
    with app.connection_for_read() as connection:
        queue = connection.SimpleQueue(app.amqp.queues[app.conf.task_default_queue])
        while queue.qsize():
            found.append(queue.get(block=False))
            found[-1].ack()
        queue.close()
    return found


def published(tickerq: TickerQ) -> list[UUID]:
    """Take what waits in the app's queue, as the ids of the runs."""
    return [UUID(message.headers["ticker"][0]) for message in messages(tickerq)]


def execute(tickerq: TickerQ) -> list[EagerResult]:
    """Run the bodies of what waits in the app's queue, as a worker would; but for calls of handlers."""
    return [deliver(tickerq, message) for message in messages(tickerq) if "ticker" in message.headers]


def deliver(tickerq: TickerQ, message: Message) -> EagerResult:
    """Run one message's task."""
    headers = message.headers
    task = tickerq.app.tasks[headers["task"]]
    return task.apply(task_id=headers["id"], headers={"ticker": headers["ticker"]})


def due_run(tickerq: TickerQ, clock: ManualClock) -> UUID:
    """Return a run that has fallen due and is unclaimed."""
    later = TimeTicker(function="Send", execution_time=clock.now() + timedelta(seconds=1))
    run_id = tickerq.time_tickers.add(later).id
    clock.advance(seconds=1)
    return run_id


def add_run(tickerq: TickerQ, body: Callable[..., Any], **fields: Any) -> Run:
    """Register ``body``, and schedule a run of it that is published at once."""
    tickerq.function("Body")(body)
    enrol_worker(tickerq)
    return tickerq.time_tickers.add(TimeTicker(function="Body", **fields))


def failing(error: BaseException) -> Callable[[TickerContext], NoReturn]:
    def body(context: TickerContext) -> NoReturn:
        raise error

    return body


def dispatch_due(tickerq: TickerQ) -> None:
    """Claim and publish what is due, as a beat does."""
    core = tickerq.core
    Dispatcher(core, Claimer(core), tickerq._process.get().publisher).dispatch(holder="beat")


def fire_crons(tickerq: TickerQ) -> None:
    """Create the occurrences that are due, as a beat does."""
    while Firing(tickerq.core, partial(revoke, tickerq._process.get().publisher)).fire():
        pass


def row_of(tickerq: TickerQ, ticker_id: UUID) -> Any:
    """Return what the store holds of a run, or None."""
    return tickerq.core.database.read(
        lambda connection: connection.execute(select(tickers).where(tickers.c.id == ticker_id)).one_or_none()
    )


def change_row(tickerq: TickerQ, ticker_id: UUID, **values: Any) -> None:
    """Write columns of a run past the managers."""
    tickerq.core.database.write(
        lambda connection: connection.execute(
            tickers.update().where(tickers.c.id == ticker_id).values(**values)
        )
    )


def caller_engine(store_url: str) -> Engine:
    """Return an engine such as a user has on the store's database."""
    engine = create_engine(store_url)
    if make_url(store_url).get_backend_name() == "sqlite":
        # As SQLAlchemy's documentation advises users who want SAVEPOINT on SQLite.
        event.listen(engine, "connect", _leave_begin_to_sqlalchemy)
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    return engine


def _leave_begin_to_sqlalchemy(connection: Any, record: object) -> None:
    connection.isolation_level = None


ASYNC_DRIVERS = {"sqlite": "sqlite+aiosqlite", "mysql": "mysql+aiomysql", "mariadb": "mariadb+aiomysql"}


def async_caller_engine(store_url: str) -> AsyncEngine:
    """Return an async engine such as a user has on the store's database."""
    url = make_url(store_url)
    engine = create_async_engine(
        url.set(drivername=ASYNC_DRIVERS.get(url.get_backend_name(), url.drivername)).difference_update_query(
            ["ssl_disabled"]  # aiomysql has no such argument
        ),
        # A connection belongs to the loop that opened it.
        poolclass=NullPool,
    )
    prepare_sqlite_engine(engine)
    return engine
