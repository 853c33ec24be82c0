"""How many messages the broker says are in a queue: so a sweep tells what was lost from what waits."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest
from celery import Celery

from tests.inner import register
from tests.servers.ports import free_port
from tickerq_celery.broker.publisher import CeleryPublisher
from tickerq_celery.errors import PublishError
from tickerq_celery.payload.codec import RequestCodec
from tickerq_celery.tickers.claims import Claim

PLAIN = RequestCodec(compress_over=None, keys=(), redact=())


def publisher_of(app: Celery) -> CeleryPublisher:
    return CeleryPublisher(app, PLAIN, lease=timedelta(seconds=30), connect_timeout=5)


@pytest.fixture
def app(broker_url: str, namespace: str) -> Iterator[Celery]:
    register()
    with Celery(namespace, broker=broker_url, set_as_current=False) as made:
        made.conf.task_default_queue = namespace
        yield made


@pytest.fixture
def publisher(app: Celery) -> Iterator[CeleryPublisher]:
    made = publisher_of(app)
    yield made
    made.close()


def test_a_queue_has_what_was_published_and_not_taken(
    app: Celery, publisher: CeleryPublisher, namespace: str
) -> None:
    # One that is not there is empty, and to ask for it hinders nothing.
    assert publisher.queue_size(namespace) == 0
    for number in range(3):
        publisher.publish(Claim(id=UUID(int=number), number=1, function="Send", queue=None))
    assert publisher.queue_size(namespace) == 3
    with app.connection_for_read() as connection, connection.channel() as channel:
        taken = app.amqp.queues[namespace](channel).get()
        assert taken is not None
        assert publisher.queue_size(namespace) == 2
        taken.ack()
    assert publisher.queue_size(namespace) == 2


def test_a_broker_that_cannot_be_reached_is_an_error() -> None:
    app = Celery("nowhere", broker=f"redis://127.0.0.1:{free_port()}", set_as_current=False)
    with pytest.raises(PublishError):
        publisher_of(app).queue_size("celery")
