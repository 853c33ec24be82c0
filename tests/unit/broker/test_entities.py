"""Kombu's queues and exchanges are the same after they were kept as JSON."""

import json
from typing import Any

import pytest
from kombu import Exchange, Queue
from kombu.entity import binding

from tickerq_celery.broker.entities import NotAnEntityError, entity_as_json, entity_from_json

TOPICS = Exchange(
    "topics",
    type="topic",
    durable=False,
    auto_delete=True,
    delivery_mode=1,
    arguments={"alternate-exchange": "x"},
)
QUEUES = [
    Queue("plain"),
    Queue("bound", TOPICS, routing_key="a.#"),
    Queue(
        "full",
        TOPICS,
        routing_key="b",
        queue_arguments={"x-queue-type": "quorum", "x-max-length": 7},
        binding_arguments={"a": 1},
        consumer_arguments={"b": 2},
        durable=False,
        exclusive=True,
        no_ack=True,
        expires=3.5,
        message_ttl=2,
        max_length=10,
        max_length_bytes=1000,
        max_priority=9,
        alias="other",
        no_declare=True,
    ),
    Queue("several", bindings=[binding(TOPICS, "a.*", arguments={"x": 1}), binding(Exchange("e2"), "b")]),
]


def attributes(entity: Any) -> Any:
    found = entity.as_dict(recurse=True)
    return found | {"bindings": sorted(map(repr, found.get("bindings") or ()))}


@pytest.mark.parametrize(
    "entity", [*QUEUES, TOPICS, Exchange("")], ids=lambda entity: entity.name or "default"
)
def test_an_entity_is_the_same_after_it_was_kept(entity: Any) -> None:
    again = entity_from_json(json.loads(json.dumps(entity_as_json(entity))))
    assert type(again) is type(entity)
    assert attributes(again) == attributes(entity)


@pytest.mark.parametrize("name", ["topics", "", None])
def test_a_name_stands_for_itself(name: str | None) -> None:
    assert entity_from_json(entity_as_json(name)) == name


@pytest.mark.parametrize("other", [3, object(), {"queue": "x"}])
def test_anything_else_is_refused(other: object) -> None:
    with pytest.raises(NotAnEntityError, match=type(other).__name__):
        entity_as_json(other)
