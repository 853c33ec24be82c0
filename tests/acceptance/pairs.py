"""The pairs of a database and a broker on which a test runs."""

import pytest

_NAMES = ("store_url", "broker_url")
_SERVERS = [("postgres", "redis"), ("mariadb", "rabbitmq")]
on_files = pytest.mark.parametrize(_NAMES, [("sqlite", "fs")], indirect=True)
on_redis = pytest.mark.parametrize(_NAMES, [("sqlite", "redis")], indirect=True)
# Celery's prefork pool is another one, with other ways to lose a child, where the broker can be polled.
on_either_loop = pytest.mark.parametrize(_NAMES, [("sqlite", "fs"), ("sqlite", "redis")], indirect=True)
on_servers = pytest.mark.parametrize(_NAMES, _SERVERS, indirect=True)
on_each_pair = pytest.mark.parametrize(_NAMES, [("sqlite", "fs"), *_SERVERS], indirect=True)
