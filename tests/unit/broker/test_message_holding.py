"""For how long a worker may hold a message, by what the source of each transport of kombu says."""

from datetime import timedelta
from typing import Any

import pytest
from celery import Celery

from tickerq_celery.broker.message_holding import Holding, holding_by, holding_of

HOUR = timedelta(hours=1)
VISIBLE_FOR = {"visibility_timeout": 43_200}


@pytest.mark.parametrize(
    ("transport", "options", "limit"),
    [
        ("redis", {}, HOUR),
        ("rediss", VISIBLE_FOR, 12 * HOUR),
        ("sentinel", {}, HOUR),
        ("redis", {"ack_emulation": False}, None),
        ("sqs", {}, HOUR / 2),
        ("SQS", VISIBLE_FOR, 12 * HOUR),
        ("pgmq", VISIBLE_FOR, 12 * HOUR),
        ("amqp", {}, HOUR / 2),
        # An option of Redis, which RabbitMQ does not know.
        ("pyamqp", VISIBLE_FOR, HOUR / 2),
        ("azureservicebus", {}, HOUR / 60),
        ("azureservicebus", {"peek_lock_seconds": 900}, HOUR / 12),
        ("azureservicebus", {"use_lock_renewal": True}, HOUR),
        (
            "azureservicebus",
            {"use_lock_renewal": True, "max_lock_renewal_duration": 7_200},
            2 * HOUR,
        ),
        ("gcpubsub", {"ack_deadline_seconds": 60}, 24 * HOUR),
        ("gcpubsub", {"expiration_seconds": 172_800}, 48 * HOUR),
        ("azurestoragequeues", {}, None),
        ("memory", {}, None),
        ("filesystem", {}, None),
        ("sqla+sqlite", {}, None),
        ("tickerq-fs", {}, None),
    ],
)
def test_a_message_is_held_as_long_as_the_source_of_its_transport_says(
    transport: str, options: dict[str, Any], limit: timedelta | None
) -> None:
    assert holding_by(transport, options) == Holding(limit=limit)


@pytest.mark.parametrize(
    ("transport", "options", "unknown"),
    [
        ("confluentkafka", VISIBLE_FOR, "confluentkafka"),
        ("shop.transports:Own", {}, "shop.transports:Own"),
        ("sqs", {"predefined_queues": {"celery": {}}, **VISIBLE_FOR}, "predefined queues of SQS"),
    ],
)
def test_where_it_is_not_known_nothing_is_held_and_that_is_said(
    transport: str, options: dict[str, Any], unknown: str
) -> None:
    assert holding_by(transport, options) == Holding(limit=timedelta(0), unknown=unknown)


def test_of_an_app_the_broker_that_it_writes_to_counts() -> None:
    with Celery("shop", broker="memory://", set_as_current=False) as app:
        app.conf.update(broker_write_url="redis://localhost", broker_transport_options=VISIBLE_FOR)
        assert holding_of(app) == Holding(limit=12 * HOUR)
