"""Sends the messages of runs to the broker, over a connection of its own."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from celery import Celery
from kombu import Producer

from tickerq_celery.broker.durable_eta import left_to_celery
from tickerq_celery.broker.handed_back import by_delayed_delivery, send_anew, with_moments
from tickerq_celery.broker.link import BrokerLink
from tickerq_celery.broker.message_replay import publish_captured
from tickerq_celery.broker.messages import (
    CALL_HEADER,
    HEADER,
    LOST_TASK,
    call_id,
    cancel_command,
    header_for,
    message_priority,
    options_of_row,
    task_id,
    task_name,
)
from tickerq_celery.broker.one_by_one import MOST_ONE_BY_ONE, one_by_one
from tickerq_celery.broker.own_apply_async import call_task
from tickerq_celery.broker.plain_json import revived_call
from tickerq_celery.broker.routes import queue_of
from tickerq_celery.broker.run_messages import RoutingError, RunMessages
from tickerq_celery.enums import TickerStatus
from tickerq_celery.errors import PublishError
from tickerq_celery.failpoints import CrashPoint, failpoint
from tickerq_celery.payload.celery_call import CeleryCall
from tickerq_celery.payload.codec import Packed, RequestCodec
from tickerq_celery.tickers.claims import Claim, Started
from tickerq_celery.tickers.handover import Handover, RefusedClaim
from tickerq_celery.tickers.timeouts import UNLIMITED, backstop

logger = logging.getLogger(__name__)
# Stamped together, like those that go one by one: a beat that is killed before that publishes all again.
_MOST_IN_BATCH = 500
# Sends the call of a Celery task by the function that it is given, which takes the call's options.
SendsCall = Callable[[Claim, CeleryCall, Callable[[dict[str, Any]], None]], None]
# How the message of a task of ours is sent.
_OWN_TASK: Mapping[str, Any] = {"retry": False, "ignore_result": True, "serializer": "json"}


class CeleryPublisher:
    """Hands messages to the broker of a Celery app; a function's holds the run's id and claim number only.

    The timeouts are in seconds: a process that only adds tickers must not wait long for an unreachable
    broker, nor, by ``answer_timeout`` (where None: the same), for one that hangs. ``sends_call`` may
    add to the options of a Celery task's call.
    """

    def __init__(
        self,
        app: Celery,
        codec: RequestCodec,
        *,
        lease: timedelta,
        connect_timeout: float,
        answer_timeout: float | None = None,
        sends_call: SendsCall = lambda claim, call, send: send(call.options),
    ) -> None:
        self._app = app
        self._codec = codec
        self._lease = lease
        self._sends_call = sends_call
        self._link = BrokerLink(
            app,
            connect_timeout=connect_timeout,
            answer_timeout=connect_timeout if answer_timeout is None else answer_timeout,
        )
        # Tasks of which it was logged that they are not known here.
        self._unknown: set[str] = set()
        self._has_failed = False

    @property
    def most_at_once(self) -> int:
        """How many messages go between two looks at whether this process ends, in half a second or less."""
        return _MOST_IN_BATCH if self._goes_in_batches else MOST_ONE_BY_ONE

    def connect(self) -> None:
        """Reach the broker: one attempt at each of its addresses.

        Raises:
            PublishError: It is unreachable.
        """
        self._link.connect()

    def hand_over(self, claims: Sequence[Claim]) -> Handover:
        """Send the messages of claims in their order: a batch of function runs where the transport can.

        The calls of Celery tasks go one by one, since nothing drops a repeat. So does what follows a batch
        that failed: what one message meets hinders those before it no more.
        """
        try:
            self.connect()
        except PublishError as error:
            return Handover(left=claims, failure=error)
        is_batch = len(claims) > 1 and all(claim.call is None for claim in claims)
        if is_batch and self._goes_in_batches:
            handover = self._publish_batch(claims)
        else:
            handover = one_by_one(claims, self.publish)
        self._has_failed = handover.failure is not None
        return handover

    @property
    def _goes_in_batches(self) -> bool:
        return self._link.may_batch and not self._has_failed

    def publish(self, claim: Claim) -> None:
        """Send a claim's message; a repeat has the same task id.

        Raises:
            PublishError: The broker is unreachable, did not take it, or did not say so.
        """
        self.connect()
        if claim.call is not None:
            self._publish_call(claim, self._call_of(claim.call), _marks(claim))
            return
        with self._link.producing() as producer:
            self._send_run(self._app.send_task, producer, claim)

    def hand_back(self, claim: Claim, call: CeleryCall, due: datetime) -> None:
        """Send the message of a call as one that Celery holds until it is ``due``, without headers of ours.

        Raises:
            PublishError: The broker is unreachable, did not take it, or did not say so.
        """
        self.connect()
        # A retry of a task hands on what its own message had.
        headers = {CALL_HEADER: None}
        with left_to_celery():
            if call.message is None:
                self._send_call(claim, with_moments(self._app, claim, call, due), headers)
            elif self._delays_by_exchange:
                with self._link.producing() as producer:
                    send_anew(self._app, producer, claim, call, due)
            else:
                self._publish_call(claim, call, {**headers, "eta": due.isoformat()})

    @cached_property
    def _delays_by_exchange(self) -> bool:
        return by_delayed_delivery(self._app)

    def _call_of(self, packed: Packed) -> CeleryCall:
        return CeleryCall.decoded(self._codec.unpack(packed) or b"")

    def _publish_batch(self, claims: Sequence[Claim]) -> Handover:
        """Send messages, and wait for the broker once; where one meets an error, nothing is known of any."""
        messages = RunMessages(self._app)
        refused: list[RefusedClaim] = []
        taken: list[Claim] = []
        try:
            with self._link.producing(is_batch=True) as producer:
                for claim in claims:
                    try:
                        self._send_run(messages.send_task, producer, claim)
                    except RoutingError as error:
                        refused.append(RefusedClaim(claim=claim, error=error.error))
                    else:
                        taken.append(claim)
        except PublishError as error:
            apart = {each.claim.id for each in refused}
            left = [claim for claim in claims if claim.id not in apart]
            return Handover(refused=refused, left=left, failure=error)
        failpoint(CrashPoint.PUBLISHED)
        return Handover(taken=taken, refused=refused)

    def _send_run(self, send_task: Callable[..., object], producer: Producer, claim: Claim) -> None:
        options: dict[str, Any] = {} if claim.queue is None else {"queue": claim.queue}
        priority = message_priority(claim.priority, self._link.transport)
        if priority is not None:
            options["priority"] = priority
        if claim.timeouts != UNLIMITED:
            options["time_limit"] = backstop(claim.timeouts.of_a_task.hard, self._lease)
        send_task(
            task_name(claim.function),
            producer=producer,
            task_id=task_id(claim.id, claim.number),
            headers={HEADER: header_for(claim.id, claim.number), "celery_beat_task": True},
            **_OWN_TASK,
            **options,
        )

    def _publish_call(self, claim: Claim, call: CeleryCall, headers: Mapping[str, Any]) -> None:
        """Send a plain message of a Celery task, as Celery's own beat does, with ``headers`` of ours."""
        if call.message is not None:
            with self._link.producing() as producer:
                publish_captured(
                    self._app,
                    producer,
                    call,
                    call.message,
                    task_id=call_id(claim),
                    headers=headers,
                )
            return
        call = revived_call(call)

        def send(options: dict[str, Any]) -> None:
            self._send_call(claim, replace(call, options=options), headers)

        self._sends_call(claim, call, send)

    def _send_call(self, claim: Claim, call: CeleryCall, headers: Mapping[str, Any]) -> None:
        options = {**call.options, **self._options_of(claim, call, headers), "retry": False}
        task = self._app.tasks.get(claim.function)
        if task is None and claim.function not in self._unknown:
            self._unknown.add(claim.function)
            logger.warning(
                "%s is published by its name, without options of its @app.task: it is not imported here",
                claim.function,
            )
        try:
            # A commit in the block of an outbox publishes here: what is published is not to be kept again.
            with self._link.producing() as producer, left_to_celery():
                # An eager app would run the task here, in beat.
                if task is None or self._app.conf.task_always_eager:
                    self._app.send_task(claim.function, call.args, call.kwargs, producer=producer, **options)
                else:
                    call_task(task, call, producer, options)
        except RoutingError as error:
            # Not the broker's, whatever its class is: those behind it go on.
            raise error.error from error

    def _options_of(self, claim: Claim, call: CeleryCall, headers: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the row adds to the options of its call, or replaces of them."""
        return {
            "task_id": call_id(claim),
            "headers": {**(call.options.get("headers") or {}), **headers},
            **options_of_row(claim, call, self._link.transport),
        }

    def publish_lost(self, run: Started, message: str, *, status: TickerStatus) -> None:
        """Ask a worker to call the user's exception handler for an attempt that was lost.

        ``status`` is what its run got: Idle where another attempt follows, else Failed or Cancelled.

        Raises:
            PublishError: The broker did not take it.
        """
        # To the workers that have the function: maybe no worker consumes the app's default queue.
        queue = queue_of(self._app, run.function, run.queue)
        args = (str(run.id), int(run.type), message, int(status))
        with self._link.producing() as producer:
            self._app.send_task(LOST_TASK, args=args, producer=producer, queue=queue, **_OWN_TASK)

    def publish_cancel(self, run: Started, *, terminate: bool) -> None:
        """Notify all workers that a cancel of a run was requested; no reply is asked for.

        Raises:
            PublishError: The broker did not take it.
        """
        app: Any = self._app
        method, arguments = cancel_command(run, terminate=terminate)
        with self._link.producing() as producer:
            mailbox = app.control.mailbox(producer.connection)
            # Not by `control.broadcast`, which takes another connection, and tries for ever.
            producer.publish(
                {"method": method, "arguments": arguments, "destination": None},
                exchange=mailbox.exchange.name,
                declare=[mailbox.exchange],
                headers={"clock": app.clock.forward(), "expires": 0},
                serializer="json",
                retry=False,
            )

    def queue_size(self, queue: str) -> int | None:
        """Return how many messages wait in a queue of the broker; None where it does not say.

        Raises:
            PublishError: The broker is unreachable.
        """
        return self._link.queue_size(queue)

    def close(self) -> None:
        """Let go of the connection; the next use opens another."""
        self._link.close()


def _marks(claim: Claim) -> dict[str, Any]:
    """Return the headers of a Celery task's message that are ours."""
    return {"celery_beat_task": True, CALL_HEADER: header_for(claim.id, claim.number)}
