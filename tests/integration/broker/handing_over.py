"""Claims to hand to a broker, a publisher for it, and what it has of them then."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from celery import Celery
from kombu.message import Message

from tests.inner import CeleryPublisher, Claim, new_id
from tickerq_celery.payload.codec import RequestCodec

PLAIN = RequestCodec(compress_over=None, keys=(), redact=())
on_rabbitmq = pytest.mark.parametrize("broker_url", ["rabbitmq"], indirect=True)


@contextmanager
def publishing(app: Celery, *, answer_timeout: float = 5) -> Iterator[CeleryPublisher]:
    lease = timedelta(seconds=30)
    made = CeleryPublisher(app, PLAIN, lease=lease, connect_timeout=5, answer_timeout=answer_timeout)
    with closing(made) as publisher:
        yield publisher


def make_claims(count: int, **fields: Any) -> list[Claim]:
    return [
        Claim(id=new_id(), number=1, **{"function": "Send", "queue": None} | fields) for _ in range(count)
    ]


def taken(app: Celery, *queues: str, broker_url: str | None = None) -> list[Message]:
    """Take what waits in queues, by default in that of the app."""
    found: list[Message] = []
    with app.connection_for_read(broker_url) as connection, connection.channel() as channel:
        for name in queues or (app.conf.task_default_queue,):
            queue = app.amqp.queues[name](channel)
            queue.declare()
            while (message := queue.get(no_ack=True)) is not None:
                found.append(message)
    return found


def ids_in(messages: list[Message]) -> list[UUID]:
    return [UUID(message.headers["ticker"][0]) for message in messages]
