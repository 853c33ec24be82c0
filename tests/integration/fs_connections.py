"""What the tests of the embedded broker share: connections to a folder, and publishing and receiving."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, cast

from kombu import Connection, Exchange, Producer, Queue

from tests.inner import broker_url, register
from tickerq_celery.broker.embedded.channel import Channel

FsConnect = Callable[..., Connection]
TWO_HOURS = 7200


@contextmanager
def connections(folder: Path) -> Iterator[FsConnect]:
    """Give a function that connects to a folder, and close what it made."""
    register()
    with ExitStack() as stack:

        def connect(path: Path = folder, **options: object) -> Connection:
            return stack.enter_context(Connection(broker_url(path), transport_options=options))

        yield connect


def channel_of(connection: Connection) -> Channel:
    return cast("Channel", connection.default_channel)


def publish(connection: Connection, queue: str, *bodies: object) -> None:
    producer = Producer(connection)
    for body in bodies:
        producer.publish(body, exchange="", routing_key=queue, declare=[Queue(queue)])


def broadcast(connection: Connection, exchange: Exchange, body: object, routing_key: str = "") -> None:
    Producer(connection).publish(body, exchange=exchange, routing_key=routing_key, declare=[exchange])


def receive(connection: Connection, queue: str) -> Any:
    message = channel_of(connection).basic_get(queue, no_ack=True)
    return None if message is None else message.payload


def receive_all(connection: Connection, queue: str) -> list[Any]:
    return list(iter(lambda: receive(connection, queue), None))


def queue_files(folder: Path, queue: str = "jobs") -> list[str]:
    return sorted(path.name for path in (folder / "messages" / queue).iterdir())


def make_older(path: Path, seconds: int = TWO_HOURS) -> None:
    then = path.stat().st_mtime - seconds
    os.utime(path, (then, then))
