"""Two apps on one broker have one address; no secret is in it."""

import socket

import pytest
from celery import Celery

from tickerq_celery.broker.address import broker_address

HERE = f" on {socket.gethostname()}"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis://ada:secret@host:1/3", "redis://host:1/3"),
        ("redis://host:1/3", "redis://host:1/3"),
        ("redis://", f"redis://localhost:6379//{HERE}"),
        ("redis://127.0.0.1/3", f"redis://127.0.0.1:6379/3{HERE}"),
        ("amqp://a:b@host//shop;amqp://other//", "amqp://host:5672//shop"),
        ("redis+socket:///run/redis?virtual_host=3&password=secret", f"redis+socket:///run/redis/3{HERE}"),
        ("redis+socket://:secret@/run/redis", f"redis+socket:///run/redis//{HERE}"),
        ("sqla+postgresql://ada:s@/cret@host/shop", f"sqla+postgresql://host/shop//{HERE}"),
        ("memory://", f"memory://localhost://{HERE}"),
    ],
)
def test_an_address_is_the_servers_not_the_users(url: str, expected: str) -> None:
    with Celery("shop", broker=url, set_as_current=False) as app:
        assert broker_address(app) == expected


def test_a_prefix_of_all_queues_makes_another_address() -> None:
    with Celery("shop", broker="redis://host/3", set_as_current=False) as app:
        app.conf.broker_transport_options = {"global_keyprefix": "shop:"}
        assert broker_address(app) == "redis://host:6379/3 global_keyprefix=shop:"
