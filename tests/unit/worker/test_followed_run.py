"""Which followed execution a body is in, by its task's request."""

from typing import Any
from uuid import UUID

import pytest
from celery import Celery

from tickerq_celery.tickers.claims import TaskExecution
from tickerq_celery.worker.followed_run import FollowedRun, followed_run, keep

EXECUTION = TaskExecution(id=UUID(int=1), claim_no=1, task="shop.add", task_id="a", retries=0)
FOLLOWED = FollowedRun(execution=EXECUTION)


@pytest.fixture
def app() -> Celery:
    return Celery("followed", broker="memory://", set_as_current=False)


def test_a_body_finds_the_execution_that_its_request_keeps(app: Celery) -> None:
    @app.task(bind=True)
    def body(task: Any) -> None:
        keep(task.request, FOLLOWED)
        found.append(followed_run())

    found: list[FollowedRun | None] = []
    body.apply()
    assert found == [FOLLOWED]


def test_a_task_that_a_followed_body_calls_eagerly_is_not_followed(app: Celery) -> None:
    @app.task
    def inner() -> None:
        found.append(followed_run())

    @app.task(bind=True)
    def outer(task: Any) -> None:
        keep(task.request, FOLLOWED)
        inner.apply()

    found: list[FollowedRun | None] = []
    outer.apply()
    assert found == [None]


def test_outside_of_a_task_there_is_none() -> None:
    assert followed_run() is None
