"""Fixtures for the shop: its processes end with the test."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.acceptance.warm import WarmServer
from tests.compat.shop import Shop
from tests.servers.pool import SharedServer


@pytest.fixture
def make_shop(tmp_path: Path, namespace: str, warm_server: WarmServer) -> Iterator[Callable[..., Shop]]:
    """Return a shop on the given broker, with a folder and a namespace of its own."""
    with ExitStack() as stack:
        shops: list[Shop] = []

        def make(store_url: str, broker_url: str, **options: object) -> Shop:
            folder = tmp_path / f"shop{len(shops)}"
            folder.mkdir()
            name = f"{namespace}-{len(shops)}"
            shop = Shop(folder, store_url=store_url, broker_url=broker_url, namespace=name, **options)
            shop.launch = warm_server.launch
            shops.append(shop)
            return stack.enter_context(closing(shop))

        yield make


@pytest.fixture
def new_broker(shared_server: Callable[[str], SharedServer]) -> Iterator[Callable[[str], str]]:
    """Return a database or virtual host of the run's broker of a kind, without any message."""
    with ExitStack() as stack:

        def new(kind: str) -> str:
            server = shared_server(kind)
            url = server.new_database()
            stack.callback(server.drop_database, url)
            return url

        yield new
