"""What a ticker of a Celery task asks for: its call as JSON, its columns, and what only functions have."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from tickerq_celery import CronTicker, TickerPriority, TimeTicker
from tickerq_celery.broker.plain_json import plain, revived_call
from tickerq_celery.enums import OnLost, TickerKind
from tickerq_celery.errors import TickerValidationError
from tickerq_celery.payload.celery_call import CeleryCall
from tickerq_celery.payload.codec import NO_REQUEST
from tickerq_celery.tickers.kind_fields import OF_FUNCTIONS, OF_TASKS
from tickerq_celery.tickers.task_work import TaskWork, checked_task_work
from tickerq_celery.tickers.work import FunctionDefaults, WorkPlan

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
QUEUES = {TickerPriority.HIGH: "urgent"}
FUNCTIONS_OWN = {
    "request": {"token": "4111"}, "retries": 0, "retry_intervals": [60], "timeout": 30, "hard_timeout": 90,
    "concurrency_key": "eu",
}  # fmt: skip


def checked(ticker: TimeTicker | CronTicker) -> TaskWork:
    return checked_task_work(ticker, namespace="shop", priority_queues=QUEUES, plain=plain)


def called(**fields: Any) -> TaskWork:
    return checked(TimeTicker(task="shop.add", **fields))


def refused(**fields: Any) -> TickerValidationError:
    with pytest.raises(TickerValidationError) as caught:
        called(**fields)
    return caught.value


def test_the_columns_are_those_of_a_call_and_no_functions() -> None:
    work = called(args=[2], priority="low", tags=["eu"], description="sum", on_lost="retry").work
    assert (work.namespace, work.function, work.kind) == ("shop", "shop.add", TickerKind.CELERY_TASK)
    assert (work.priority, work.tags, work.description) == (TickerPriority.LOW, ("eu",), "sum")
    assert (work.on_lost, work.task_id, work.queue) == (OnLost.RETRY, None, None)
    assert (work.retries, work.retry_intervals, work.timeout, work.concurrency_key) == (0, (), None, None)


def test_a_lost_call_fails_unless_the_ticker_says_otherwise() -> None:
    assert called().work.on_lost is OnLost.FAIL


VALUES = [
    NOON, date(2026, 5, 1), UUID(int=7), Decimal("2.50"), b"caf\xc3\xa9", b"\xff\x00", None, True, 2, 2.5,
    "é\n", [1, [NOON]], {"at": {"until": NOON}},
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_what_celerys_json_keeps_comes_back_as_what_it_was(value: object) -> None:
    call = called(args=[value], kwargs={"value": value}, options={"headers": {"value": value}}).call
    kept = CeleryCall.decoded(call.encoded())
    assert kept == call
    again = revived_call(kept)
    assert (again.args, again.kwargs) == ((value,), {"value": value})
    assert again.options == {"headers": {"value": value}}
    # What was kept can be passed again.
    assert called(args=call.args, kwargs=call.kwargs, options=call.options).call == call


class Order:
    def __repr__(self) -> str:
        return "order 7"


class Unwilling(Order):
    def __json__(self) -> object:
        raise LookupError("no JSON today")


UNKEPT = [{1, 2}, Order(), float("nan"), float("inf"), "\ud800", {(1, 2): 3}, Unwilling(), [[Order()]]]


@pytest.mark.parametrize("value", UNKEPT, ids=repr)
def test_what_celerys_json_does_not_keep_is_refused_by_the_name_of_the_field(value: object) -> None:
    error = refused(args=[1, value], kwargs={"to": value, "on": 3}, options={"shadow": value})
    fields = [each.field for each in (error, *error.others)]
    assert fields == ["args[1]", "kwargs.to", "options.shadow"]
    assert error.reason.startswith("Celery's JSON does not keep it: ")


def test_what_no_worker_could_read_is_refused() -> None:
    value = {"__type__": "order", "__value__": 7}
    assert refused(args=[value]).field == "args[0]"


def test_an_error_shows_no_value_whose_name_may_be_a_secrets() -> None:
    assert "4111" not in str(refused(kwargs={"token": {"4111"}}))
    assert "4111" not in str(refused(kwargs={"card": {"token": "4111", "of": Order()}}))
    assert "4111" not in refused(args=[{"__type__": "order", "__value__": "4111"}]).reason


def test_one_error_names_all_fields() -> None:
    error = refused(
        args="ab",
        kwargs={1: 2},
        options=[3],
        priority="hihg",
        tags="eu",
        on_lost="ignore",
        queue="",
        retries=3,
    )
    assert [each.field for each in (error, *error.others)] == [
        "retries", "priority", "tags", "on_lost", "args", "kwargs", "options", "queue",
    ]  # fmt: skip


def test_what_only_functions_have_is_refused_with_what_tasks_have_instead() -> None:
    assert FUNCTIONS_OWN.keys() == OF_FUNCTIONS.keys()
    error = refused(**FUNCTIONS_OWN)
    found = {each.field: each.reason for each in (error, *error.others)}
    assert found == OF_FUNCTIONS
    assert "4111" not in str(error)


def test_what_only_tasks_have_is_refused_of_a_function() -> None:
    given = {"args": [2], "kwargs": {"token": "4111"}, "options": {"queue": "q"}, "on_lost": "retry"}
    assert given.keys() == OF_TASKS.keys()
    with pytest.raises(TickerValidationError) as caught:
        WorkPlan(function="Send", namespace="shop", defaults=FunctionDefaults()).work_of(
            TimeTicker("Send", **given),  # type: ignore[arg-type]
            NO_REQUEST,
        )
    assert {each.field: each.reason for each in (caught.value, *caught.value.others)} == OF_TASKS
    assert "4111" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"countdown": 60}, "delay="),
        ({"eta": NOON}, "execution_time="),
        ({"args": [1]}, "pass args="),
        ({"kwargs": {}}, "pass kwargs="),
        ({"headers": "team=ops"}, "a dict whose keys are str"),
        ({"task_id": "x" * 256}, "at most 255 characters"),
        ({"task_id": 7}, "pass a str"),
    ],
    ids=str,
)
def test_an_option_that_the_ticker_decides_is_refused(options: dict[str, Any], reason: str) -> None:
    error = refused(options=options)
    (name,) = options
    assert error.field == f"options.{name}"
    assert reason in error.reason


OF_A_PROCESS = ["connection", "producer", "publisher", "router", "result_cls", "task_type"]


def test_an_option_that_only_a_process_can_use_is_refused_and_not_shown() -> None:
    error = refused(options=dict.fromkeys(OF_A_PROCESS, "amqp://shop:t0p@broker//"))
    assert [each.field for each in (error, *error.others)] == [f"options.{name}" for name in OF_A_PROCESS]
    assert "t0p" not in str(error) + repr([each.value for each in (error, *error.others)])


EXPIRIES = [1, 0.5, 86_400 * 60, NOON, NOON.replace(tzinfo=None), "2026-05-01T12:00:00Z", None]


@pytest.mark.parametrize("expires", EXPIRIES, ids=repr)
def test_an_expiry_is_seconds_or_a_moment(expires: object) -> None:
    call = called(options={"expires": expires}).call
    # What was kept is checked again when something beside it is changed.
    assert called(options=call.options).call == call


NO_EXPIRIES = [
    "garbage", "", "60", True, 0, -1, float("nan"), float("inf"), 1e12, [60], {"minutes": 5}, b"60",
    timedelta(minutes=1), date(2026, 5, 1),
]  # fmt: skip


@pytest.mark.parametrize("expires", NO_EXPIRIES, ids=repr)
def test_an_expiry_that_no_message_can_have_is_refused(expires: object) -> None:
    error = refused(options={"expires": expires})
    assert error.field == "options.expires"
    assert "JSON" not in error.reason


def test_an_option_that_is_none_says_nothing() -> None:
    assert called(options={"countdown": None, "eta": None, "task_id": None, "queue": None}).work.queue is None


def test_the_queue_and_the_id_of_the_options_are_the_columns() -> None:
    for fields in (
        {"options": {"queue": "sums", "task_id": "a" * 255, "expires": 60}},
        {"options": {"queue": "sums", "task_id": "a" * 255, "expires": 60}, "queue": "sums"},
        {"options": {"task_id": "a" * 255, "expires": 60}, "queue": "sums"},
    ):
        found = called(**fields)
        assert (found.work.queue, found.work.task_id) == ("sums", "a" * 255)
        assert found.call.options == {"expires": 60}


def test_two_queues_are_refused() -> None:
    error = refused(options={"queue": "sums"}, queue="other")
    assert (error.field, error.value) == ("queue", "other")
    assert "'sums'" in error.reason


def test_a_priority_that_is_given_has_the_queue_of_the_setting() -> None:
    assert called(priority="high").work.queue == "urgent"
    assert called(priority="high", queue="sums").work.queue == "sums"
    assert called(priority="low").work.queue is None
    normal = {TickerPriority.NORMAL: "middle"}
    ticker = TimeTicker(task="shop.add")
    # The router decides about the calls of tasks that say nothing, as it does without us.
    found = checked_task_work(ticker, namespace="shop", priority_queues=normal, plain=plain)
    assert found.work.queue is None


@pytest.mark.parametrize(
    ("task", "reason"),
    [
        (3, "pass a Celery task, its name, or a signature"),
        ("", "non-empty"),
        (" shop.add", "whitespace"),
        ("shop\nadd", "control characters"),
        ("x" * 201, "at most 200 characters"),
        ("tickerq.Send", "of a ticker function: pass function="),
        ("celery.chain", "a canvas is more than one task"),
    ],
)
def test_a_name_that_is_no_tasks_is_refused(task: Any, reason: str) -> None:
    with pytest.raises(TickerValidationError, match=reason) as caught:
        checked(TimeTicker(task=task))
    assert caught.value.field == "task"


def test_a_cron_ticker_of_a_task_is_checked_alike() -> None:
    found = checked(CronTicker(task="shop.add", args=(NOON,), expression="@daily", on_lost=OnLost.RETRY))
    assert (found.work.on_lost, revived_call(found.call).args) == (OnLost.RETRY, (NOON,))
    with pytest.raises(TickerValidationError, match=r"timeout: a Celery task's own options rule"):
        checked(CronTicker(task="shop.add", every=timedelta(hours=1), timeout=30))
