"""Whether a worker has any message: also one that Celery holds back, for a rate limit or an eta."""

from collections import deque
from types import SimpleNamespace
from typing import Any

import pytest
from celery.worker import state
from celery.worker.request import Request

from tickerq_celery.worker.held_requests import has_no_message

REQUEST = Request.__new__(Request)


def consumer(**fields: Any) -> Any:
    empty = {
        "task_consumer": object(),
        "task_buckets": {"shop.add": None},
        "timer": SimpleNamespace(schedule=SimpleNamespace(queue=[])),
    }
    return SimpleNamespace(**{**empty, **fields})


def timer_with(*arguments: object) -> Any:
    entry = SimpleNamespace(entry=SimpleNamespace(args=arguments))
    return SimpleNamespace(schedule=SimpleNamespace(queue=[entry]))


def test_a_worker_whose_consumer_has_nothing_is_idle() -> None:
    assert has_no_message(consumer())
    assert has_no_message(consumer(timer=timer_with("a heartbeat's")))
    assert has_no_message(consumer(timer=timer_with()))


@pytest.mark.parametrize(
    "busy",
    [
        None,
        consumer(task_consumer=None),
        consumer(task_buckets={"shop.add": SimpleNamespace(contents=deque([REQUEST]))}),
        consumer(timer=timer_with(REQUEST)),
    ],
    ids=["not started", "not connected", "rate limit", "eta"],
)
def test_one_that_may_have_a_message_is_not(busy: Any) -> None:
    assert not has_no_message(busy)


def test_one_with_a_request_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "reserved_requests", {REQUEST})
    assert not has_no_message(consumer())
