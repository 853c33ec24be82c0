"""The message of a Celery task's run is the one that ``apply_async`` of its signature would have sent."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from kombu.message import Message

from tests.inner import transport
from tests.integration.broker.durable_apps import TaskApp, shown, task_app, without_expirations
from tickerq_celery import TickerQ
from tickerq_celery.enums import TickerPriorityLike

LATER = datetime.now(UTC) + timedelta(hours=2)
SIGNATURES: dict[str, Callable[[TaskApp], Any]] = {
    "arguments": lambda app: app.tasks.add.s(1, 2),
    "immutable": lambda app: app.tasks.add.si(1, 2),
    "no arguments": lambda app: app.tasks.add.s(),
    "keywords": lambda app: app.tasks.fail.s(1, user={"id": 3}),
    "types of kombu's JSON": lambda app: app.tasks.fail.s(
        LATER, UUID(int=3), Decimal("1.20"), date(2026, 1, 2), b"\xff", [1, [2]]
    ),
    "odd texts": lambda app: app.tasks.fail.s("ü☃\U0001f600", "\x00", 2**70, 0.1),
    "by name": lambda app: app.app.signature("shop.fail", (1,), {"a": 2}),
    "task id": lambda app: app.tasks.add.s(1).set(task_id="order 17/ü"),
    "link": lambda app: app.tasks.add.s(1).set(link=app.tasks.add.s(4)),
    "links": lambda app: app.tasks.add.s(1).set(link=[app.tasks.add.s(4), app.tasks.fail.si(5)]),
    "link_error": lambda app: app.tasks.add.s(1).on_error(app.tasks.fail.s(x=1)),
    "expires at": lambda app: app.tasks.add.s(1).set(expires=LATER),
    "priority": lambda app: app.tasks.add.s(1).set(priority=9, queue=app.queues[1]),
    "queue": lambda app: app.tasks.add.s(1).set(queue=app.queues[1]),
    "routing key": lambda app: app.tasks.add.s(1).set(queue=app.queues[2], routing_key="orders.paid"),
    "exchange": lambda app: app.tasks.add.s(1).set(
        exchange=app.queues[2][:-6] + "-topics", routing_key="orders.new"
    ),
    "compression": lambda app: app.tasks.add.s(1).set(compression="zlib"),
    "the task's own options": lambda app: app.tasks.heavy.s("x" * 500),
    "other options": lambda app: app.tasks.heavy.s("x").set(priority=1, time_limit=9),
    "limits": lambda app: app.tasks.add.s(1).set(time_limit=30, soft_time_limit=20, shadow="sum"),
    "ignore_result": lambda app: app.tasks.add.s(1).set(ignore_result=True),
    "headers": lambda app: app.tasks.add.s(1).set(headers={"tenant": "north", "deep": {"a": [1, None]}}),
    "yaml": lambda app: app.tasks.fail.s(1, a=LATER).set(serializer="yaml"),
    "pickle": lambda app: app.tasks.fail.s(LATER, a={"b": UUID(int=3)}).set(serializer="pickle"),
}  # fmt: skip


@pytest.fixture
def ours(broker_url: str, namespace: str, store_url: str) -> Iterator[TaskApp]:
    with task_app(broker_url, namespace, store_url) as app:
        yield app


def tickerq_of(app: TaskApp) -> TickerQ:
    assert app.tickerq is not None
    return app.tickerq


@pytest.mark.parametrize("signature", SIGNATURES.values(), ids=SIGNATURES.keys())
def test_a_scheduled_call_reaches_the_worker_as_celerys_own_message(
    signature: Callable[[TaskApp], Any], plain: TaskApp, ours: TaskApp
) -> None:
    signature(plain).apply_async()
    of_celery = plain.take()
    run = tickerq_of(ours).schedule(signature(ours))
    of_ours = ours.take()
    assert [message.headers["id"] for message in of_ours] == [run.task_id] * len(of_celery)
    assert all(message.headers["tickerq_call"] == [str(run.id), 1] for message in of_ours)
    assert without_expirations(shown(of_ours)) == without_expirations(shown(of_celery))


def test_what_json_makes_of_arguments_differs_in_the_text_for_people_only(
    plain: TaskApp, ours: TaskApp
) -> None:
    def call(app: TaskApp) -> Any:
        return app.tasks.fail.s(app.tasks.add.s(1), (1, (2,)))

    call(plain).apply_async()
    [of_celery] = shown(plain.take())
    tickerq_of(ours).schedule(call(ours))
    [of_ours] = shown(ours.take())
    assert of_celery["headers"].pop("argsrepr") != of_ours["headers"].pop("argsrepr")
    assert of_ours == of_celery


def test_a_relative_expiry_counts_from_the_publication(ours: TaskApp) -> None:
    before = datetime.now(UTC)
    tickerq_of(ours).schedule(ours.tasks.add.s(1).set(expires=3_600))
    (message,) = ours.take()
    expires = datetime.fromisoformat(message.headers["expires"])
    assert timedelta(hours=1) <= expires - before < timedelta(hours=1, minutes=1)


SCALES = {"redis": {"high": 0, "low": 6}, "amqp": {"high": 9, "low": 1}, "tickerq-fs": {}}


@pytest.mark.parametrize("priority", ["high", "normal", "low"])
def test_a_priority_that_is_asked_for_is_the_messages_on_the_brokers_own_scale(
    broker_url: str, ours: TaskApp, priority: TickerPriorityLike
) -> None:
    expected = SCALES[broker_url.partition("://")[0]].get(str(priority))
    assert _priority(ours, ours.tasks.add.s(1), priority) == (expected or 0)


def test_a_priority_among_the_options_is_the_messages(ours: TaskApp) -> None:
    assert _priority(ours, ours.tasks.add.s(1).set(priority=7), "high") == 7


def test_a_tasks_own_priority_is_the_messages_where_none_is_asked_for(ours: TaskApp) -> None:
    ours.tasks.add.priority = 7
    assert _priority(ours, ours.tasks.add.s(1), "normal") == 7


def test_a_broker_without_a_scale_keeps_the_tasks_own_priority(
    store_url: str, namespace: str, tmp_path: Path
) -> None:
    with task_app(transport.broker_url(tmp_path / "broker"), namespace, store_url) as app:
        app.tasks.add.priority = 7
        assert _priority(app, app.tasks.add.s(1), "high") == 7


def _priority(app: TaskApp, signature: Any, priority: TickerPriorityLike) -> Any:
    tickerq_of(app).schedule(signature.set(queue=app.queues[1]), priority=priority)
    (message,) = app.take()
    return message.properties.get("priority") or 0


def test_a_queue_of_the_ticker_wins_over_routes_and_the_tasks_own(ours: TaskApp) -> None:
    ours.app.conf.task_routes = {"shop.*": {"queue": ours.queues[0]}}
    tickerq_of(ours).schedule(ours.tasks.add, args=[1], queue=ours.queues[1])
    assert [_routing_key(message) for message in ours.take()] == [ours.queues[1]]


def test_without_a_queue_the_apps_routes_decide(ours: TaskApp) -> None:
    ours.app.conf.task_routes = {"shop.*": {"queue": ours.queues[1]}}
    tickerq_of(ours).schedule("shop.add")
    assert [_routing_key(message) for message in ours.take()] == [ours.queues[1]]


def _routing_key(message: Message) -> Any:
    return message.delivery_info["routing_key"]
