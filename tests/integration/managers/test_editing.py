"""Retry, clone, run now: what a person may do with a run, on each database."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests.inner import new_id
from tests.integration.apps import (
    add_run,
    dispatch_due,
    enrol_worker,
    execute,
    failing,
    published,
    row_of,
    ticker_app,
)
from tests.integration.making import at_once
from tests.integration.reaching import reach
from tests.manual_clock import START, ManualClock
from tickerq_celery import CronTicker, RunCondition, TickerContext, TickerQ, TickerStatus, TimeTicker
from tickerq_celery.errors import (
    DuplicateTickerError,
    TickerNotFoundError,
    TickerStateError,
    TickerValidationError,
)

HOUR = timedelta(hours=1)
Status = TickerStatus


@pytest.fixture
def tickerq(store_url: str, namespace: str, clock: ManualClock) -> Iterator[TickerQ]:
    with ticker_app(store_url, namespace, clock) as made:
        yield made


def test_a_retried_run_starts_at_once_keeps_its_attempts_and_has_all_its_retries(tickerq: TickerQ) -> None:
    run = add_run(tickerq, failing(OSError("unreachable")), retries=1, retry_intervals=[0])
    execute(tickerq)
    dispatch_due(tickerq)
    execute(tickerq)
    assert tickerq.runs.get(run.id).status is Status.FAILED

    again = tickerq.time_tickers.retry(run.id)
    assert (again.status, again.ended_at, again.retry_count) == (Status.QUEUED, None, 0)
    execute(tickerq)
    dispatch_due(tickerq)
    execute(tickerq)
    ended = tickerq.runs.get(run.id)
    assert (ended.status, ended.retry_count) == (Status.FAILED, 1)
    assert [attempt.number for attempt in ended.attempts] == [0, 1, 2, 3]


def test_a_run_that_was_skipped_before_it_started_can_be_retried(tickerq: TickerQ) -> None:
    tickerq.function("Child")(lambda: None)
    child = TimeTicker(function="Child", run_condition=RunCondition.ON_SUCCESS)
    parent = add_run(tickerq, failing(OSError()), children=[child])
    execute(tickerq)
    (run,) = tickerq.runs.find(parent_id=parent.id)
    assert (run.status, run.skipped_reason is None) == (Status.SKIPPED, False)
    assert tickerq.runs.retry(run.id).skipped_reason is None
    execute(tickerq)
    ended = tickerq.runs.get(run.id)
    assert (ended.status, [attempt.number for attempt in ended.attempts]) == (Status.DONE, [0])


@pytest.mark.parametrize(
    "status", [Status.IDLE, Status.QUEUED, Status.IN_PROGRESS, Status.DONE, Status.DUE_DONE]
)
def test_a_run_that_has_not_ended_or_has_succeeded_cannot_be_retried(
    tickerq: TickerQ, clock: ManualClock, status: TickerStatus
) -> None:
    run = add_run(tickerq, lambda: None, execution_time=START + HOUR)
    clock.advance(hours=2 if status is Status.DUE_DONE else 1)
    reach(tickerq, run.id, status)
    with pytest.raises(TickerStateError, match=f"is {status}: it cannot be retried"):
        tickerq.time_tickers.retry(run.id)
    assert row_of(tickerq, run.id).status is status


def test_a_run_whose_unique_key_was_taken_meanwhile_cannot_be_retried(tickerq: TickerQ) -> None:
    run = add_run(tickerq, failing(OSError()), unique_key="one")
    execute(tickerq)
    taken = tickerq.time_tickers.add(
        TimeTicker(function="Body", unique_key="one", execution_time=START + HOUR)
    )
    with pytest.raises(DuplicateTickerError, match="'one'"):
        tickerq.time_tickers.retry(run.id)
    assert tickerq.runs.get(run.id).status is Status.FAILED
    tickerq.time_tickers.delete(taken.id)
    tickerq.time_tickers.retry(run.id)
    with pytest.raises(DuplicateTickerError):
        tickerq.time_tickers.add(TimeTicker(function="Body", unique_key="one"))


def test_of_two_that_retry_a_run_one_does(tickerq: TickerQ) -> None:
    run = add_run(tickerq, failing(OSError()))
    execute(tickerq)

    def retry() -> str:
        try:
            tickerq.time_tickers.retry(run.id)
        except TickerStateError:
            return "refused"
        return "retried"

    assert sorted(at_once(retry, retry)) == ["refused", "retried"]
    assert row_of(tickerq, run.id).attempts_before == 1


def test_a_clone_is_a_new_run_with_what_was_changed(tickerq: TickerQ) -> None:
    run = add_run(
        tickerq, failing(OSError()), request=[1], tags=["eu"], description="d", unique_key="k", queue="mail"
    )
    reach(tickerq, run.id, Status.IN_PROGRESS)
    copy = tickerq.time_tickers.clone(run.id, description="a copy", execution_time=START + HOUR)
    assert (copy.request, copy.tags, copy.queue) == ([1], ("eu",), "mail")
    assert (copy.description, copy.execution_time) == ("a copy", START + HOUR)
    assert (copy.id != run.id, copy.unique_key, copy.attempts, copy.status) == (True, None, (), Status.IDLE)
    assert tickerq.runs.get(run.id).status is Status.IN_PROGRESS


def test_a_clone_is_due_when_its_original_is_or_now_where_that_has_passed(
    tickerq: TickerQ, clock: ManualClock
) -> None:
    run = add_run(tickerq, lambda: None, execution_time=START + HOUR)
    assert tickerq.time_tickers.clone(run.id).execution_time == START + HOUR
    clock.advance(hours=3)
    assert tickerq.time_tickers.clone(run.id).execution_time == START + 3 * HOUR


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_clone_with_a_field_that_does_not_exist_is_refused(tickerq: TickerQ) -> None:
    run = add_run(tickerq, lambda: None, execution_time=START + HOUR)
    with pytest.raises(TickerValidationError, match="colour"):
        tickerq.time_tickers.clone(run.id, colour="red")


def test_a_time_ticker_that_waits_can_be_run_now(tickerq: TickerQ) -> None:
    run = add_run(tickerq, lambda: None, execution_time=START + HOUR)
    assert published(tickerq) == []
    assert tickerq.time_tickers.run_now(run.id).execution_time == START
    assert published(tickerq) == [run.id]
    with pytest.raises(TickerStateError, match="is Queued"):
        tickerq.time_tickers.run_now(run.id)


def test_a_run_that_waits_for_a_retry_can_be_run_now(tickerq: TickerQ) -> None:
    run = add_run(tickerq, failing(OSError()), retries=1, retry_intervals=[3600])
    execute(tickerq)
    tickerq.time_tickers.run_now(run.id)
    execute(tickerq)
    assert len(tickerq.runs.get(run.id).attempts) == 2


def test_a_held_run_that_is_run_now_is_held_on_and_as_late_as_before(
    tickerq: TickerQ, clock: ManualClock
) -> None:
    tickerq.pauses.pause(everything=True)
    run = add_run(tickerq, lambda: None, execution_time=START)
    clock.advance(minutes=10)
    again = tickerq.time_tickers.run_now(run.id)
    assert published(tickerq) == []
    assert (again.held_for, again.execution_time) == ("paused", START)


def test_a_run_that_waits_for_its_parent_cannot_be_run_now(tickerq: TickerQ) -> None:
    parent = add_run(
        tickerq, lambda: None, execution_time=START + HOUR, children=[TimeTicker(function="Body")]
    )
    [run] = tickerq.time_tickers.find(parent_id=parent.id)
    with pytest.raises(TickerStateError, match="held until its parent ends"):
        tickerq.time_tickers.run_now(run.id)
    assert tickerq.runs.get(run.id).held_for == "parent"


@pytest.mark.parametrize("is_paused", [False, True])
def test_a_cron_ticker_can_be_run_now(tickerq: TickerQ, is_paused: bool) -> None:
    seen: list[object] = []

    def body(context: TickerContext[Any]) -> None:
        seen.append(context.request)

    tickerq.function("Body")(body)
    enrol_worker(tickerq)
    cron = tickerq.cron_tickers.add(CronTicker(function="Body", expression="0 * * * *", request=[1]))
    if is_paused:
        tickerq.cron_tickers.pause(cron.id)
    own = tickerq.cron_tickers.run_now(cron.id)
    other = tickerq.cron_tickers.run_now(cron.id, request={"n": 2})
    execute(tickerq)
    assert seen == [[1], {"n": 2}]
    assert {own.cron_ticker_id, other.cron_ticker_id} == {cron.id}
    assert tickerq.cron_tickers.get(cron.id).next_run_at == (None if is_paused else START + HOUR)


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_what_is_not_there_cannot_be_retried_cloned_or_run(tickerq: TickerQ) -> None:
    unknown = new_id()
    for verb in (
        tickerq.runs.retry, tickerq.time_tickers.retry, tickerq.time_tickers.clone,
        tickerq.time_tickers.run_now, tickerq.cron_tickers.run_now,
    ):  # fmt: skip
        with pytest.raises(TickerNotFoundError):
            verb(unknown)


def test_an_occurrence_that_is_run_now_has_a_copy_of_the_chain(tickerq: TickerQ) -> None:
    tickerq.function("Body")(lambda context: None)
    enrol_worker(tickerq)
    chain = [TimeTicker(function="Body", request={"token": "t"})]
    cron = tickerq.cron_tickers.add(CronTicker(function="Body", expression="0 * * * *", children=chain))
    head = tickerq.cron_tickers.run_now(cron.id)
    execute(tickerq)
    (child,) = tickerq.runs.find(parent_id=head.id)
    execute(tickerq)
    assert (child.request, tickerq.runs.get(child.id).status) == ({"token": "t"}, Status.DONE)


def test_a_retried_parent_starts_no_child_again(tickerq: TickerQ) -> None:
    outcomes: list[Exception | None] = [OSError(), None]

    def body() -> None:
        error = outcomes.pop(0)
        if error is not None:
            raise error

    tickerq.function("Child")(lambda: None)
    run = add_run(
        tickerq, body, children=[TimeTicker(function="Child", run_condition=RunCondition.ON_SUCCESS)]
    )
    execute(tickerq)
    tickerq.time_tickers.retry(run.id)
    execute(tickerq)
    (child,) = tickerq.runs.find(parent_id=run.id)
    assert (tickerq.runs.get(run.id).status, child.status) == (Status.DONE, Status.SKIPPED)
