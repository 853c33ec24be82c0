"""The message priority that stands for a ticker's, by the broker's own scale."""

from collections.abc import Mapping

from tickerq_celery.enums import TickerPriority

# Kombu serves Redis's smallest first, in steps of 0, 3, 6 and 9; RabbitMQ its largest. A long run is no
# urgent one: it asks for a place of its own, by a queue.
_ON_REDIS = {
    TickerPriority.HIGH: 0,
    TickerPriority.NORMAL: 3,
    TickerPriority.LONG_RUNNING: 3,
    TickerPriority.LOW: 6,
}
_ON_RABBITMQ = {
    TickerPriority.HIGH: 9,
    TickerPriority.NORMAL: 5,
    TickerPriority.LONG_RUNNING: 5,
    TickerPriority.LOW: 1,
}
_SCALES: Mapping[str, Mapping[TickerPriority, int]] = {
    "redis": _ON_REDIS,
    "rediss": _ON_REDIS,
    "sentinel": _ON_REDIS,
    "amqp": _ON_RABBITMQ,
    "amqps": _ON_RABBITMQ,
    "pyamqp": _ON_RABBITMQ,
}


def message_priority(priority: TickerPriority, transport: str) -> int | None:
    """Return the priority of a message on a kombu transport, or None where the transport knows none."""
    scale = _SCALES.get(transport.partition("+")[0])
    return None if scale is None else scale[priority]
