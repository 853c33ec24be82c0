"""A captured message: JSON and back, its queue, and what is left of the time that the broker may keep it."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tickerq_celery.payload.captured_message import CapturedMessage
from tickerq_celery.payload.celery_call import CeleryCall

NOW = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
MESSAGE = CapturedMessage(
    embed={"callbacks": None, "errbacks": None, "chain": None, "chord": {"task": "a"}},
    headers={"id": "1", "task": "shop.add", "stamps": {"a": ["b"]}},
    properties={"correlation_id": "1", "priority": 3},
    exchange="",
    routing_key="main",
    declare=[{"queue": {"name": "main"}}],
    serializer="json",
    compression=None,
    delivery_mode=2,
    expiration=90.5,
    captured_at=NOW.isoformat(),
)


def test_a_call_with_its_message_is_the_same_after_it_was_kept() -> None:
    call = CeleryCall(args=(1, [2]), kwargs={"a": None}, message=MESSAGE)
    assert CeleryCall.decoded(call.encoded()) == call
    assert json.loads(call.encoded())["message"]["routing_key"] == "main"


def test_a_message_that_is_no_json_is_refused_by_the_name_of_its_part() -> None:
    broken = replace(MESSAGE, headers={"at": NOW})
    with pytest.raises(ValueError, match="its message cannot be kept as JSON"):
        CeleryCall(message=broken).encoded()


@pytest.mark.parametrize(("seconds", "left"), [(0, 90.5), (60, 30.5), (-5, 90.5)], ids=repr)
def test_the_broker_may_keep_it_for_what_is_left_of_its_time(seconds: float, left: float) -> None:
    assert MESSAGE.expiration_at(NOW + timedelta(seconds=seconds)) == left


@pytest.mark.parametrize("seconds", [90.4999, 90.5, 3600])
def test_what_has_expired_is_left_to_the_worker_that_gets_it(seconds: float) -> None:
    assert MESSAGE.expiration_at(NOW + timedelta(seconds=seconds)) is None


def test_one_without_an_expiration_has_none_later() -> None:
    assert replace(MESSAGE, expiration=None).expiration_at(NOW + timedelta(days=1)) is None


@pytest.mark.parametrize(
    ("changes", "queue"),
    [
        ({}, "main"),
        ({"declare": []}, "main"),
        ({"exchange": "topics", "routing_key": "a.b"}, "main"),
        ({"exchange": "topics", "declare": []}, None),
        ({"exchange": {"exchange": {"name": "topics"}}, "declare": [{"exchange": {}}]}, None),
        ({"exchange": "topics", "declare": [{"queue": {"name": "a"}}, {"queue": {"name": "b"}}]}, None),
    ],
)
def test_its_queue_is_known_where_the_message_names_one(changes: dict[str, Any], queue: str | None) -> None:
    assert replace(MESSAGE, **changes).queue == queue
