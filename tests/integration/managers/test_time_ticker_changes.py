"""Changing, deleting and reading time tickers."""

import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from pydantic import BaseModel

from tests.integration.apps import (
    dispatch_due,
    enrol_worker,
    execute,
    published,
    row_of,
    ticker_app,
)
from tests.integration.reaching import reach
from tests.manual_clock import START, ManualClock
from tickerq_celery import Run, TickerPriority, TickerQ, TickerStatus, TimeTicker
from tickerq_celery.errors import (
    DuplicateTickerError,
    TickerNotFoundError,
    TickerStateError,
    TickerValidationError,
    UnknownFunctionError,
)

LATER = START + timedelta(hours=1)


class Welcome(BaseModel):
    user_id: int


@pytest.fixture
def tickerq(store_url: str, namespace: str, clock: ManualClock) -> Iterator[TickerQ]:
    with ticker_app(store_url, namespace, clock) as made:

        @made.function("Send")
        def send(request: Welcome) -> None:
            if request.user_id == 0:
                raise RuntimeError("no such user")

        @made.function("Other")
        def other() -> None: ...

        enrol_worker(made)
        yield made


def add(tickerq: TickerQ, **fields: Any) -> Run:
    ticker = TimeTicker(**{"function": "Send", "request": {"user_id": 7}, "execution_time": LATER, **fields})
    return tickerq.time_tickers.add(ticker)


def test_a_batch_of_changes_is_stored_as_a_whole_or_not_at_all(tickerq: TickerQ, clock: ManualClock) -> None:
    one, other = add(tickerq), add(tickerq)
    changed = tickerq.time_tickers.update_batch(
        {str(other.id): {"retries": 2}, one.id: {"execution_time": None}}
    )
    assert [run.id for run in changed] == [other.id, one.id]
    assert [run.status for run in changed] == [TickerStatus.IDLE, TickerStatus.QUEUED]
    for wrong, error in [
        ({other.id: {"retries": 5}, one.id: {"retries": 5}}, TickerStateError),
        ({other.id: {"retries": 5}, uuid.uuid4(): {"retries": 5}}, TickerNotFoundError),
        ({other.id: {"retries": 5}, one.id: {"colour": "red"}}, TickerValidationError),
        ({other.id: {"retries": 5}, "seven": {"retries": 5}}, TickerValidationError),
        ({other.id: {"retries": 5}, str(other.id): {"tags": ["eu"]}}, TickerValidationError),
    ]:
        with pytest.raises(error):
            tickerq.time_tickers.update_batch(wrong)
        assert tickerq.time_tickers.get(other.id).retries == 2
    assert tickerq.time_tickers.update_batch({}) == []


def test_an_idle_ticker_can_be_changed(tickerq: TickerQ, clock: ManualClock) -> None:
    run = add(tickerq, tags=["eu"], retries=3)
    clock.advance(minutes=1)
    changed = tickerq.time_tickers.update(
        run.id, description="new", request=Welcome(user_id=8), retries=1, retry_intervals=[5], tags=["us"],
        priority=TickerPriority.LOW, queue="q",
    )  # fmt: skip
    assert changed == tickerq.time_tickers.get(run.id)
    assert (changed.description, changed.request, changed.retries) == ("new", {"user_id": 8}, 1)
    assert (changed.retry_intervals, changed.tags) == ((timedelta(seconds=5),), ("us",))
    assert (changed.priority, changed.queue) == (TickerPriority.LOW, "q")
    assert (changed.execution_time, changed.next_attempt_at) == (LATER, LATER)
    assert (changed.created_at, changed.updated_at) == (START, START + timedelta(minutes=1))


def test_what_is_not_changed_stays(tickerq: TickerQ) -> None:
    run = add(tickerq, tags=["eu"], retries=3, unique_key="k")
    changed = tickerq.time_tickers.update(run.id, description="new")
    assert (changed.tags, changed.retries, changed.unique_key) == (("eu",), 3, "k")
    assert changed.request == {"user_id": 7}
    with pytest.raises(DuplicateTickerError):
        add(tickerq, unique_key="k")


@pytest.mark.parametrize("at", [None, START - timedelta(days=1), START])
def test_a_ticker_moved_into_the_past_runs_now(tickerq: TickerQ, at: datetime | None) -> None:
    run = add(tickerq)
    assert published(tickerq) == []
    assert tickerq.time_tickers.update(run.id, execution_time=at).status is TickerStatus.QUEUED
    assert published(tickerq) == [run.id]


def test_a_ticker_can_be_moved_to_later(tickerq: TickerQ, clock: ManualClock) -> None:
    run = add(tickerq)
    tickerq.time_tickers.update(run.id, execution_time=LATER + timedelta(hours=1))
    clock.advance(hours=1)
    dispatch_due(tickerq)
    assert published(tickerq) == []
    clock.advance(hours=1)
    dispatch_due(tickerq)
    assert published(tickerq) == [run.id]


REFUSED = [
    ({"colour": "red"}, "colour"),
    ({"unique_key": "k"}, "unique_key"),
    ({"namespace": "n"}, "namespace"),
    ({"status": TickerStatus.DONE}, "status"),
    ({"request": {"user_id": "seven"}}, "request.user_id"),
    ({"request": None}, "request"),
    ({"retries": -1}, "retries"),
    ({"execution_time": datetime(2026, 1, 1)}, "execution_time"),  # noqa: DTZ001 - what is refused
    ({"function": "x" * 201}, "function"),
    ({"tags": "eu"}, "tags"),
]


@pytest.mark.parametrize(("changes", "field"), REFUSED)
@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_change_that_cannot_be_stored_changes_nothing(
    tickerq: TickerQ, changes: dict[str, Any], field: str
) -> None:
    run = add(tickerq)
    with pytest.raises(TickerValidationError) as caught:
        tickerq.time_tickers.update(run.id, description="new", **changes)
    assert caught.value.field == field
    assert tickerq.time_tickers.get(run.id) == run


def test_another_function_takes_its_own_request(tickerq: TickerQ) -> None:
    run = add(tickerq)
    with pytest.raises(UnknownFunctionError):
        tickerq.time_tickers.update(run.id, function="Unknown")
    assert tickerq.time_tickers.update(run.id, function="Other", request=None).request is None
    with pytest.raises(TickerValidationError, match="user_id"):
        tickerq.time_tickers.update(run.id, function="Send", request={})


def test_a_held_ticker_that_gets_another_function_runs(tickerq: TickerQ) -> None:
    run = tickerq.time_tickers.add(TimeTicker(function="Unknown"), allow_unknown=True)
    assert tickerq.time_tickers.get(run.id).held_for == "function"
    tickerq.time_tickers.update(run.id, function="Other")
    dispatch_due(tickerq)
    assert published(tickerq) == [run.id]


@pytest.mark.parametrize("status", [TickerStatus.QUEUED, TickerStatus.IN_PROGRESS, TickerStatus.DONE])
def test_only_an_idle_ticker_can_be_changed(
    tickerq: TickerQ, clock: ManualClock, status: TickerStatus
) -> None:
    run = add(tickerq)
    clock.advance(hours=1)
    reach(tickerq, run.id, status)
    with pytest.raises(TickerStateError, match=str(status)) as caught:
        tickerq.time_tickers.update(run.id, description="new")
    assert (caught.value.ticker_id, caught.value.status) == (run.id, str(status))
    assert tickerq.time_tickers.get(run.id).description is None


def test_a_deleted_ticker_takes_its_attempts_along(tickerq: TickerQ) -> None:
    run = add(tickerq, execution_time=None, request={"user_id": 0})
    execute(tickerq)
    assert len(tickerq.time_tickers.get(run.id).attempts) == 1
    tickerq.time_tickers.delete(run.id)
    assert row_of(tickerq, run.id) is None
    with pytest.raises(TickerNotFoundError):
        tickerq.time_tickers.delete(run.id)


def test_deleting_counts_what_was_there(tickerq: TickerQ) -> None:
    runs = tickerq.time_tickers.add_batch([TimeTicker(function="Other", execution_time=LATER)] * 600)
    kept, *gone = (run.id for run in runs)
    assert tickerq.time_tickers.delete_batch([*gone, uuid.uuid4()]) == 599
    assert [run.id for run in tickerq.time_tickers.find()] == [kept]
    assert tickerq.time_tickers.delete_batch([]) == 0


def test_a_message_of_a_deleted_ticker_runs_nothing(tickerq: TickerQ) -> None:
    run = add(tickerq, execution_time=None)
    tickerq.time_tickers.delete(run.id)
    assert [result.state for result in execute(tickerq)] == ["IGNORED"]


@pytest.mark.parametrize("verb", ["get", "update"])
def test_a_ticker_that_is_not_there_is_an_error_that_names_it(tickerq: TickerQ, verb: str) -> None:
    missing = uuid.uuid4()
    with pytest.raises(TickerNotFoundError, match=str(missing)) as caught:
        getattr(tickerq.time_tickers, verb)(missing)
    assert caught.value.ticker_id == missing


def test_tickers_of_another_namespace_are_out_of_reach(
    tickerq: TickerQ, store_url: str, namespace: str, clock: ManualClock
) -> None:
    run = add(tickerq)
    with ticker_app(store_url, f"{namespace}-2", clock) as other:
        for call in (other.time_tickers.get, other.time_tickers.update, other.runs.get):
            with pytest.raises(TickerNotFoundError):
                call(run.id)
        with pytest.raises(TickerNotFoundError):
            other.time_tickers.delete(run.id)
        assert not other.time_tickers.find()


def test_a_run_is_read_with_its_attempts_oldest_first(tickerq: TickerQ, clock: ManualClock) -> None:
    run = add(tickerq, execution_time=None, request={"user_id": 0}, retries=1, retry_intervals=[60])
    execute(tickerq)
    waiting = tickerq.time_tickers.get(run.id)
    assert (waiting.status, waiting.retry_count) == (TickerStatus.IDLE, 1)
    assert waiting.next_attempt_at == START + timedelta(minutes=1)
    clock.advance(minutes=1)
    dispatch_due(tickerq)
    execute(tickerq)
    ended = tickerq.time_tickers.get(run.id)
    assert (ended.status, ended.exception_type, ended.exception_message) == (
        TickerStatus.FAILED, "RuntimeError", "no such user",
    )  # fmt: skip
    assert [attempt.number for attempt in ended.attempts] == [0, 1]
    assert [attempt.started_at for attempt in ended.attempts] == [START, START + timedelta(minutes=1)]
    assert all(attempt.status is TickerStatus.FAILED for attempt in ended.attempts)
    assert all(
        'raise RuntimeError("no such user")' in (attempt.traceback or "") for attempt in ended.attempts
    )
    assert all(attempt.node == tickerq.core.node.name for attempt in ended.attempts)
