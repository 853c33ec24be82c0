"""A store of one test alone, for what is one for all namespaces."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers.pool import SharedServer
from tests.servers.schema_template import make_schema


@contextmanager
def own_store(kind: str, shared_server: Callable[[str], SharedServer], folder: Path) -> Iterator[str]:
    """Give the address of a database with the schema, which no other test uses."""
    if kind == "sqlite":
        url = f"sqlite:///{folder}/tickers.db"
        make_schema(url)
        yield url
        return
    server = shared_server(kind)
    url = server.new_database()
    make_schema(url)
    yield url
    server.drop_database(url)
