"""RabbitMQ's publisher confirms, awaited once for all that was published since the last time."""

from typing import Any

from amqp.exceptions import MessageNacked
from kombu import Connection, Producer


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

    def publish(self, *args: Any, **options: Any) -> None:
        """Send a message, and do not wait for its confirm; as kombu's, whose options these are."""
        super().publish(*args, **options)
        self._last_tag += 1
        self._unconfirmed[self._last_tag] = None

    def await_confirms(self, connection: Connection, timeout: float) -> None:
        """Return once all that was published is confirmed; ``timeout`` is of each answer, in seconds.

        Raises:
            TimeoutError: No answer came in time.
            MessageNacked: The broker has refused a message.
        """
        while self._unconfirmed:
            connection.drain_events(timeout=timeout)
        if self._is_nacked:
            self._is_nacked = False
            raise MessageNacked

    def _settle(self, tag: int, is_multiple: bool) -> None:
        if not is_multiple:
            self._unconfirmed.pop(tag, None)
            return
        while self._unconfirmed and (first := next(iter(self._unconfirmed))) <= tag:
            del self._unconfirmed[first]

    def _refuse(self, tag: int, is_multiple: bool) -> None:
        self._is_nacked = True
        self._settle(tag, is_multiple)
