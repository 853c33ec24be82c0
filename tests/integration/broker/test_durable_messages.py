"""A call that was kept reaches the worker as Celery's own message does, but for its moment."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from celery import chain, chord, group
from celery.canvas import StampingVisitor
from celery.exceptions import Retry
from kombu import Exchange
from kombu.message import Message
from sqlalchemy.orm import Session

from tests.integration.apps import caller_engine
from tests.integration.broker.durable_apps import (
    HOUR,
    TaskApp,
    make_due,
    shown,
    task_app,
    without_expirations,
)

Call = Callable[[TaskApp], Any]
LATER = datetime.now(UTC) + timedelta(hours=2)
LATER_STILL = LATER + timedelta(hours=1)


class Stamps(StampingVisitor):
    def on_signature(self, sig: Any, **headers: Any) -> dict[str, Any]:
        return {"tenant": "north", "labels": ["a", "b"], "stamped_headers": ["tenant", "labels"]}


def retry(app: TaskApp, **request: Any) -> None:
    task = app.tasks.again
    task.push_request(
        id="r-1", args=[3], kwargs={}, called_directly=False, is_eager=False, root_id="r-0", parent_id="r-0",
        delivery_info={"exchange": "", "routing_key": app.queues[1], "priority": 4}, **request,
    )  # fmt: skip
    try:
        with pytest.raises(Retry):
            task.retry(countdown=HOUR)
    finally:
        task.pop_request()


def stamped(app: TaskApp) -> None:
    signature = app.tasks.add.s(1)
    signature.stamp(visitor=Stamps())
    signature.apply_async(countdown=HOUR)


def group_in_a_chain(app: TaskApp) -> None:
    add = app.tasks.add
    chain(add.s(1).set(countdown=HOUR), group(add.s(2), add.s(3)), app.tasks.fail.s()).apply_async()


def chord_with_later_heads(app: TaskApp) -> None:
    add = app.tasks.add
    later = [add.s(1).set(countdown=HOUR), add.s(2).set(countdown=HOUR)]
    chord(later, add.s(9).on_error(app.tasks.fail.s())).apply_async()


CALLS: dict[str, Call] = {
    "countdown": lambda app: app.tasks.add.apply_async((1, 2), countdown=HOUR),
    "fractions": lambda app: app.tasks.add.apply_async((1, 2), countdown=HOUR + 0.25),
    "eta": lambda app: app.tasks.add.apply_async((1, 2), eta=LATER),
    "naive eta": lambda app: app.tasks.add.apply_async((1, 2), eta=LATER.replace(tzinfo=None)),
    "text as eta": lambda app: app.tasks.add.apply_async((1, 2), eta=LATER.isoformat()),
    "no arguments": lambda app: app.tasks.add.apply_async(countdown=HOUR),
    "keywords": lambda app: app.tasks.fail.apply_async((1,), {"user": {"id": 3}}, countdown=HOUR),
    "types of kombu's JSON": lambda app: app.tasks.fail.apply_async(
        (LATER, UUID(int=3), Decimal("1.20"), date(2026, 1, 2), b"\xff", (1, (2,))), countdown=HOUR
    ),
    "odd texts": lambda app: app.tasks.fail.apply_async(("ü☃\U0001f600", "\x00", 2**70, 0.1), countdown=HOUR),
    "by name": lambda app: app.app.send_task("other.unknown", (1,), {"a": 2}, countdown=HOUR),
    "by name with an id": lambda app: app.app.send_task("shop.add", (1,), None, HOUR, None, "my-id"),
    "signature": lambda app: app.tasks.add.s(1).set(countdown=HOUR).delay(2),
    "signature by name": lambda app: app.app.signature("other.unknown", (1,)).apply_async(countdown=HOUR),
    "task id": lambda app: app.tasks.add.apply_async((1,), task_id="order 17/ü", countdown=HOUR),
    "link": lambda app: app.tasks.add.apply_async((1,), link=app.tasks.add.s(4), countdown=HOUR),
    "links": lambda app: app.tasks.add.apply_async(
        (1,), link=[app.tasks.add.s(4), app.tasks.fail.si(5)], countdown=HOUR
    ),
    "link_error": lambda app: app.tasks.add.apply_async(
        (1,), link_error=app.tasks.fail.s(x=1), countdown=HOUR
    ),
    "group": lambda app: group(app.tasks.add.s(1), app.tasks.add.s(2)).apply_async(countdown=HOUR),
    "chain": lambda app: chain(app.tasks.add.s(1), app.tasks.add.s(2)).apply_async(countdown=HOUR),
    "group in a chain": group_in_a_chain,
    "head of a chord": chord_with_later_heads,
    "stamps": stamped,
    "retry": retry,
    "second retry": lambda app: retry(app, retries=1, headers={"tenant": "north"}),
    "retry of a chord's member": lambda app: retry(
        app, chord=app.tasks.add.s(9), group="g-1", group_index=2, callbacks=[app.tasks.add.s(4)]
    ),
    "expires": lambda app: app.tasks.add.apply_async((1,), countdown=HOUR, expires=LATER_STILL),
    "priority": lambda app: app.tasks.add.apply_async((1,), countdown=HOUR, priority=9, queue=app.queues[1]),
    "queue": lambda app: app.tasks.add.apply_async((1,), countdown=HOUR, queue=app.queues[1]),
    "routing key": lambda app: app.tasks.add.apply_async(
        (1,), countdown=HOUR, queue=app.queues[2], routing_key="orders.paid"
    ),
    "exchange": lambda app: app.tasks.add.apply_async(
        (1,), countdown=HOUR, exchange=app.queues[2][:-6] + "-topics", routing_key="orders.new"
    ),
    "exchange as an object": lambda app: app.tasks.add.apply_async(
        (1,),
        countdown=HOUR,
        exchange=Exchange(app.queues[2][:-6] + "-topics", type="topic"),
        routing_key="orders.new",
    ),
    "compression": lambda app: app.tasks.add.apply_async((1,), countdown=HOUR, compression="zlib"),
    "the task's own options": lambda app: app.tasks.heavy.apply_async(("x" * 500,), countdown=HOUR),
    "other options": lambda app: app.tasks.heavy.apply_async(
        ("x",), countdown=HOUR, priority=1, time_limit=9
    ),
    "shadow": lambda app: app.tasks.add.apply_async((1,), countdown=HOUR, shadow="sum"),
    "limits": lambda app: app.tasks.add.apply_async(
        (1,), countdown=HOUR, time_limit=30, soft_time_limit=20
    ),
    "ignore_result": lambda app: app.tasks.add.apply_async((1,), countdown=HOUR, ignore_result=True),
    "headers": lambda app: app.tasks.add.apply_async(
        (1,), countdown=HOUR, headers={"tenant": "north", "deep": {"a": [1, None, True]}}
    ),
    "properties": lambda app: app.tasks.add.apply_async(
        (1,), countdown=HOUR, reply_to="me", user_id=None, message_id="m-1", app_id="shop"
    ),
    "transient": lambda app: app.tasks.add.apply_async((1,), countdown=HOUR, delivery_mode=1),
    "group and root": lambda app: app.tasks.add.apply_async(
        (1,), countdown=HOUR, root_id="root", parent_id="parent", group_id="g", group_index=3, argsrepr="<…>"
    ),
    "yaml": lambda app: app.tasks.fail.apply_async((1,), {"a": LATER}, countdown=HOUR, serializer="yaml"),
    "pickle": lambda app: app.tasks.fail.apply_async(
        (1, [LATER]), {"a": {"b": None}}, countdown=HOUR, serializer="pickle"
    ),
}  # fmt: skip


@pytest.fixture
def durable(broker_url: str, namespace: str, store_url: str) -> Iterator[TaskApp]:
    with task_app(broker_url, namespace, store_url) as app:
        yield app


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_a_kept_call_reaches_the_worker_as_celerys_own_message(
    call: Call, plain: TaskApp, durable: TaskApp
) -> None:
    call(plain)
    of_celery = plain.take()
    call(durable)
    assert durable.tickerq is not None
    # Brokers that look up an exchange lose what is for one that they have not declared: so then for both.
    at_once, kept = durable.take(), list(durable.tickerq.runs.find())
    assert kept
    make_due(durable.tickerq)
    of_ours = durable.take()
    claims = {message.headers["id"]: message.headers["tickerq_call"] for message in of_ours}
    assert claims == {run.task_id: [str(run.id), 1] for run in kept if run.task_id in claims}
    later = [message for message in of_celery if message.headers["eta"] is not None]
    assert (len(later), len(of_celery)) == (len(of_ours), len(of_ours) + len(at_once))
    for message in later:
        message.headers["eta"] = None
    assert without_expirations(shown(later)) == without_expirations(shown(of_ours))


def chord_that_is_asked_for_its_end(app: TaskApp) -> None:
    # As a backend does that cannot count the parts.
    del app.app.backend.apply_chord
    chord([app.tasks.add.s(1), app.tasks.add.s(2)], app.tasks.add.s(9)).apply_async()


# What only an outbox keeps.
AT_ONCE: dict[str, Call] = {
    "delay": lambda app: app.tasks.add.delay(1, 2),
    "options": lambda app: app.tasks.heavy.apply_async(
        ("x",), priority=3, expires=LATER_STILL, headers={"a": 1}
    ),
    "a group": lambda app: group(app.tasks.add.s(1), app.tasks.add.s(2)).apply_async(),
    "a chain": lambda app: chain(app.tasks.add.s(1), app.tasks.add.s(2)).apply_async(),
    "a chord": lambda app: chord([app.tasks.add.s(1), app.tasks.add.s(2)], app.tasks.add.s(9)).apply_async(),
    "celery.chord_unlock": chord_that_is_asked_for_its_end,
    "celery.starmap": lambda app: app.tasks.add.starmap([(1, 2), (3, 4)]).apply_async(),
}  # fmt: skip


@pytest.mark.parametrize(
    "call",
    [*CALLS.values(), *AT_ONCE.values()],
    ids=[*CALLS, *AT_ONCE],
)
def test_a_call_of_an_outbox_reaches_the_worker_as_celerys_own_message(
    call: Call, plain: TaskApp, durable: TaskApp, store_url: str
) -> None:
    call(plain)
    of_celery = plain.take()
    assert durable.tickerq is not None
    engine = caller_engine(store_url)
    with Session(engine) as session, durable.tickerq.outbox(session):
        call(durable)
        at_once = durable.take()
        session.commit()
    engine.dispose()
    assert at_once == []
    make_due(durable.tickerq)
    of_ours = durable.take()
    kept = {run.task_id for run in durable.tickerq.runs.find()}
    assert {message.headers["id"] for message in of_ours} <= kept
    for message in of_celery:
        message.headers["eta"] = None
    # What has a countdown is published later; Celery sends it when it is called.
    for each in (of_celery, of_ours):
        each.sort(key=lambda message: str(message.headers["task"]))
    assert without_expirations(shown(of_celery)) == without_expirations(shown(of_ours))


# What pickle can send, and JSON cannot keep.
NOT_JSON = {"a": {1: (2, 3)}}
LEFT: dict[str, dict[str, Any]] = {
    "eta": {"eta": LATER},
    "naive eta": {"eta": LATER.replace(tzinfo=None)},
    "text as eta": {"eta": LATER.isoformat()},
    "countdown": {"countdown": HOUR},
    "both": {"countdown": HOUR, "eta": LATER},
    "options": {"eta": LATER, "expires": LATER_STILL, "priority": 3, "headers": {"tenant": "north"}},
    "compression": {"eta": LATER, "compression": "zlib", "time_limit": 9},
}


@pytest.mark.parametrize("options", LEFT.values(), ids=LEFT.keys())
def test_a_call_that_cannot_be_kept_is_celerys_own_message(
    options: dict[str, Any], plain: TaskApp, durable: TaskApp
) -> None:
    def sent(app: TaskApp) -> list[Message]:
        app.tasks.fail.apply_async((1,), NOT_JSON, serializer="pickle", link=app.tasks.add.s(1), **options)
        return app.take()

    of_celery, of_ours = sent(plain), sent(durable)
    assert durable.tickerq is not None
    assert list(durable.tickerq.runs.find()) == []
    moments = [datetime.fromisoformat(each[0].headers["eta"]) for each in (of_celery, of_ours)]
    assert abs((moments[0] - moments[1]).total_seconds()) < 60
    assert moments[0].tzinfo == moments[1].tzinfo
    if options.get("countdown"):
        of_celery[0].headers["eta"] = of_ours[0].headers["eta"] = "the same"
    assert without_expirations(shown(of_celery)) == without_expirations(shown(of_ours))


def test_a_call_that_has_expired_when_it_is_due_reaches_a_worker_that_revokes_it(durable: TaskApp) -> None:
    tickerq = durable.tickerq
    assert tickerq is not None
    durable.tasks.add.apply_async((1,), countdown=HOUR, expires=-1)
    make_due(tickerq)
    (message,) = durable.take()
    assert "expiration" not in message.properties
    assert datetime.fromisoformat(message.headers["expires"]) < datetime.now(UTC)
