"""Sends one run's message to the broker, over a connection of its own."""

import logging
import math
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from celery import Celery
from kombu import Connection, Producer
from kombu.exceptions import KombuError

from tickerq_celery.broker.kept_json import revived_call
from tickerq_celery.broker.message_replay import publish_captured
from tickerq_celery.broker.messages import (
    CALL_HEADER,
    HEADER,
    LOST_TASK,
    cancel_command,
    message_priority,
    task_id,
    task_name,
)
from tickerq_celery.broker.routes import queue_of
from tickerq_celery.enums import TickerPriority, TickerStatus
from tickerq_celery.errors import PublishError, cause_of
from tickerq_celery.payload.celery_call import CeleryCall
from tickerq_celery.payload.codec import RequestCodec
from tickerq_celery.tickers.claims import Claim, Started
from tickerq_celery.tickers.timeouts import UNLIMITED, backstop

logger = logging.getLogger(__name__)


class CeleryPublisher:
    """Hands messages to the broker of a Celery app; a function's holds the run's id and claim number only.

    The timeouts are in seconds: a process that only adds tickers must not wait long for an unreachable
    broker, nor, by ``answer_timeout`` (where None: the same), for one that hangs.
    """

    def __init__(
        self,
        app: Celery,
        codec: RequestCodec,
        *,
        lease: timedelta,
        connect_timeout: float,
        answer_timeout: float | None = None,
    ) -> None:
        self._app = app
        self._codec = codec
        self._lease = lease
        self._connect_timeout = connect_timeout
        self._answer_timeout = connect_timeout if answer_timeout is None else answer_timeout
        self._connection: Connection | None = None
        self._producer: Producer | None = None
        # Tasks of which it was logged that they are not known here.
        self._unknown: set[str] = set()
        self._pid = os.getpid()
        # Connections made before a fork: kept, since they are the parent's to close.
        self._inherited: list[Connection] = []

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
        connection.transport_options = _bounded(connection, self._connect_timeout, self._answer_timeout) | (
            connection.transport_options or {}
        )
        self._connection = connection
        try:
            connection.ensure_connection(
                max_retries=max(0, len(connection.alt) - 1),
                interval_start=0,
                timeout=math.ceil(self._connect_timeout),
            )
            self._producer = self._app.amqp.Producer(connection, auto_declare=False)
        except self._errors() as error:
            self._drop()
            raise PublishError(cause_of(error)) from error

    def publish(self, claim: Claim) -> None:
        """Send a claim's message; a repeat has the same task id.

        Raises:
            PublishError: The broker is unreachable, did not take it, or did not say so.
        """
        self.connect()
        if claim.call is not None:
            self._publish_call(claim, CeleryCall.decoded(self._codec.unpack(claim.call) or b""))
            return
        options: dict[str, Any] = {} if claim.queue is None else {"queue": claim.queue}
        priority = message_priority(claim.priority, self._transport)
        if priority is not None:
            options["priority"] = priority
        if claim.timeouts != UNLIMITED:
            options["time_limit"] = backstop(claim.timeouts.of_a_task.hard, self._lease)
        self._send(
            task_name(claim.function),
            task_id=task_id(claim.id, claim.number),
            headers={HEADER: [str(claim.id), claim.number], "celery_beat_task": True},
            **options,
        )

    def _publish_call(self, claim: Claim, call: CeleryCall) -> None:
        """Send a plain message of a Celery task, as Celery's own beat does, with the header for followers."""
        if call.message is not None:
            with self._producing() as producer:
                publish_captured(
                    self._app,
                    producer,
                    call,
                    call.message,
                    task_id=_message_id(claim),
                    headers=_marks(claim),
                )
            return
        call = revived_call(call)
        options = call.options | self._options_of(claim, call) | {"retry": False}
        task = self._app.tasks.get(claim.function)
        if task is None and claim.function not in self._unknown:
            self._unknown.add(claim.function)
            logger.warning(
                "%s is published by its name, without options of its @app.task: it is not imported here",
                claim.function,
            )
        with self._producing() as producer:
            # An eager app would run the task here, in beat.
            if task is None or self._app.conf.task_always_eager:
                self._app.send_task(claim.function, call.args, call.kwargs, producer=producer, **options)
            else:
                task.apply_async(call.args, call.kwargs, producer=producer, **options)

    def _options_of(self, claim: Claim, call: CeleryCall) -> dict[str, Any]:
        """Return what the row adds to the options of its call, or replaces of them."""
        options: dict[str, Any] = {
            "task_id": _message_id(claim),
            "headers": (call.options.get("headers") or {}) | _marks(claim),
        }
        if claim.queue is not None:
            options["queue"] = claim.queue
        # Most apps give their tasks no priority, and such a message must not wait behind all others.
        is_asked = claim.priority is not TickerPriority.NORMAL and call.options.get("priority") is None
        priority = message_priority(claim.priority, self._transport) if is_asked else None
        if priority is not None:
            options["priority"] = priority
        return options

    def publish_lost(self, run: Started, message: str, *, status: TickerStatus) -> None:
        """Ask a worker to call the user's exception handler for an attempt that was lost.

        ``status`` is what its run got: Idle where another attempt follows, else Failed or Cancelled.

        Raises:
            PublishError: The broker did not take it.
        """
        # To the workers that have the function: maybe no worker consumes the app's default queue.
        queue = queue_of(self._app, run.function, run.queue)
        self._send(LOST_TASK, args=(str(run.id), int(run.type), message, int(status)), queue=queue)

    def publish_cancel(self, run: Started, *, terminate: bool) -> None:
        """Notify all workers that a cancel of a run was requested; no reply is asked for.

        Raises:
            PublishError: The broker did not take it.
        """
        self.connect()
        app: Any = self._app
        mailbox = app.control.mailbox(self._connection)
        method, arguments = cancel_command(run, terminate=terminate)
        try:
            # Not by `control.broadcast`, which takes another connection, and tries for ever.
            self._open_producer().publish(
                {"method": method, "arguments": arguments, "destination": None},
                exchange=mailbox.exchange.name,
                declare=[mailbox.exchange],
                headers={"clock": app.clock.forward(), "expires": 0},
                serializer="json",
                retry=False,
            )
        except self._errors() as error:
            self._drop()
            raise PublishError(cause_of(error)) from error

    def close(self) -> None:
        """Let go of the connection; the next use opens another."""
        connection, self._connection, self._producer = self._connection, None, None
        if connection is not None:
            connection.release()

    @property
    def _transport(self) -> str:
        """The kombu name of the broker's kind."""
        return "" if self._connection is None else str(self._connection.transport_cls)

    def _drop(self) -> None:
        connection, self._connection, self._producer = self._connection, None, None
        if connection is not None:
            # Without AMQP's closing handshake: a broker that hangs would keep us waiting for its own.
            connection.collect(socket_timeout=socket.getdefaulttimeout())

    def _forget_inherited(self) -> None:
        if self._pid != os.getpid():
            if self._connection is not None:
                self._inherited.append(self._connection)
            self._connection, self._producer, self._pid = None, None, os.getpid()

    def _send(self, name: str, **options: Any) -> None:
        with self._producing() as producer:
            self._app.send_task(
                name, producer=producer, retry=False, ignore_result=True, serializer="json", **options
            )

    @contextmanager
    def _producing(self) -> Iterator[Producer]:
        """Give the producer of our own connection, and raise the broker's errors as PublishError."""
        # Without a producer of ours Celery would take one from the app's pool, without our timeouts.
        self.connect()
        try:
            yield self._open_producer()
        except self._errors() as error:
            self._drop()
            raise PublishError(cause_of(error)) from error

    def _open_producer(self) -> Producer:
        if self._producer is None:
            raise AssertionError("connect() made no producer")
        return self._producer

    def _errors(self) -> tuple[type[BaseException], ...]:
        connection = self._connection
        known = () if connection is None else connection.recoverable_connection_errors
        channel = () if connection is None else connection.recoverable_channel_errors
        return (KombuError, OSError, *known, *channel)


def _message_id(claim: Claim) -> str:
    return claim.task_id or str(claim.id)


def _marks(claim: Claim) -> dict[str, Any]:
    """Return the headers of a Celery task's message that are ours."""
    return {"celery_beat_task": True, CALL_HEADER: [str(claim.id), claim.number]}


def _bounded(connection: Connection, connect_timeout: float, answer_timeout: float) -> dict[str, object]:
    """Return transport options that keep a broker which hangs from hanging us."""
    name = connection.transport_cls
    if name.startswith(("redis", "rediss", "sentinel")):
        return {"socket_connect_timeout": connect_timeout, "socket_timeout": answer_timeout}
    if name.startswith(("amqp", "pyamqp")):
        return {"confirm_publish": True, "read_timeout": answer_timeout, "write_timeout": answer_timeout}
    return {}
