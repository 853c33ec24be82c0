"""For how long a worker may hold a message of a broker before the broker delivers it again, or drops it.

The options and their defaults are those of kombu 5.7's transports, each in a module of ``kombu.transport``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from celery import Celery

from tickerq_celery.broker.embedded.transport import SCHEME

Options = Mapping[str, Any]
# A message that a worker takes is not in the broker any more, which does not deliver it again.
_FORGETS = frozenset({SCHEME, "memory", "filesystem", "sqla", "sqlalchemy", "mongodb", "azurestoragequeues"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """For how long a worker may hold a message; None is for ever.

    Where that is not known, it is ``unknown`` of which broker, and not at all.
    """

    limit: timedelta | None
    unknown: str | None = None


def holding_of(app: Celery) -> Holding:
    """Return for how long a worker may hold a message of the app's broker."""
    connection = app.connection_for_write()
    return holding_by(str(connection.transport_cls), connection.transport_options or {})


def holding_by(transport: str, options: Options) -> Holding:
    """Return the same for a transport, by its name to kombu, with its options."""
    kind = transport.partition("+")[0].lower()
    if kind in _FORGETS:
        return Holding(limit=None)
    if kind == "sqs" and options.get("predefined_queues"):
        # Kombu did not make them.
        return _unknown("predefined queues of SQS")
    limit_by = _LIMITS.get(kind)
    return _unknown(transport) if limit_by is None else Holding(limit=limit_by(options))


def _unknown(what: str) -> Holding:
    return Holding(limit=timedelta(0), unknown=what)


def _seconds(option: str, default: float) -> Callable[[Options], timedelta]:
    return lambda options: timedelta(seconds=float(options.get(option) or default))


def _redis(options: Options) -> timedelta | None:
    return _seconds("visibility_timeout", 3_600)(options) if options.get("ack_emulation", True) else None


def _service_bus(options: Options) -> timedelta:
    if options.get("use_lock_renewal"):
        return _seconds("max_lock_renewal_duration", 3_600)(options)
    return min(_seconds("peek_lock_seconds", 60)(options), timedelta(minutes=5))


def _rabbitmq(options: Options) -> timedelta:
    # It does not say its consumer_timeout: its default counts.
    return timedelta(minutes=30)


_LIMITS: Mapping[str, Callable[[Options], timedelta | None]] = {
    **dict.fromkeys(("redis", "rediss", "sentinel"), _redis),
    **dict.fromkeys(("amqp", "amqps", "pyamqp", "librabbitmq"), _rabbitmq),
    **dict.fromkeys(("sqs", "pgmq"), _seconds("visibility_timeout", 1_800)),
    "azureservicebus": _service_bus,
    # A thread of the worker extends each deadline; what is older than this is dropped.
    "gcpubsub": _seconds("expiration_seconds", 86_400),
}
