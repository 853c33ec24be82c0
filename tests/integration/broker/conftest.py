"""Fixtures for tests of messages: an app without a TickerQ, to whose messages others are compared."""

from collections.abc import Iterator

import pytest

from tests.integration.broker.durable_apps import TaskApp, task_app


@pytest.fixture
def plain(broker_url: str, namespace: str) -> Iterator[TaskApp]:
    """An app as Celery has it, which keeps nothing."""
    with task_app(broker_url, namespace) as app:
        yield app
