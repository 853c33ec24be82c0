"""A store with a long history, made once for each kind of database."""

from collections.abc import Callable, Iterator

import pytest

from tests.dashboard.compiled import templates_and_routes_compiled_once
from tests.plans.stored import Stored, long_history
from tests.servers.pool import SharedServer


@pytest.fixture(autouse=True, scope="module")
def _compiled_once() -> Iterator[None]:
    """Compile the pages once: each is asked of a dashboard that has read nothing yet."""
    with templates_and_routes_compiled_once():
        yield


@pytest.fixture(scope="session")
def stored(
    request: pytest.FixtureRequest,
    shared_server: Callable[[str], SharedServer],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stored]:
    """A database with a long history: the parameter is its kind, and how many runs have ended."""
    kind, runs = request.param
    server = None if kind == "sqlite" else shared_server(kind)
    url = (
        f"sqlite:///{tmp_path_factory.mktemp('plans')}/tickers.db"
        if server is None
        else server.new_database()
    )
    with long_history(url, runs) as stored:
        yield stored
    if server is not None:
        server.drop_database(url)
