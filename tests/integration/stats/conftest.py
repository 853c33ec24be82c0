"""A store of this process's own, empty for each test: the roll-up's watermark is one for all namespaces."""

from collections.abc import Callable

import pytest

from tests.conftest import DATABASES


@pytest.fixture(params=DATABASES)
def store_url(request: pytest.FixtureRequest, lone_store: Callable[[str], str]) -> str:
    """A database with the schema and without rows, which no test uses beside this one, on each kind."""
    return lone_store(request.param)
