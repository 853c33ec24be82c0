"""What the app's own task class gets to do around functions: Flask's keeps an application context open."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from contextvars import ContextVar
from typing import Any, ClassVar

import flask
import pytest
from celery import Task, current_task
from celery.exceptions import Ignore

from tests.integration.apps import (
    add_run,
    change_row,
    deliver,
    dispatch_due,
    execute,
    failing,
    messages,
    row_of,
    ticker_app,
)
from tests.manual_clock import START, ManualClock
from tests.tables import tickers
from tickerq_celery import TickerContext, TickerQ, TickerStatus, TimeTicker
from tickerq_celery.task import TickerTask

pytestmark = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
LABEL: ContextVar[str] = ContextVar("LABEL", default="none")


class Noting(Task):  # type: ignore[type-arg]  # Celery 5.6 cannot subscript it
    """Notes what it is called for; its options would each give a run another attempt, or lose one."""

    seen: ClassVar[list[str]] = []
    autoretry_for = (OSError,)
    max_retries = 7
    acks_late = True
    reject_on_worker_lost = True
    ignore_result = False
    Request = "no.such:Request"

    def before_start(self, task_id: str, args: Any, kwargs: Any) -> None:
        self.seen.append(f"before_start {args} {kwargs}")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.seen.append("call")
        token = LABEL.set("of the class")
        try:
            return super().__call__(*args, **kwargs)
        finally:
            LABEL.reset(token)
            self.seen.append("called")

    def on_success(self, retval: Any, task_id: str, args: Any, kwargs: Any) -> None:
        self.seen.append(f"on_success {retval}")

    def on_retry(self, exc: Exception, task_id: str, args: Any, kwargs: Any, einfo: Any) -> None:
        self.seen.append(f"on_retry {exc!r}")

    def on_failure(self, exc: Exception, task_id: str, args: Any, kwargs: Any, einfo: Any) -> None:
        self.seen.append(f"on_failure {exc!r}")

    def after_return(
        self, status: str, retval: Any, task_id: str, args: Any, kwargs: Any, einfo: Any
    ) -> None:
        self.seen.append(f"after_return {status} {retval!r}")


CALLED = ["before_start () {}", "call", "called"]


OfClass = Callable[[type[Any]], TickerQ]


@pytest.fixture
def of_class(store_url: str, namespace: str, clock: ManualClock) -> Iterator[OfClass]:
    """Return a way to make the test's TickerQ, of an app with a task class."""
    Noting.seen.clear()
    with ExitStack() as stack:
        yield lambda own: stack.enter_context(ticker_app(store_url, namespace, clock, task_cls=own))


@pytest.mark.parametrize("is_async", [False, True])
def test_flasks_task_class_runs_functions_in_the_application_context(
    of_class: OfClass, is_async: bool
) -> None:
    web = flask.Flask("shop")
    seen: list[str] = []

    class FlaskTask(Task):  # type: ignore[type-arg]  # Celery 5.6 cannot subscript it
        def __call__(self, *args: object, **kwargs: object) -> object:
            with web.app_context():
                return self.run(*args, **kwargs)

    def body() -> None:
        seen.append(flask.current_app.name)

    async def in_a_loop() -> None:
        body()

    tickerq = of_class(FlaskTask)
    run = add_run(tickerq, in_a_loop if is_async else body)
    execute(tickerq)
    assert (tickerq.runs.get(run.id).status, seen) == (TickerStatus.DONE, ["shop"])


@pytest.mark.parametrize("is_async", [False, True])
def test_a_success_is_reported_to_the_class_with_what_the_function_returned(
    of_class: OfClass, is_async: bool
) -> None:
    tickerq = of_class(Noting)

    def body() -> str:
        Noting.seen.append(LABEL.get())
        return f"run {current_task.request.id}"

    async def in_a_loop() -> str:
        Noting.seen.append(LABEL.get())
        return "run"

    run = add_run(tickerq, in_a_loop if is_async else body)
    (result,) = execute(tickerq)
    returned = "run" if is_async else f"run {run.id}:1"
    assert Noting.seen == [
        "before_start () {}", "call", "of the class", "called",
        f"on_success {returned}", f"after_return SUCCESS {returned!r}",
    ]  # fmt: skip
    # What a worker's log and Celery's events show.
    assert (result.state, result.result) == ("SUCCESS", None)


def test_a_failure_is_reported_as_a_retry_while_one_is_left(of_class: OfClass, clock: ManualClock) -> None:
    tickerq = of_class(Noting)
    run = add_run(tickerq, failing(OSError("no route")), retries=1, retry_intervals=[0])
    for _ in range(2):
        execute(tickerq)
        dispatch_due(tickerq)
    error = "OSError('no route')"
    first = [*CALLED, f"on_retry {error}"]
    assert Noting.seen == [*first, *CALLED, f"on_failure {error}", f"after_return FAILURE {error}"]
    assert [each.status for each in tickerq.runs.get(run.id).attempts] == [TickerStatus.FAILED] * 2


def test_a_message_that_starts_nothing_does_not_reach_the_class(of_class: OfClass) -> None:
    tickerq = of_class(Noting)
    add_run(tickerq, lambda: None)
    (message,) = messages(tickerq)
    deliver(tickerq, message)
    Noting.seen.clear()
    assert deliver(tickerq, message).state == "IGNORED"
    assert tickerq.app.tasks["tickerq.Body"].apply().state == "IGNORED"
    assert Noting.seen == []


def test_an_attempt_that_was_superseded_is_no_success_of_the_class(of_class: OfClass) -> None:
    tickerq = of_class(Noting)

    def body(context: TickerContext[None]) -> None:
        change_row(tickerq, context.id, claim_no=tickers.c.claim_no + 1)

    add_run(tickerq, body)
    execute(tickerq)
    assert Noting.seen == CALLED


def test_the_class_asks_for_no_further_attempt_and_for_no_redelivery(of_class: OfClass) -> None:
    tickerq = of_class(Noting)
    run = add_run(tickerq, failing(OSError("no route")))
    assert [result.state for result in execute(tickerq)] == ["FAILURE"]
    assert len(tickerq.runs.get(run.id).attempts) == 1
    for name in ("tickerq.Body", "tickerq.lost_attempt"):
        task = tickerq.app.tasks[name]
        assert isinstance(task, Noting)
        assert (task.acks_late, task.reject_on_worker_lost, task.ignore_result) == (False, False, True)
    assert tickerq.app.tasks["tickerq.Body"].Request == TickerTask.Request


def test_what_a_call_of_the_class_returns_or_raises_is_the_outcome(of_class: OfClass) -> None:
    class Judging(Task):  # type: ignore[type-arg]  # Celery 5.6 cannot subscript it
        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            try:
                return self.run(*args, **kwargs)
            except LookupError:
                return "swallowed"
            except OSError as error:
                raise self.retry(exc=error, countdown=7) from error
            except ValueError as error:
                raise Ignore("not worth it") from error

    tickerq = of_class(Judging)
    errors: dict[str, Exception] = {"a": LookupError(), "b": OSError("no route"), "c": ValueError()}

    def body(request: str) -> None:
        raise errors[request]

    first = add_run(tickerq, body, request="a", retries=1)
    others = [tickerq.time_tickers.add(TimeTicker(function="Body", request=key, retries=1)) for key in "bc"]
    execute(tickerq)
    swallowed, retried, ignored = (row_of(tickerq, run.id) for run in (first, *others))
    assert swallowed.status is TickerStatus.DONE
    assert (retried.status, retried.exception_type, (retried.due_at - START).total_seconds()) == (
        TickerStatus.IDLE, "OSError", 7,
    )  # fmt: skip
    assert (ignored.status, ignored.skipped_reason) == (TickerStatus.SKIPPED, "not worth it")


def test_a_start_that_the_class_refuses_is_a_failed_attempt(of_class: OfClass) -> None:
    calls: list[int] = []

    class Refusing(Task):  # type: ignore[type-arg]  # Celery 5.6 cannot subscript it
        def before_start(self, task_id: str, args: Any, kwargs: Any) -> None:
            raise OSError("no database")

    tickerq = of_class(Refusing)
    run = add_run(tickerq, lambda: calls.append(1))
    execute(tickerq)
    failed = tickerq.runs.get(run.id)
    assert (failed.status, failed.exception_message, calls) == (TickerStatus.FAILED, "no database", [])
