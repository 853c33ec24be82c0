"""Which followed execution a body is in, by its task's request."""

from typing import Any
from uuid import UUID

import pytest
from celery import Celery

from tests.inner import TaskExecution
from tickerq_celery.worker.followed_run import FollowedRun, keep, kept

EXECUTION = TaskExecution(id=UUID(int=1), claim_no=1, task="shop.add", task_id="a", retries=0)
FOLLOWED = FollowedRun(execution=EXECUTION)


@pytest.fixture
def app() -> Celery:
    return Celery("followed", broker="memory://", set_as_current=False)


def test_a_body_finds_the_execution_that_its_request_keeps(app: Celery) -> None:
    @app.task(bind=True)
    def body(task: Any) -> None:
        keep(task.request, FOLLOWED)
        found.append(kept(task.request))

    found: list[FollowedRun | None] = []
    body.apply()
    assert found == [FOLLOWED]


def test_a_task_that_a_followed_body_calls_eagerly_is_not_followed(app: Celery) -> None:
    @app.task(bind=True)
    def inner(task: Any) -> None:
        found.append(kept(task.request))

    @app.task(bind=True)
    def outer(task: Any) -> None:
        keep(task.request, FOLLOWED)
        inner.apply()

    found: list[FollowedRun | None] = []
    outer.apply()
    assert found == [None]
