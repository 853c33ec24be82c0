"""How Celery tasks end in a test: recorded as by a worker, and retried by the test's clock."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from celery import Celery
from celery.exceptions import Ignore

from tickerq_celery import TickerQ, TickerStatus
from tickerq_celery.testing import TickerQTest

START = datetime(2027, 3, 1, 8, tzinfo=UTC)


class Tasks:
    """Some tasks of an application, and what they were called with."""

    def __init__(self, app: Celery) -> None:
        self.called: list[Any] = []

        @app.task(name="shop.add", shared=False)
        def add(x: int, y: int) -> int:
            self.called.append((x, y))
            return x + y

        @app.task(name="shop.charge", bind=True, max_retries=2, shared=False)
        def charge(task: Any, invoice: int, *, fails: int) -> None:
            self.called.append((invoice, task.request.retries))
            if task.request.retries < fails:
                raise task.retry(countdown=60, exc=ConnectionError("the bank is away"))

        @app.task(name="shop.ignore", shared=False)
        def ignore() -> None:
            raise Ignore("nothing to do")

        self.add, self.charge, self.ignore = add, charge, ignore


@pytest.fixture
def tasks(shop: TickerQ) -> Tasks:
    return Tasks(shop.app)


def test_a_task_is_executed_and_its_end_recorded(tasks: Tasks, tickerq: TickerQTest) -> None:
    added = tickerq.own.schedule(tasks.add.s(2, 3))
    ignored = tickerq.own.schedule(tasks.ignore)
    failed = tickerq.own.schedule(tasks.add.s(1, "x"))
    runs = {run.id: run for run in tickerq.run_due()}
    assert [runs[each.id].status for each in (added, ignored, failed)] == [
        TickerStatus.DONE,
        TickerStatus.SKIPPED,
        TickerStatus.FAILED,
    ]
    assert all(run.outcome_known and len(run.attempts) == 1 for run in runs.values())
    assert runs[failed.id].exception_type == "TypeError"
    assert tasks.called == [(2, 3), (1, "x")]


def test_a_retry_waits_for_the_clock_and_is_an_attempt(tasks: Tasks, tickerq: TickerQTest) -> None:
    tickerq.clock.set(START)
    scheduled = tickerq.own.schedule(tasks.charge.s(7, fails=2))
    [run] = tickerq.run_due()
    assert (run.is_published, run.retry_count, run.exception_type) == (True, 1, "ConnectionError")
    tickerq.clock.advance(seconds=59)
    assert tickerq.run_due() == []
    tickerq.clock.advance(minutes=2)
    [run] = tickerq.run_due()
    assert (run.id, run.status, run.retry_count) == (scheduled.id, TickerStatus.DONE, 2)
    assert [each.retries for each in run.attempts] == [0, 1, 2]
    assert [each.started_at for each in run.attempts] == [START + timedelta(minutes=n) for n in range(3)]
    assert tasks.called == [(7, 0), (7, 1), (7, 2)]


def test_a_task_that_has_used_up_its_retries_fails(tasks: Tasks, tickerq: TickerQTest) -> None:
    tickerq.own.schedule(tasks.charge.s(7, fails=9))
    for _ in range(3):
        [run] = tickerq.run_due()
        tickerq.clock.advance(minutes=1)
    assert (run.status, len(run.attempts)) == (TickerStatus.FAILED, 3)
    assert tickerq.run_due() == []


def test_a_task_that_is_not_imported_is_published_and_no_more(tickerq: TickerQTest) -> None:
    tickerq.own.schedule("elsewhere.add", args=(2, 3), allow_unknown=True)
    [run] = tickerq.run_due()
    assert (run.status, run.is_published, run.attempts) == (TickerStatus.DONE, True, ())


def test_what_is_to_end_the_test_ends_it_and_the_attempt(shop: TickerQ, tickerq: TickerQTest) -> None:
    @shop.app.task(name="shop.stop", shared=False)
    def stop() -> None:
        raise SystemExit(3)

    scheduled = tickerq.own.schedule(stop)
    with pytest.raises(SystemExit):
        tickerq.run_due()
    assert tickerq.runs.get(scheduled.id).status is TickerStatus.FAILED


def test_an_eager_app_executes_a_task_at_once_and_its_retry_later(
    shop: TickerQ, tasks: Tasks, request: pytest.FixtureRequest
) -> None:
    shop.app.conf.task_always_eager = True
    tickerq: TickerQTest = request.getfixturevalue("tickerq")
    tickerq.own.schedule(tasks.charge.s(7, fails=1))
    assert tasks.called == [(7, 0)]
    tickerq.clock.advance(minutes=1)
    [run] = tickerq.run_due()
    assert (run.status, tasks.called) == (TickerStatus.DONE, [(7, 0), (7, 1)])
