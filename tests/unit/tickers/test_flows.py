"""Flows: of which cron ticker, key, or function and queue a backlog is."""

from datetime import UTC, datetime
from uuid import UUID

from tests.inner import Due, Slot
from tickerq_celery.enums import TickerPriority
from tickerq_celery.tickers.flows import MOST_FLOWS, Flows, FunctionQueue, crowding

NOON = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)


def due(
    count: int, function: str = "Send", *, queue: str | None = None, key: str | None = None, cron: int = 0
) -> list[Due]:
    run = Due(
        id=UUID(int=1),
        claim_no=0,
        function=function,
        queue=queue,
        concurrency_key=key,
        priority=TickerPriority.NORMAL,
        due_at=NOON,
        cron_ticker_id=UUID(int=cron) if cron else None,
        instant=None,
    )
    return [run] * count


def test_no_runs_are_no_backlog() -> None:
    assert not crowding([])


def test_what_makes_up_nine_tenths_is_the_backlog_and_the_rest_is_not() -> None:
    found = crowding([*due(95), *due(5, "Other")])
    assert found == Flows(queues=frozenset({FunctionQueue("Send", None)}))


def test_a_backlog_may_be_of_several_flows() -> None:
    found = crowding([*due(60), *due(40, queue="mail")])
    assert found == Flows(queues=frozenset({FunctionQueue("Send", None), FunctionQueue("Send", "mail")}))


def test_a_cron_ticker_comes_before_a_key_and_a_key_before_the_function() -> None:
    found = crowding([*due(50, key="7", cron=3), *due(50, key="8"), *due(50)])
    assert found == Flows(
        crons=frozenset({UUID(int=3)}),
        slots=frozenset({Slot("Send", "8")}),
        queues=frozenset({FunctionQueue("Send", None)}),
    )


def test_a_backlog_of_very_many_keys_is_one_of_their_function() -> None:
    runs = [run for number in range(2 * MOST_FLOWS) for run in due(1, key=str(number))]
    assert crowding(runs) == Flows(queues=frozenset({FunctionQueue("Send", None)}))


def test_a_backlog_of_very_many_functions_is_of_none_of_them() -> None:
    runs = [run for number in range(2 * MOST_FLOWS) for run in due(1, f"Send {number}")]
    assert not crowding(runs)


def test_flows_add_up() -> None:
    both = crowding(due(1)) | crowding(due(1, key="7")) | crowding(due(1, cron=3))
    assert both == crowding([*due(1), *due(1, key="7"), *due(1, cron=3)])
