"""A connection of our own to an app's broker, whose every wait is bounded, and its producer."""

import math
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from celery import Celery
from kombu import Connection, Producer
from kombu.exceptions import KombuError

from tickerq_celery.broker.batching import AMQP, REDIS, batches
from tickerq_celery.broker.confirms import BlockedError, ConfirmedProducer
from tickerq_celery.broker.refusals import refusal_of
from tickerq_celery.errors import PublishError
from tickerq_celery.wording import cause_of

# AMQP says it as a number, kombu's virtual transports as a text.
_NO_SUCH_QUEUE = "404"


class BrokerLink:
    """Opens the connection when it is used; after an error the next use opens another.

    The timeouts are in seconds: ``connect_timeout`` of an attempt at an address, ``answer_timeout`` of each
    answer, so that a broker that hangs does not hang us.
    """

    def __init__(self, app: Celery, *, connect_timeout: float, answer_timeout: float) -> None:
        self._app = app
        self._connect_timeout = connect_timeout
        self._answer_timeout = answer_timeout
        self._connection: Connection | None = None
        self._producer: Producer | None = None
        self._pid = os.getpid()
        # Connections made before a fork: kept, since they are the parent's to close.
        self._inherited: list[Connection] = []

    @property
    def transport(self) -> str:
        """The kombu name of the broker's kind; empty before the first connection."""
        return "" if self._connection is None else str(self._connection.transport_cls)

    @property
    def may_batch(self) -> bool:
        """Whether messages can be sent without waiting for the answer to each."""
        return isinstance(self._producer, ConfirmedProducer) or batches(self._producer)

    def connect(self) -> None:
        """Reach the broker: one attempt at each of its addresses.

        Raises:
            PublishError: It is unreachable.
        """
        self._forget_inherited()
        if self._connection is not None and self._connection.connected:
            return
        self.close()
        connection = self._app.connection_for_write(connect_timeout=math.ceil(self._connect_timeout))
        options = self._bounds(connection.transport_cls) | (connection.transport_options or {})
        # Ours waits once for a batch. An application that wants no confirms gets none.
        is_confirmed = options.pop("confirm_publish", True) and connection.transport_cls.startswith(AMQP)
        connection.transport_options = options
        self._connection = connection
        try:
            connection.ensure_connection(
                max_retries=max(0, len(connection.alt) - 1),
                interval_start=0,
                timeout=math.ceil(self._connect_timeout),
            )
            self._producer = ConfirmedProducer(connection) if is_confirmed else self._plain(connection)
        except self._errors() as error:
            self.drop()
            raise PublishError(cause_of(error)) from error

    @contextmanager
    def producing(self, *, is_batch: bool = False) -> Iterator[Producer]:
        """Give the producer, and return once the broker has what it published.

        As a batch, which needs ``may_batch``, it waits once, and any error leaves open what has arrived.

        Raises:
            PublishError: The broker did not take it all, or did not say so.
        """
        # Without a producer of ours Celery would take one from the app's pool, without our timeouts.
        self.connect()
        connection = self._connection
        producer: Any = self._producer
        if connection is None or producer is None:
            raise AssertionError("connect() made no producer")
        try:
            if isinstance(producer, ConfirmedProducer):
                producer.refuse_blocked(connection)
                yield producer
                producer.await_confirms(connection, self._answer_timeout)
            elif is_batch:
                with producer.batch():
                    yield producer
            else:
                yield producer
        # Kombu raises an error of its own for a batch; what else is not the broker's is raised as it is.
        except Exception as error:
            is_of_broker = is_batch or isinstance(error, self._errors())
            # Kombu says of a batch that it failed, and names the broker's error as its cause.
            cause = (is_batch and error.__cause__) or error
            refusal = refusal_of(cause, connection, self._answer_timeout)
            # An error closes AMQP's channel, and the one that py-amqp opens in its place confirms nothing.
            # In an alarm it is kept: RabbitMQ reads later what each connection was sent, lost ones as well.
            is_lost = is_of_broker or isinstance(error, connection.channel_errors)
            if is_lost and not isinstance(cause, BlockedError):
                self.drop()
            if not is_of_broker:
                raise
            raise PublishError(cause_of(cause), refusal=refusal) from error

    def queue_size(self, queue: str) -> int | None:
        """Return how many messages wait in a queue: none where there is no such queue, None if unknown.

        Raises:
            PublishError: The broker is unreachable.
        """
        self.connect()
        if self._is_blocked:
            # RabbitMQ reads nothing from this connection, and would not answer.
            return None
        connection = self._connection
        if connection is None:
            raise AssertionError("connect() left no connection")
        try:
            # A channel of its own: AMQP closes the one that asks for a queue that is not there.
            channel: Any
            with connection.channel() as channel:
                return int(channel.queue_declare(queue, passive=True).message_count)
        except connection.channel_errors as error:
            return 0 if str(getattr(error, "reply_code", "")) == _NO_SUCH_QUEUE else None
        except self._errors() as error:
            self.drop()
            raise PublishError(cause_of(error)) from error
        except NotImplementedError:
            return None

    def close(self) -> None:
        """Let go of the connection; the next use opens another."""
        if self._is_blocked:
            # RabbitMQ would not read that it is closed.
            self.drop()
        connection, self._connection, self._producer = self._connection, None, None
        if connection is not None:
            connection.release()

    def drop(self) -> None:
        """Let go of a connection that may hang."""
        connection, self._connection, self._producer = self._connection, None, None
        if connection is not None:
            # Without AMQP's closing handshake: a broker that hangs would keep us waiting for its own.
            connection.collect(socket_timeout=socket.getdefaulttimeout())

    @property
    def _is_blocked(self) -> bool:
        return isinstance(self._producer, ConfirmedProducer) and self._producer.is_blocked

    def _plain(self, connection: Connection) -> Producer:
        producer: Producer = self._app.amqp.Producer(connection, auto_declare=False)
        return producer

    def _forget_inherited(self) -> None:
        if self._pid != os.getpid():
            if self._connection is not None:
                self._inherited.append(self._connection)
            self._connection, self._producer, self._pid = None, None, os.getpid()

    def _errors(self) -> tuple[type[BaseException], ...]:
        connection = self._connection
        known = () if connection is None else connection.recoverable_connection_errors
        channel = () if connection is None else connection.recoverable_channel_errors
        return (KombuError, OSError, *known, *channel)

    def _bounds(self, transport: str) -> dict[str, Any]:
        """Return transport options that keep a broker which hangs from hanging us."""
        if transport.startswith(REDIS):
            return {
                "socket_connect_timeout": self._connect_timeout,
                "socket_timeout": self._answer_timeout,
            }
        if transport.startswith(AMQP):
            return {"read_timeout": self._answer_timeout, "write_timeout": self._answer_timeout}
        return {}
