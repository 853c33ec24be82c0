"""What a parent's function returned, in the hands of its children's."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.apps import enrol_worker, execute, row_of, ticker_app
from tests.manual_clock import ManualClock
from tickerq_celery import (
    Run,
    RunCondition,
    TerminateExecution,
    TickerContext,
    TickerQ,
    TickerStatus,
    TimeTicker,
)
from tickerq_celery.errors import ParentResultError


@pytest.fixture
def tickerq(store_url: str, namespace: str, clock: ManualClock) -> Iterator[TickerQ]:
    with ticker_app(store_url, namespace, clock, payload_limit=1_000) as made:
        yield made


class Chain:
    """A parent whose body is given, and a child that notes what it got."""

    def __init__(self, tickerq: TickerQ, body: Any, *, on: RunCondition | None = None) -> None:
        self.tickerq = tickerq
        self.seen: list[object] = []
        tickerq.function("Parent")(body)
        tickerq.function("Child")(self._note)
        enrol_worker(tickerq)
        child = TimeTicker(function="Child", run_condition=on)
        self.head = tickerq.time_tickers.add(TimeTicker(function="Parent", children=[child]))
        (self.child,) = tickerq.time_tickers.find(parent_id=self.head.id)

    def _note(self, context: TickerContext) -> None:
        assert context.parent_id == self.head.id
        self.seen.append(context.parent_result)

    def run(self) -> Run:
        """Execute the parent, and what it lets start; return the child's run."""
        execute(self.tickerq)
        execute(self.tickerq)
        return self.tickerq.runs.get(self.child.id)


def test_a_child_is_offered_what_its_parent_returned_and_starts_without_a_beat(tickerq: TickerQ) -> None:
    chain = Chain(tickerq, lambda: {"invoice": 7, "lines": [1, None]})
    assert chain.run().status is TickerStatus.DONE
    assert chain.seen == [{"invoice": 7, "lines": [1, None]}]


def test_what_a_parent_returned_is_there_for_people_as_well_its_secrets_masked(
    store_url: str, namespace: str, clock: ManualClock
) -> None:
    returned = {"invoice": 7, "card": {"number": "4711"}}
    with ticker_app(store_url, namespace, clock, payload_limit=1_000, redact=["number"]) as tickerq:
        chain = Chain(tickerq, lambda: returned)
        assert tickerq.runs.result(chain.head.id) is None
        chain.run()
        found = tickerq.runs.result(chain.head.id)
        assert found is not None
        assert (found.value, found.problem) == (returned, None)
        assert found.shown == {"invoice": 7, "card": {"number": "•••"}}
        assert found.size == len(b'{"invoice":7,"card":{"number":"4711"}}')
        assert "4711" not in repr(found)
        # What a run without children returned is not kept.
        assert tickerq.runs.result(chain.child.id) is None


def test_of_what_children_cannot_be_given_people_are_told_why(tickerq: TickerQ) -> None:
    chain = Chain(tickerq, lambda: b"\xff")
    execute(tickerq)
    found = tickerq.runs.result(chain.head.id)
    assert found is not None
    assert str(found.problem).startswith("result: bytes are not JSON")
    with pytest.raises(ParentResultError):
        _ = found.value


def test_a_coroutines_result_is_offered_as_well(tickerq: TickerQ) -> None:
    async def body() -> int:
        return 7

    chain = Chain(tickerq, body)
    chain.run()
    assert chain.seen == [7]


def fail() -> None:
    raise TerminateExecution("no", TickerStatus.FAILED)


@pytest.mark.parametrize(
    ("body", "on"),
    [(lambda: None, None), (fail, RunCondition.ON_FAILURE), (lambda: 7, RunCondition.IN_PROGRESS)],
    ids=["nothing", "failed", "beside"],
)
def test_where_there_is_no_result_it_is_none(tickerq: TickerQ, body: Any, on: RunCondition | None) -> None:
    chain = Chain(tickerq, body, on=on)
    # Here the child beside its parent starts after that one's end, and must not come to count on it.
    chain.run()
    assert chain.seen == [None]


@pytest.mark.parametrize(
    ("value", "reason"),
    [(b"\xff", "result: bytes are not JSON"), ("x" * 1_000, "result: it takes 1002 bytes as JSON")],
    ids=["bytes", "size"],
)
def test_a_result_that_cannot_be_stored_ends_the_parent_well_and_fails_the_child_that_asks_for_it(
    tickerq: TickerQ, caplog: pytest.LogCaptureFixture, value: object, reason: str
) -> None:
    chain = Chain(tickerq, lambda: value)
    child = chain.run()
    assert tickerq.runs.get(chain.head.id).status is TickerStatus.DONE
    assert (child.status, child.exception_type) == (
        TickerStatus.FAILED, f"{ParentResultError.__module__}.ParentResultError",
    )  # fmt: skip
    assert reason in str(child.exception_message)
    assert f"has a result that its children cannot be given: {reason}" in caplog.text


def test_a_result_that_no_child_could_want_is_not_looked_at(
    tickerq: TickerQ, caplog: pytest.LogCaptureFixture
) -> None:
    def alone() -> object:
        return object()

    tickerq.function("Alone")(alone)
    enrol_worker(tickerq)
    run = tickerq.time_tickers.add(TimeTicker(function="Alone"))
    execute(tickerq)
    row = row_of(tickerq, run.id)
    assert (row.status, row.result) == (TickerStatus.DONE, None)
    assert "result" not in caplog.text
