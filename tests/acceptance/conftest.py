"""Fixtures for tests with real processes."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.acceptance.jobs import Jobs
from tests.acceptance.warm import WarmServer


@pytest.fixture
def make_jobs(tmp_path: Path, namespace: str, warm_server: WarmServer) -> Iterator[Callable[..., Jobs]]:
    """Return an application on the given store and broker; its processes end with the test."""
    with ExitStack() as stack:

        def make(store_url: str, broker_url: str, **settings: object) -> Jobs:
            jobs = Jobs(tmp_path, store_url=store_url, broker_url=broker_url, namespace=namespace, **settings)
            jobs.launch = warm_server.launch
            return stack.enter_context(closing(jobs))

        yield make


@pytest.fixture
def jobs(make_jobs: Callable[..., Jobs], store_url: str, broker_url: str) -> Jobs:
    """An application on SQLite and the embedded broker, unless the test is parametrised otherwise."""
    return make_jobs(store_url, broker_url)
