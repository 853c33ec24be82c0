"""RabbitMQ's publisher confirms, awaited once for all that was published since the last time."""

import time
from typing import Any

from amqp import spec
from amqp.exceptions import MessageNacked
from kombu import Connection, Producer
from kombu.exceptions import KombuError

# In seconds. What RabbitMQ has sent meanwhile is there at once.
_AT_ONCE = 0.001


class BlockedError(KombuError):
    """RabbitMQ has an alarm, and takes no message from this connection; the text is its reason."""


class ConfirmedProducer(Producer):
    """A producer whose messages RabbitMQ confirms; only ``await_confirms`` waits for that.

    py-amqp's own ``confirm_publish`` waits after each message. How messages are counted, and that one answer
    may be about all before it, says https://www.rabbitmq.com/docs/confirms.
    """

    def __init__(self, connection: Connection) -> None:
        """Ask the broker for confirms on the connection's channel.

        Raises:
            OSError: The broker does not answer, or py-amqp's own errors.
        """
        super().__init__(connection, auto_declare=False)
        self._last_tag = 0
        # In the order of their tags.
        self._unconfirmed: dict[int, None] = {}
        self._is_nacked = False
        channel: Any = self.channel
        channel.confirm_select()
        channel.events["basic_ack"].add(self._settle)
        channel.events["basic_nack"].add(self._refuse)
        self._blocked_for: str | None = None
        _tell_of_alarms(connection.connection, blocked=self._block, unblocked=self._unblock)

    @property
    def is_blocked(self) -> bool:
        """Whether RabbitMQ takes no message from the connection, by what was read of it last."""
        return self._blocked_for is not None

    def refuse_blocked(self, connection: Connection) -> None:
        """Go on unless RabbitMQ takes no message from the connection: what is sent would lie in the network.

        Raises:
            BlockedError: It takes none.
            OSError: The connection is lost, or py-amqp's own errors.
        """
        if self._blocked_for is None:
            return
        try:
            while True:
                _read_frame(connection, _AT_ONCE)
        except TimeoutError:
            self._raise_blocked()

    def publish(self, *args: Any, **options: Any) -> None:
        """Send a message, and do not wait for its confirm; as kombu's, whose options these are."""
        super().publish(*args, **options)
        self._last_tag += 1
        self._unconfirmed[self._last_tag] = None

    def await_confirms(self, connection: Connection, timeout: float) -> None:
        """Return once all that was published is confirmed; ``timeout`` is of each confirm, in seconds.

        Raises:
            TimeoutError: None came in time, whatever else came.
            BlockedError: The broker takes none: what it has not confirmed it may take later.
            MessageNacked: The broker has refused a message.
        """
        until = time.monotonic() + timeout
        while unconfirmed := len(self._unconfirmed):
            left = until - time.monotonic()
            if left <= 0:
                raise TimeoutError("no confirm came")
            _read_frame(connection, left)
            self._raise_blocked()
            if len(self._unconfirmed) < unconfirmed:
                until = time.monotonic() + timeout
        if self._is_nacked:
            self._is_nacked = False
            raise MessageNacked

    def _raise_blocked(self) -> None:
        if self._blocked_for is not None:
            self._unconfirmed.clear()
            self._is_nacked = False
            raise BlockedError(self._blocked_for)

    def _block(self, reason: str) -> None:
        self._blocked_for = reason

    def _unblock(self) -> None:
        self._blocked_for = None

    def _settle(self, tag: int, is_multiple: bool) -> None:
        if not is_multiple:
            self._unconfirmed.pop(tag, None)
            return
        while self._unconfirmed and (first := next(iter(self._unconfirmed))) <= tag:
            del self._unconfirmed[first]

    def _refuse(self, tag: int, is_multiple: bool) -> None:
        unconfirmed = len(self._unconfirmed)
        self._settle(tag, is_multiple)
        # Of what an alarm gave back there may be an answer later.
        if len(self._unconfirmed) < unconfirmed:
            self._is_nacked = True


def _read_frame(connection: Connection, timeout: float) -> None:
    """Read one frame; kombu's ``drain_events`` reads on for as long as heartbeats come."""
    amqp: Any = connection.connection
    amqp.blocking_read(timeout)


def _tell_of_alarms(amqp: Any, *, blocked: Any, unblocked: Any) -> None:
    """Let ``blocked`` be called with RabbitMQ's reason, which py-amqp's own ``on_blocked`` is not given."""
    method = spec.method(spec.Connection.Blocked, "s")
    amqp._METHODS = {**amqp._METHODS, method.method_sig: method}  # noqa: SLF001
    amqp._callbacks.update({spec.Connection.Blocked: blocked, spec.Connection.Unblocked: unblocked})  # noqa: SLF001
