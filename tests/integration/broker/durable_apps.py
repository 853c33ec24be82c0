"""Two apps with the same tasks on one broker: plain Celery, and one whose later calls are kept."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from celery import Celery
from kombu import Exchange, Queue
from kombu.message import Message
from sqlalchemy import update

from tests.inner import transport
from tests.integration.apps import dispatch_due
from tests.tables import tickers
from tickerq_celery import TickerQ

HOUR = 3600
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
# Of one delivery, and not of the message.
_OF_THE_DELIVERY = ("delivery_tag", "delivery_info", "body_encoding", "application_headers")
OURS = {"tickerq_call", "celery_beat_task"}


@dataclass(frozen=True)
class TaskApp:
    """A Celery app, its tasks by their names, and its TickerQ if it has one."""

    app: Celery
    tasks: Any
    queues: tuple[str, ...]
    tickerq: TickerQ | None = None

    def take(self) -> list[Message]:
        """Take what waits in the app's queues."""
        found: list[Message] = []
        with self.app.connection_for_read() as connection, connection.channel() as channel:
            for name in self.queues:
                queue = self.app.amqp.queues[name](channel)
                while (message := queue.get(no_ack=True)) is not None:
                    found.append(message)
        return found


@contextmanager
def task_app(broker_url: str, namespace: str, store_url: str | None = None, **conf: Any) -> Iterator[TaskApp]:
    """Give an app; with a ``store_url`` its calls are kept that lie more than a minute away."""
    app = Celery(namespace, broker=broker_url, backend="cache+memory://", set_as_current=False)
    exchange = Exchange(f"{namespace}-topics", type="topic")
    queues = tuple(f"{namespace}-{name}" for name in ("main", "slow", "topic"))
    app.conf.update(
        task_default_queue=queues[0],
        broker_transport_options={"confirm_publish": True} if broker_url.startswith("amqp") else {},
        task_queues=[
            Queue(queues[0]),
            Queue(queues[1], max_priority=9, queue_arguments={"x-max-length": 1000}),
            Queue(queues[2], exchange, routing_key="orders.#"),
        ],
        **conf,
    )
    transport.register()
    with app.connection_for_write() as connection, connection.channel() as channel:
        for queue in app.amqp.queues.values():
            queue(channel).declare()
    tickerq = None if store_url is None else TickerQ(app, store_url, namespace=namespace, durable_eta=60)
    yield TaskApp(app=app, tasks=_tasks(app), queues=queues, tickerq=tickerq)
    if tickerq is not None:
        tickerq.close()
    app.close()


def make_due(tickerq: TickerQ) -> None:
    """Let all calls be due that wait, and publish them as beat does."""
    now = datetime.now(UTC)
    core = tickerq.core
    core.write(
        lambda tx: tx.execute(
            update(tickers)
            .where(tickers.c.namespace == tx.namespace, tickers.c.due_at.is_not(None))
            .values(due_at=now)
        )
    )
    dispatch_due(tickerq)


def shown(messages: list[Message]) -> list[Any]:
    """Return messages as JSON, each UUID as the number of its first appearance."""
    numbers: dict[str, str] = {}

    def number(found: re.Match[str]) -> str:
        return numbers.setdefault(found[0], f"<{len(numbers)}>")

    whole = json.dumps([_fields(each) for each in messages], sort_keys=True, default=repr)
    result: list[Any] = json.loads(_UUID.sub(number, whole))
    return result


@dataclass(frozen=True, eq=False)
class _About:
    milliseconds: int

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _About) and abs(self.milliseconds - other.milliseconds) < 60_000

    __hash__ = None  # type: ignore[assignment]


def without_expirations(messages: list[Any]) -> list[Any]:
    """Return what ``shown`` did, with expirations of which a minute more or less is the same."""
    for message in messages:
        expiration = message["properties"].pop("expiration", None)
        # In milliseconds from the publication on: these messages are published one after the other.
        message["expires in"] = None if expiration is None else _About(int(expiration))
    return messages


def _fields(message: Message) -> dict[str, Any]:
    properties = {name: value for name, value in message.properties.items() if name not in _OF_THE_DELIVERY}
    body = message.body
    if isinstance(body, bytes):
        body = body.decode("utf-8", "backslashreplace")
    return {
        "headers": {name: value for name, value in message.headers.items() if name not in OURS},
        "properties": properties,
        "body": body,
        "content_type": message.content_type,
        "content_encoding": message.content_encoding,
        "exchange": message.delivery_info.get("exchange"),
        "routing_key": message.delivery_info.get("routing_key"),
    }


def _tasks(app: Celery) -> Any:
    @app.task(name="shop.add", shared=False)
    def add(*numbers: int) -> int:
        return sum(numbers)

    @app.task(name="shop.fail", shared=False)
    def fail(*args: Any, **kwargs: Any) -> None: ...

    @app.task(name="shop.heavy", shared=False, time_limit=60, soft_time_limit=50, compression="zlib")
    def heavy(text: str) -> None: ...

    @app.task(name="shop.again", shared=False, bind=True, max_retries=5)
    def again(self: Any, number: int) -> None:
        raise self.retry(countdown=HOUR)

    return SimpleNamespace(add=add, fail=fail, heavy=heavy, again=again)
