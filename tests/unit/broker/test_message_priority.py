"""Message priorities, by the broker's own scale."""

import pytest

from tests.inner import message_priority
from tickerq_celery.enums import TickerPriority

HIGH, NORMAL, LOW, LONG = (
    TickerPriority.HIGH, TickerPriority.NORMAL, TickerPriority.LOW, TickerPriority.LONG_RUNNING,
)  # fmt: skip


@pytest.mark.parametrize("transport", ["redis", "rediss", "sentinel", "redis+socket"])
def test_redis_serves_the_smallest_first(transport: str) -> None:
    assert [message_priority(each, transport) for each in (HIGH, NORMAL, LOW)] == [0, 3, 6]


@pytest.mark.parametrize("transport", ["amqp", "amqps", "pyamqp"])
def test_rabbitmq_serves_the_largest_first(transport: str) -> None:
    assert [message_priority(each, transport) for each in (HIGH, NORMAL, LOW)] == [9, 5, 1]


@pytest.mark.parametrize("transport", ["redis", "amqp"])
def test_a_long_run_is_no_urgent_one(transport: str) -> None:
    assert message_priority(LONG, transport) == message_priority(NORMAL, transport)


@pytest.mark.parametrize("transport", ["tickerq-fs", "sqs", "memory", ""])
def test_a_transport_without_priorities_gets_none(transport: str) -> None:
    assert {message_priority(each, transport) for each in TickerPriority} == {None}
