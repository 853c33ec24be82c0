"""The pairs of a database and a broker on which a test runs."""

from collections.abc import Callable
from typing import Any, TypeVar

import pytest

from tests.thoroughness import in_verify

T = TypeVar("T", bound=Callable[..., Any])

_NAMES = ("store_url", "broker_url")
_SERVERS = [("postgres", "redis"), ("mariadb", "rabbitmq")]
on_files = pytest.mark.parametrize(_NAMES, [("sqlite", "fs")], indirect=True)
on_redis = pytest.mark.parametrize(_NAMES, [("sqlite", "redis")], indirect=True)
# Celery's prefork pool is another one, with other ways to lose a child, where the broker can be polled.
on_either_loop = pytest.mark.parametrize(_NAMES, [("sqlite", "fs"), ("sqlite", "redis")], indirect=True)

# The prefork pool's two loops are alike in what such a test is about.
on_files_and_in_verify_on_redis = pytest.mark.parametrize(
    _NAMES, [("sqlite", "fs"), in_verify("sqlite", "redis")], indirect=True
)


def on_servers(test: T) -> T:
    """Run a test on one pair of servers, and on the other by `make verify`."""
    return _alike(_SERVERS)(test)


def on_each_pair(test: T) -> T:
    """Run a test on one pair, and on the others by `make verify`."""
    return _alike([("sqlite", "fs"), *_SERVERS])(test)


def _alike(pairs: list[tuple[str, str]]) -> Callable[[T], T]:
    return lambda test: pytest.mark.each_pair_alike(
        pytest.mark.parametrize(_NAMES, pairs, indirect=True)(test)
    )
