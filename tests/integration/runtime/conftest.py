"""A server that tests stop and freeze."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.servers.availability import require
from tests.servers.pool import new_server
from tests.servers.schema_template import make_schema
from tests.servers.server import Server


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnServer:
    """A server of our own with a store, which is as it was when a test is over."""

    server: Server
    url: str


@pytest.fixture(scope="module")
def own(request: pytest.FixtureRequest, pytestconfig: pytest.Config) -> Iterator[OwnServer]:
    """A server of one module's tests, of the kind that they name."""
    require(pytestconfig, request.param)
    with new_server(request.param) as server:
        url = server.new_database()
        make_schema(url)
        yield OwnServer(server=server, url=url)
