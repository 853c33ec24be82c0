"""``durable_eta``: which calls are kept, and what their callers get."""

import re
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from celery import Celery, signals
from celery._state import _task_stack
from kombu.exceptions import EncodeError, OperationalError
from sqlalchemy import Connection, event

from tests.integration.apps import dispatch_due, enrol_worker, messages, ticker_app
from tests.manual_clock import START, ManualClock
from tests.servers.schema_template import make_schema
from tests.servers.server import Server
from tickerq_celery import TickerQ, TickerStatus, TickerType
from tickerq_celery.enums import Origin, TickerKind
from tickerq_celery.errors import ConfigError, StoreError
from tickerq_celery.payload.celery_call import call_in

HOUR = 3600
WARNING = "durable_eta leaves a call of"


@pytest.fixture
def make(store_url: str, namespace: str, clock: ManualClock) -> Iterator[Callable[..., TickerQ]]:
    """Return a TickerQ of an app of its own with one task, ``shop.add``."""
    opened = []

    def made(**settings: Any) -> TickerQ:
        block = ticker_app(store_url, namespace, clock, **settings)
        opened.append(block)
        tickerq = block.__enter__()
        add_task(tickerq.app)
        return tickerq

    yield made
    for block in opened:
        block.__exit__(None, None, None)


@pytest.fixture
def durable(make: Callable[..., TickerQ]) -> TickerQ:
    return make(durable_eta=60)


def add_task(app: Celery) -> None:
    @app.task(name="shop.add", shared=False)
    def add(*numbers: Any, **others: Any) -> int:
        return len(numbers)


def add_of(tickerq: TickerQ) -> Any:
    return tickerq.app.tasks["shop.add"]


def kept(tickerq: TickerQ) -> list[Any]:
    return list(tickerq.runs.find())


def warnings_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if WARNING in record.getMessage()]


def test_without_the_setting_all_calls_are_celerys(make: Callable[..., TickerQ]) -> None:
    tickerq = make()
    add_of(tickerq).apply_async((1,), countdown=HOUR)
    (message,) = messages(tickerq)
    assert message.headers["eta"] is not None
    assert kept(tickerq) == []


def test_a_kept_call_is_a_run_that_is_due_at_its_moment(durable: TickerQ) -> None:
    result = add_of(durable).apply_async((1, 2), {"a": 3}, countdown=HOUR)
    assert messages(durable) == []
    (run,) = kept(durable)
    assert (run.task_id, run.function, run.kind, run.type) == (
        result.id, "shop.add", TickerKind.CELERY_TASK, TickerType.TIME_TICKER,
    )  # fmt: skip
    assert (run.status, run.execution_time) == (TickerStatus.IDLE, START + timedelta(hours=1))
    assert run.origin is Origin.CALL
    assert run.next_attempt_at == START + timedelta(hours=1)
    assert (run.request["args"], run.request["kwargs"]) == ([1, 2], {"a": 3})
    assert run.queue == durable.app.conf.task_default_queue


def test_it_is_published_once_it_is_due_and_not_before(durable: TickerQ, clock: ManualClock) -> None:
    enrol_worker(durable)
    result = add_of(durable).apply_async((1,), countdown=HOUR)
    clock.advance(minutes=59)
    dispatch_due(durable)
    assert messages(durable) == []
    clock.advance(minutes=1)
    dispatch_due(durable)
    (message,) = messages(durable)
    assert (message.headers["id"], message.headers["eta"]) == (result.id, None)


MINUTE_LATER = START + timedelta(seconds=61)
EAST = timezone(timedelta(hours=9))


@pytest.mark.parametrize(
    ("moment", "due"),
    [
        ({"countdown": 60}, None),
        ({"countdown": 60.5}, 60.5),
        ({"countdown": 61}, 61),
        ({"countdown": -HOUR}, None),
        ({"countdown": 0}, None),
        ({"countdown": 0, "eta": MINUTE_LATER}, 61),
        # Celery prefers it, too.
        ({"countdown": 1, "eta": MINUTE_LATER}, None),
        ({"eta": START}, None),
        ({"eta": START - timedelta(days=1)}, None),
        ({"eta": MINUTE_LATER}, 61),
        ({"eta": MINUTE_LATER.astimezone(EAST)}, 61),
        ({"eta": MINUTE_LATER.replace(tzinfo=None)}, 61),
        ({"eta": MINUTE_LATER.isoformat()}, 61),
        ({"eta": MINUTE_LATER.replace(tzinfo=None).isoformat()}, 61),
        ({"eta": "2026-01-15T12:01:01Z"}, 61),
    ],
    ids=repr,
)
def test_a_call_is_kept_that_lies_further_away_than_the_setting(
    durable: TickerQ, moment: dict[str, Any], due: float | None
) -> None:
    add_of(durable).apply_async((1,), **moment)
    found = [(run.execution_time - START).total_seconds() for run in kept(durable)]
    assert found == ([] if due is None else [due])
    assert len(messages(durable)) == (1 if due is None else 0)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Asia/Tokyo"])
def test_a_naive_moment_is_what_a_worker_takes_it_for(make: Callable[..., TickerQ], zone: str) -> None:
    tickerq = make(durable_eta=60)
    tickerq.app.conf.timezone = zone
    add_of(tickerq).apply_async((1,), eta=MINUTE_LATER.replace(tzinfo=None))
    (run,) = kept(tickerq)
    assert run.execution_time == MINUTE_LATER


@pytest.mark.parametrize(
    "options",
    [
        {"countdown": "soon"},
        {"countdown": timedelta(hours=1)},
        {"countdown": 1e12},
        {"eta": 5},
        {"eta": [1]},
        {"countdown": HOUR, "expires": "never"},
        {"countdown": HOUR, "serializer": "none such"},
        {"countdown": HOUR, "compression": "none such"},
        {"countdown": HOUR, "link": 3},
    ],
    ids=repr,
)
def test_what_celery_refuses_is_refused_by_its_own_error(
    durable: TickerQ, options: dict[str, Any], namespace: str
) -> None:
    def outcome(app: Celery) -> tuple[type[BaseException] | None, str]:
        try:
            app.tasks["shop.add"].apply_async((1,), **options)
        except Exception as error:  # noqa: BLE001 - whatever Celery raises
            return type(error), str(error)
        return None, ""

    with Celery(namespace, broker="memory://", set_as_current=False) as plain:
        plain.conf.task_default_queue = f"{namespace}-plain"
        add_task(plain)
        of_celery = outcome(plain)
    assert outcome(durable.app) == of_celery
    if of_celery[0] is not None:
        assert kept(durable) == []
        assert messages(durable) == []


def test_arguments_that_the_serializer_refuses_are_celerys_own_error(durable: TickerQ) -> None:
    with pytest.raises(EncodeError):
        add_of(durable).apply_async((object(),), countdown=HOUR)
    assert (kept(durable), messages(durable)) == ([], [])


@pytest.mark.parametrize("name", ["celery.backend_cleanup", "celery.other", "tickerq.Send", "tickerq.other"])
def test_tasks_of_celery_and_of_this_package_are_left_alone(durable: TickerQ, name: str) -> None:
    durable.app.send_task(name, countdown=HOUR)
    (message,) = messages(durable)
    assert (message.headers["task"], message.headers["eta"] is None) == (name, False)
    assert kept(durable) == []


class Money:
    """What only pickle can send."""

    def __reduce__(self) -> tuple[Any, ...]:
        return Money, ()


NOT_KEPT: dict[str, tuple[dict[str, Any], str]] = {
    "an object under pickle": ({"args": (Money(),), "serializer": "pickle"}, "arguments are no JSON"),
    "a tuple under pickle": ({"args": ((1, 2),), "serializer": "pickle"}, "serializer is pickle"),
    "a set under pickle": ({"args": ({1},), "serializer": "pickle"}, "arguments are no JSON"),
    "keys under pickle": ({"args": ({1: 2},), "serializer": "pickle"}, "serializer is pickle"),
    "not a number": ({"args": (float("nan"),)}, "args cannot be kept as JSON"),
    "half of a character": ({"args": ("\ud800",)}, "args cannot be kept as JSON"),
    "a long id": ({"task_id": "x" * 256}, "task_id: at most 255 characters"),
    "an id with a line break": ({"task_id": "a\nb"}, "task_id: "),
    "a header": ({"headers": {"at": {1: 2}}}, "headers are not the same as JSON"),
    "a large one": ({"args": ("x" * 3000,)}, "payload_limit is 2000"),
}


@pytest.mark.parametrize(("options", "reason"), NOT_KEPT.values(), ids=NOT_KEPT.keys())
def test_what_cannot_be_kept_goes_celerys_way_with_one_warning(
    make: Callable[..., TickerQ], options: dict[str, Any], reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    tickerq = make(durable_eta=60, payload_limit=2000)
    for _ in range(3):
        add_of(tickerq).apply_async(countdown=HOUR, **options)
    (warning,) = warnings_of(caplog)
    assert reason in warning
    assert "shop.add" in warning
    assert kept(tickerq) == []
    sent = _received(tickerq)
    assert [message.headers["eta"] is None for message in sent] == [False] * 3
    assert [message.headers["id"] for message in sent] == [
        options.get("task_id", message.headers["id"]) for message in sent
    ]


def _received(tickerq: TickerQ) -> list[Any]:
    app: Any = tickerq.app
    found = []
    with app.connection_for_read() as connection, connection.channel() as channel:
        queue = app.amqp.queues[app.conf.task_default_queue](channel)
        while (message := queue.get(no_ack=True)) is not None:
            found.append(message)
    return found


def test_each_reason_and_each_task_is_warned_of_once(
    durable: TickerQ, caplog: pytest.LogCaptureFixture
) -> None:
    add = add_of(durable)
    for _ in range(2):
        add.apply_async((float("nan"),), countdown=HOUR)
        add.apply_async(task_id="x" * 256, countdown=HOUR)
        durable.app.send_task("shop.other", (float("nan"),), countdown=HOUR)
    assert len(warnings_of(caplog)) == 3


def test_what_cannot_be_kept_is_sent_under_the_id_that_receivers_saw_first(
    durable: TickerQ, receivers: SimpleNamespace
) -> None:
    result = add_of(durable).apply_async((float("nan"),), countdown=HOUR)
    assert (receivers.before, receivers.after) == ([result.id], [result.id])


@pytest.mark.parametrize(("options", "reason"), NOT_KEPT.values(), ids=NOT_KEPT.keys())
def test_all_around_a_publication_happens_once_for_what_cannot_be_kept(
    make: Callable[..., TickerQ], options: dict[str, Any], reason: str, receivers: SimpleNamespace,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    tickerq = make(durable_eta=60, payload_limit=2000)
    expected = []
    monkeypatch.setattr(
        tickerq.app.backend, "on_task_call", lambda producer, task_id: expected.append(task_id)
    )
    result = add_of(tickerq).apply_async(countdown=HOUR, **options)
    assert (receivers.before, receivers.after, expected) == ([result.id], [result.id], [result.id])
    (message,) = _received(tickerq)
    assert message.headers["trace"] == f"trace of {result.id}"


def test_the_event_of_what_cannot_be_kept_names_its_moment(durable: TickerQ) -> None:
    app: Any = durable.app
    app.conf.task_send_sent_event = True
    with app.connection_for_read() as connection, connection.channel() as channel:
        queue = app.events.Receiver(channel).queue(channel)
        queue.declare()
        result = add_of(durable).apply_async((float("nan"),), countdown=HOUR)
        sent = queue.get(no_ack=True).payload
        assert queue.get(no_ack=True) is None
    (message,) = _received(durable)
    assert (sent["type"], sent["uuid"]) == ("task-sent", result.id)
    assert sent["eta"] is not None
    assert sent["eta"] == message.headers["eta"]


def test_what_celery_sends_by_quorum_queues_is_left_to_it_whole(
    durable: TickerQ, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "tickerq_celery.broker.direct_call.detect_quorum_queues", lambda app, driver: (True, "main")
    )
    add_of(durable).apply_async((float("nan"),), countdown=HOUR)
    (message,) = _received(durable)
    assert message.headers["eta"] is not None


@pytest.mark.parametrize("by", ["connection", "producer", "publisher"])
def test_a_call_for_another_broker_goes_to_that(durable: TickerQ, by: str) -> None:
    with Celery("other", broker="memory://elsewhere//", set_as_current=False) as other:
        connection = other.connection_for_write()
        given = connection if by == "connection" else other.amqp.Producer(connection)
        add_of(durable).apply_async((1,), countdown=HOUR, **{by: given})
        connection.close()
    assert kept(durable) == []


@pytest.mark.parametrize("by", ["connection", "producer", "publisher"])
def test_a_call_by_a_connection_of_its_own_to_the_apps_broker_is_kept(durable: TickerQ, by: str) -> None:
    app: Any = durable.app
    with app.connection_for_write() as connection:
        given = connection if by == "connection" else app.amqp.Producer(connection)
        add_of(durable).apply_async((1,), countdown=HOUR, **{by: given})
        add_of(durable).apply_async((float("nan"),), countdown=HOUR, **{by: given})
    assert [run.function for run in kept(durable)] == ["shop.add"]
    assert len(_received(durable)) == 1


def test_a_store_without_tables_raises_what_an_unreachable_broker_does(
    namespace: str, clock: ManualClock, tmp_path: Path
) -> None:
    with ticker_app(f"sqlite:///{tmp_path}/empty.db", namespace, clock, durable_eta=60) as tickerq:
        add_task(tickerq.app)
        with pytest.raises(OperationalError, match="migrate"):
            add_of(tickerq).apply_async((1,), countdown=HOUR)
        assert messages(tickerq) == []


def test_where_the_store_does_not_take_it_celery_sends_it_under_its_id_if_so_set(
    namespace: str, clock: ManualClock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    url = f"sqlite:///{tmp_path}/empty.db"
    with ticker_app(url, namespace, clock, durable_eta=60, durable_eta_fallback="celery") as tickerq:
        add_task(tickerq.app)
        results = [add_of(tickerq).apply_async((1,), {"a": 2}, countdown=HOUR) for _ in range(2)]
        sent = _received(tickerq)
    assert [message.headers["id"] for message in sent] == [result.id for result in results]
    assert all(message.headers["eta"] is not None for message in sent)
    assert sent[0].decode()[:2] == [[1], {"a": 2}]
    # Of each: an operator must see which calls may be run twice.
    told = [record.getMessage() for record in caplog.records if "by Celery" in record.getMessage()]
    assert [result.id in text for result, text in zip(results, told, strict=True)] == [True, True]
    assert all("shop.add" in text and "migrate" in text for text in told)


@pytest.mark.parametrize("moment", ["before its commit", "on its way to the commit"])
def test_what_celery_sends_in_its_place_leaves_no_row(
    make: Callable[..., TickerQ], moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    tickerq = make(durable_eta=60, durable_eta_timeout=0.2, durable_eta_fallback="celery")
    goes_on = threading.Event()

    def hang(connection: Connection) -> None:
        if threading.current_thread().name == "tickerq-write" and not goes_on.is_set():
            goes_on.wait(60)

    hook = "begin" if moment == "before its commit" else "commit"
    event.listen(tickerq.core.database.engine, hook, hang)
    result = add_of(tickerq).apply_async((1,), countdown=HOUR)
    goes_on.set()
    (message,) = _received(tickerq)
    assert message.headers["id"] == result.id
    until = time.monotonic() + 60
    while "tickerq-write" in [each.name for each in threading.enumerate()]:
        assert time.monotonic() < until
        time.sleep(0.02)
    assert kept(tickerq) == []


@pytest.mark.parametrize("name", ["tickerq_lease", "tickerq_no_such"])
def test_a_setting_that_cannot_be_used_fails_no_call_where_durable_eta_is_off(name: str) -> None:
    with Celery("shop", broker="memory://", set_as_current=False) as app:
        add_task(app)
        app.conf[name] = -1
        TickerQ(app, "sqlite://")
        assert app.tasks["shop.add"].apply_async((1,), countdown=HOUR).id


@pytest.mark.parametrize("where", ["keyword", "conf"])
def test_a_setting_that_cannot_be_used_fails_calls_where_durable_eta_is_on(where: str) -> None:
    keywords: dict[str, Any] = {"durable_eta": 60} if where == "keyword" else {}
    with Celery("shop", broker="memory://", set_as_current=False) as app:
        add_task(app)
        app.conf.update(tickerq_lease=-1, **({} if keywords else {"tickerq_durable_eta": 60}))
        TickerQ(app, "sqlite://", **keywords)
        with pytest.raises(ConfigError, match="lease"):
            app.tasks["shop.add"].apply_async((1,), countdown=HOUR)


def test_no_argument_stands_in_the_warning(durable: TickerQ, caplog: pytest.LogCaptureFixture) -> None:
    add_of(durable).apply_async(("my secret", float("nan")), countdown=HOUR)
    (warning,) = warnings_of(caplog)
    assert "my secret" not in warning


def test_an_eager_app_runs_its_tasks_at_once_and_sends_by_name_what_it_always_did(
    durable: TickerQ, caplog: pytest.LogCaptureFixture, recwarn: pytest.WarningsRecorder
) -> None:
    durable.app.conf.task_always_eager = True
    assert add_of(durable).apply_async((1, 2), countdown=HOUR).get() == 2
    with pytest.warns(match="task_always_eager"):
        durable.app.send_task("shop.add", (1,), countdown=HOUR)
    (message,) = messages(durable)
    assert message.headers["eta"] is not None
    assert kept(durable) == []
    assert "task_always_eager is on" in warnings_of(caplog)[0]


def test_the_result_is_the_one_of_the_message(durable: TickerQ) -> None:
    result = add_of(durable).apply_async((1,), countdown=HOUR, task_id="order 17")
    assert isinstance(result, durable.app.AsyncResult)
    assert (result.id, result.ignored) == ("order 17", False)
    assert add_of(durable).apply_async((1,), countdown=HOUR, ignore_result=True).ignored is True


def test_a_call_in_a_body_is_a_child_of_its_task_unless_it_is_not_to_be(durable: TickerQ) -> None:
    outer = durable.app.tasks["shop.add"]
    outer.push_request(id="outer", called_directly=False, children=[], root_id="root", priority=1)
    _task_stack.push(outer)
    try:
        child = outer.apply_async((1,), countdown=HOUR)
        outer.apply_async((1,), countdown=HOUR, add_to_parent=False)
        assert outer.request.children == [child]
    finally:
        _task_stack.pop()
        outer.pop_request()
    sent = [call_in(run.stored_request).message for run in kept(durable)]
    assert len(sent) == 2
    assert {(each.headers["parent_id"], each.headers["root_id"]) for each in sent if each} == {
        ("outer", "root")
    }


@pytest.fixture
def receivers() -> Iterator[SimpleNamespace]:
    """Receivers of Celery's signals around a publication, as an error tracker connects them."""
    seen = SimpleNamespace(before=[], after=[])

    def before(headers: dict[str, Any], **_: Any) -> None:
        seen.before.append(headers["id"])
        headers["trace"] = f"trace of {headers['id']}"

    def after(headers: dict[str, Any], **_: Any) -> None:
        seen.after.append(headers["id"])

    signals.before_task_publish.connect(before)
    signals.after_task_publish.connect(after)
    yield seen
    signals.before_task_publish.disconnect(before)
    signals.after_task_publish.disconnect(after)


def test_receivers_see_the_call_once_and_what_they_add_reaches_the_worker(
    durable: TickerQ, receivers: SimpleNamespace, clock: ManualClock
) -> None:
    enrol_worker(durable)
    result = add_of(durable).apply_async((1,), countdown=HOUR)
    assert (receivers.before, receivers.after) == ([result.id], [result.id])
    clock.advance(hours=1)
    dispatch_due(durable)
    (message,) = messages(durable)
    assert message.headers["trace"] == f"trace of {result.id}"
    assert (receivers.before, receivers.after) == ([result.id], [result.id])


def test_the_event_of_a_message_is_sent_with_it(durable: TickerQ, clock: ManualClock) -> None:
    enrol_worker(durable)
    app: Any = durable.app
    app.conf.task_send_sent_event = True
    with app.connection_for_read() as connection, connection.channel() as channel:
        receiver = app.events.Receiver(channel)
        queue = receiver.queue(channel)
        queue.declare()
        result = add_of(durable).apply_async((1,), countdown=HOUR)
        assert queue.get(no_ack=True) is None
        clock.advance(hours=1)
        dispatch_due(durable)
        sent = queue.get(no_ack=True).payload
        assert queue.get(no_ack=True) is None
    (message,) = messages(durable)
    default = app.conf.task_default_queue
    assert (sent["type"], sent["uuid"], sent["name"]) == ("task-sent", result.id, "shop.add")
    assert (sent["queue"], sent["routing_key"], sent["exchange"]) == (default, default, "")
    names = ("root_id", "parent_id", "retries", "eta", "expires")
    assert {name: sent[name] for name in names} == {name: message.headers[name] for name in names}


def test_the_store_refusing_raises_what_an_unreachable_broker_does(
    durable: TickerQ, monkeypatch: pytest.MonkeyPatch, receivers: SimpleNamespace
) -> None:

    def refuse(*_: Any, **__: Any) -> None:
        raise StoreError("gone")

    monkeypatch.setattr("tickerq_celery.store.runs.runs.insert", refuse)
    with pytest.raises(OperationalError, match="gone"):
        add_of(durable).apply_async((1,), countdown=HOUR)
    assert receivers.after == []
    monkeypatch.undo()
    assert (kept(durable), messages(durable)) == ([], [])


def test_another_retry_that_is_not_followed_is_a_run_of_its_own_with_the_same_id(durable: TickerQ) -> None:
    add_of(durable).apply_async((1,), countdown=HOUR, task_id="one", retries=1)
    add_of(durable).apply_async((1,), countdown=HOUR, task_id="one", retries=2)
    assert sorted((run.task_id, run.retry_count) for run in kept(durable)) == [("one", 1), ("one", 2)]


def test_what_is_put_on_the_class_later_is_still_called(
    durable: TickerQ, monkeypatch: pytest.MonkeyPatch
) -> None:
    called = []
    own = Celery.send_task

    def traced(self: Celery, *args: Any, **options: Any) -> Any:
        called.append(args[0])
        return own(self, *args, **options)

    monkeypatch.setattr(Celery, "send_task", traced)
    add_of(durable).apply_async((1,), countdown=HOUR)
    add_of(durable).apply_async((1,))
    assert called == ["shop.add", "shop.add"]


def test_the_own_send_task_of_an_app_is_called(store_url: str, namespace: str) -> None:
    called = []
    app = Celery(namespace, broker="memory://", set_as_current=False)
    own = app.send_task

    def traced(*args: Any, **options: Any) -> Any:
        called.append(args[0])
        return own(*args, **options)

    app.send_task = traced
    tickerq = TickerQ(app, store_url, durable_eta=60)
    app.send_task("shop.add", countdown=HOUR)
    assert called == ["shop.add"]
    assert [run.function for run in kept(tickerq)] == ["shop.add"]
    tickerq.close()


def test_a_message_without_headers_cannot_be_kept(durable: TickerQ, caplog: pytest.LogCaptureFixture) -> None:
    durable.app.conf.task_protocol = 1
    add_of(durable).apply_async((1,), countdown=HOUR)
    assert "task_protocol 1" in warnings_of(caplog)[0]
    assert (len(_received(durable)), kept(durable)) == (1, [])


def test_a_result_backend_is_asked_once_to_expect_the_result(
    durable: TickerQ, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = []
    monkeypatch.setattr(
        durable.app.backend, "on_task_call", lambda producer, task_id: expected.append(task_id)
    )
    result = add_of(durable).apply_async((1,), countdown=HOUR)
    add_of(durable).apply_async((1,), countdown=HOUR, ignore_result=True)
    assert expected == [result.id]


def test_a_backend_that_receives_replies_by_the_broker_declares_their_queue(
    store_url: str, namespace: str
) -> None:
    app: Any = Celery(namespace, broker="memory://", backend="rpc://", set_as_current=False)
    add_task(app)
    tickerq = TickerQ(app, store_url, namespace=namespace, durable_eta=60)
    app.tasks["shop.add"].apply_async((1,), countdown=HOUR)
    with app.connection_for_read() as connection, connection.channel() as channel:
        assert app.backend.binding(channel).queue_declare(passive=True).queue == app.thread_oid
    (run,) = tickerq.runs.find()
    sent = call_in(run.stored_request).message
    assert sent is not None
    assert sent.properties["reply_to"] == app.thread_oid
    tickerq.close()
    app.close()


@pytest.mark.parametrize("kind", ["postgres", pytest.param("mariadb", marks=pytest.mark.verify)])
def test_a_store_that_hangs_or_is_down_keeps_no_call_waiting_and_leaves_nothing(
    kind: str,
    start_server: Callable[[str], Server],
    namespace: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    server = start_server(kind)
    url = server.new_database()
    make_schema(url)
    with ticker_app(url, namespace, durable_eta=60) as tickerq:
        add_task(tickerq.app)
        first = add_of(tickerq).apply_async((1,), countdown=HOUR)
        monkeypatch.undo()
        tickerq._process.rebuild(tickerq.core)
        server.freeze()
        with pytest.raises(OperationalError, match="longer than 1 s"):
            add_of(tickerq).apply_async((2,), countdown=HOUR)
        tickerq.app.control.revoke(first.id)
        # By the limits of these settings, while it hung.
        assert re.search(
            r"may not be revoked .*((longer than|no connection in) \d s|timeout expired)", caplog.text
        )
        server.thaw()
        server.stop()
        with pytest.raises(OperationalError):
            add_of(tickerq).apply_async((3,), countdown=HOUR)
        server.start()
        assert [run.task_id for run in kept(tickerq)] == [first.id]
        assert messages(tickerq) == []
