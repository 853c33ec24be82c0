"""What teams run Celery with: each row is one compatibility, and all else of it is Celery's default."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

LATE = {"task_acks_late": True, "worker_prefetch_multiplier": 1}
QUORUM = {"task_default_queue_type": "quorum", "broker_transport_options": {"confirm_publish": True}}
# Celery's own delayed delivery, which quorum queues need for a countdown, goes through topic exchanges.
TOPIC = {**QUORUM, "task_default_exchange_type": "topic"}
PICKLE = {"task_serializer": "pickle", "accept_content": ["pickle", "json"]}
ROUTED = {
    "task_routes": {"shop.add": {"queue": "numbers"}, "shop.[ct]*": {"queue": "money", "priority": 3}},
    "task_queue_max_priority": 9,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A way in which a team runs Celery."""

    name: str
    broker: str = "redis"
    pool: str = "prefork"
    celery: Mapping[str, object] = field(default_factory=dict)
    more_queues: tuple[str, ...] = ()
    environ: Mapping[str, str] = field(default_factory=dict)


ROWS = (
    Row(name="namespaced settings", environ={"SHOP_NAMESPACED": "1"}),
    Row(name="routes", celery=ROUTED, more_queues=("numbers", "money")),
    Row(name="routes on RabbitMQ", broker="rabbitmq", celery=ROUTED, more_queues=("numbers", "money")),
    Row(name="quorum queues", broker="rabbitmq", celery=QUORUM),
    Row(name="quorum queues with a topic exchange", broker="rabbitmq", celery=TOPIC),
    Row(name="global_keyprefix", celery={"broker_transport_options": {"global_keyprefix": "shop:"}}),
    Row(name="pickle", celery=PICKLE, environ={"C_FORCE_ROOT": "1"}),  # of root Celery asks for it
    Row(name="yaml", celery={"task_serializer": "yaml", "accept_content": ["yaml", "json"]}),
    Row(name="compressed", celery={"task_compression": "gzip"}),
    Row(name="acks_late", celery=LATE),
    Row(name="acks_late on RabbitMQ", broker="rabbitmq", celery=LATE),
    Row(name="threads", pool="threads"),
    Row(name="gevent", pool="gevent"),
    Row(name="solo", pool="solo"),
    Row(name="max_tasks_per_child", celery={"worker_max_tasks_per_child": 1}),
    Row(name="an error tracker", environ={"SHOP_TRACKER": "tracked.txt"}),
    Row(name="a tracer", environ={"SHOP_TRACER": "1"}),
)
IN_EACH_RUN = {"namespaced settings", "threads"}
CASES = [
    pytest.param(row, id=row.name, marks=() if row.name in IN_EACH_RUN else pytest.mark.verify)
    for row in ROWS
]
