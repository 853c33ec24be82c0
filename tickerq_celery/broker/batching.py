"""Whether the messages of runs can go to an app's broker in batches."""

from importlib.metadata import version
from typing import Any

from celery import Celery
from kombu import Producer

REDIS = ("redis", "rediss", "sentinel")
AMQP = ("amqp", "pyamqp")


def batches(producer: Any) -> bool:
    """Return True if a producer has kombu's ``Producer.batch`` and its transport can do it: 5.7 on Redis."""
    return bool(getattr(producer, "supports_batch_publish", False))


def why_one_by_one(app: Celery) -> str | None:
    """Return why an app's messages are published one by one, or None where they go in batches.

    It does not connect.

    Raises:
        ImportError, LookupError, ValueError: Kombu's own: the transport is not installed, or is none.
    """
    connection = app.connection_for_write()
    name = connection.transport_cls
    if name.startswith(AMQP):
        is_confirmed = (connection.transport_options or {}).get("confirm_publish", True)
        return None if is_confirmed else "broker_transport_options turns confirm_publish off"
    if batches(app.amqp.Producer(connection, auto_declare=False)):
        return None
    if not name.startswith(REDIS):
        return f"kombu's transport {name} has no batches"
    if not hasattr(Producer, "batch"):
        return f"kombu {version('kombu')} has no batches, kombu 5.7 has"
    return "broker_transport_options let redis-py repeat what it has sent"
