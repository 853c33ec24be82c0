"""What names a Celery task, taken by its shape; and what is no task, refused in words."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from celery import Celery, chain, chord, group, shared_task

from tickerq_celery import CronTicker, TickerQ, TimeTicker
from tickerq_celery.errors import CallError, TickerValidationError, UnknownKeywordError
from tickerq_celery.tickers.call import columns_meant, with_names
from tickerq_celery.tickers.celery_task import checked_task


@pytest.fixture(scope="module")
def app() -> Iterator[Celery]:
    with Celery("naming", broker="memory://", set_as_current=False) as made:
        yield made


@pytest.fixture(scope="module")
def add(app: Celery) -> Any:
    @app.task(name="shop.add", shared=False)
    def add(first: int, second: int = 0) -> int:
        return first + second

    return add


@pytest.fixture(scope="module")
def send(app: Celery) -> Any:
    @TickerQ(app, "sqlite://").function("Send")
    def send(user_id: int) -> None: ...

    return send


@pytest.mark.parametrize("kind", [TimeTicker, CronTicker])
def test_a_name_a_task_and_a_signature_name_the_task(add: Any, kind: type[TimeTicker | CronTicker]) -> None:
    for task in ("shop.add", add, add.s(), add.si(), dict(add.s())):
        ticker = kind(task=task)
        assert (ticker.task, ticker.function) == ("shop.add", None)
        assert (ticker.args, ticker.kwargs, ticker.options) == ((), {}, {})


def test_a_task_that_is_made_when_it_is_first_used_names_itself(app: Celery) -> None:
    @app.task(name="shop.lazy", lazy=True, shared=False)
    def lazy() -> None: ...

    @shared_task(name="shop.shared")
    def shared() -> None: ...

    assert TimeTicker(task=lazy).task == "shop.lazy"
    with app.set_current() or app:
        assert TimeTicker(task=shared).task == "shop.shared"


def test_a_signature_brings_its_arguments_and_options(add: Any) -> None:
    for signature in (
        add.s(2, second=3).set(queue="sums", priority=4),
        add.si(2, second=3).set(queue="sums", priority=4),
        add.signature((2,), {"second": 3}, queue="sums", priority=4),
    ):
        ticker = TimeTicker(task=signature)
        assert (ticker.args, ticker.kwargs) == ((2,), {"second": 3})
        assert ticker.options == {"queue": "sums", "priority": 4}


@pytest.mark.parametrize("given", [{"args": [2]}, {"kwargs": {"second": 3}}, {"options": {"queue": "sums"}}])
def test_what_stands_beside_a_signature_is_refused(add: Any, given: dict[str, Any]) -> None:
    (name,) = given
    for call in (lambda: TimeTicker(task=add.s(2), **given), lambda: with_names({"task": add.s(2), **given})):
        with pytest.raises(TickerValidationError, match=f"^{name}: the signature brings it") as caught:
            call()
        assert (caught.value.field, caught.value.value) == (name, given[name])


CANVAS: dict[str, Callable[[Any], object]] = {
    "chain": lambda add: chain(add.s(1), add.s(2)),
    "chain by a pipe": lambda add: add.s(1) | add.s(2),
    "group": lambda add: group(add.s(1), add.s(2)),
    "chord": lambda add: chord([add.s(1), add.s(2)], add.si(3)),
    "chain that JSON kept": lambda add: dict(chain(add.s(1), add.s(2))),
}


@pytest.mark.parametrize("canvas", CANVAS.values(), ids=CANVAS)
def test_a_canvas_is_refused_with_what_to_do_instead(add: Any, canvas: Callable[[Any], object]) -> None:
    with pytest.raises(TickerValidationError, match=r"task: a canvas is more than one task.*children=.*eta"):
        TimeTicker(task=canvas(add))
    with pytest.raises(TickerValidationError, match="function: it is a Celery task"):
        TimeTicker(canvas(add))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["map", "starmap", "chunks"])
def test_one_task_for_many_calls_is_refused_with_what_to_do_instead(add: Any, name: str) -> None:
    many = {"map": add.map([1]), "starmap": add.starmap([(1, 2)]), "chunks": add.chunks([(1, 2)], 1)}[name]
    for task in (many, dict(many), f"celery.{name}"):
        reason = r"task: it calls a task for each of many.*durable_eta does not keep it.*add_batch"
        with pytest.raises(TickerValidationError, match=reason):
            checked_task(TimeTicker(task=task).task)


def test_a_task_as_a_function_is_refused_with_the_field_that_it_belongs_to(add: Any) -> None:
    for task in (add, add.s(2), dict(add.s(2))):
        for call in (lambda task=task: TimeTicker(task), lambda task=task: with_names({"function": task})):
            with pytest.raises(
                TickerValidationError, match="function: it is a Celery task: pass task= "
            ) as no:
                call()
            assert no.value.value == "shop.add"


def test_a_function_as_a_task_is_refused_with_the_field_that_it_belongs_to(send: Any) -> None:
    for function in (send, send.s(user_id=3)):
        with pytest.raises(TickerValidationError, match="task: it is of a ticker function: pass function="):
            TimeTicker(task=function)


def test_a_ticker_has_a_function_or_a_task(add: Any) -> None:
    with pytest.raises(TickerValidationError, match="task: pass function or task, not both"):
        TimeTicker("Send", task=add)
    with pytest.raises(CallError, match="pass a ticker function, or a Celery task as task="):
        TimeTicker()
    with pytest.raises(TickerValidationError, match="pass function or task, not both"):
        replace(TimeTicker(task=add), function="Send")


@pytest.mark.parametrize("what", [{"name": "shop.add"}, {}])
def test_a_dict_that_is_no_signature_is_refused(what: dict[str, str]) -> None:
    with pytest.raises(TickerValidationError, match="task: pass a Celery task, its name, or a signature"):
        TimeTicker(task=what)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["max_concurrency", "max_concurrency_per_key", "rate_limit"])
def test_a_limit_of_functions_is_refused_with_that_of_tasks(name: str) -> None:
    with pytest.raises(UnknownKeywordError, match=rf"^{name}: .*own rate_limit.*concurrency of the workers"):
        TimeTicker(task="shop.add", **{name: 3})  # type: ignore[arg-type]


def test_a_ticker_of_a_task_has_a_hash_and_shows_no_argument(add: Any) -> None:
    ticker = TimeTicker(task=add.s("4111").set(headers={"card": "4111"}))
    assert hash(ticker) == hash(replace(ticker))
    assert "4111" not in repr(ticker)
    assert "shop.add" in repr(ticker)


def test_what_a_caller_does_to_a_signature_later_changes_no_ticker(add: Any) -> None:
    signature = add.s(2, second=3)
    ticker = TimeTicker(task=signature)
    signature.kwargs["second"] = 4
    signature.set(queue="sums")
    assert (ticker.kwargs, ticker.options) == ({"second": 3}, {})


def test_changes_by_a_signature_are_of_all_that_it_brings(add: Any) -> None:
    assert with_names({"task": add.s(2).set(queue="sums"), "tags": ["eu"]}) == {
        "task": "shop.add", "args": (2,), "kwargs": {}, "options": {"queue": "sums"}, "tags": ["eu"],
    }  # fmt: skip
    assert with_names({"task": add}) == {"task": "shop.add"}


def test_changes_are_of_the_columns_that_hold_them() -> None:
    assert columns_meant({"task": "shop.add", "tags": []}) == {"function", "tags"}
    assert columns_meant({"args": [2]}) == {"request", "encoding"}
    assert columns_meant({"options": {"queue": "sums", "task_id": "7"}}) == {
        "request", "encoding", "queue", "task_id",
    }  # fmt: skip
