"""Which due runs may be claimed, and what holds the others."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from tickerq_celery.admission import Capacity
from tickerq_celery.enums import HoldReason, TickerPriority
from tickerq_celery.store.claims import Due
from tickerq_celery.store.holds import Hold
from tickerq_celery.store.sweeps import queue_key

NOON = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
CRON = UUID(int=99)


def due(
    number: int,
    function: str = "Send",
    queue: str | None = None,
    cron: UUID | None = None,
    instant: datetime | None = None,
    call: bytes | None = None,
) -> Due:
    return Due(
        id=UUID(int=number),
        claim_no=0,
        function=function,
        queue=queue,
        priority=TickerPriority.NORMAL,
        due_at=NOON,
        cron_ticker_id=cron,
        instant=instant,
        call=call,
    )


def decided(capacity: Capacity, *runs: Due) -> dict[int, Hold | None]:
    """Return what is decided on each run: None where it is admitted."""
    admission = capacity.admit(runs)
    admitted = {run.id.int: None for run in admission.admitted}
    held = {run_id.int: hold for run_id, hold in admission.held.items()}
    assert admitted.keys().isdisjoint(held)
    return {**admitted, **held}


def test_a_run_whose_function_no_worker_has_is_held() -> None:
    found = decided(Capacity(functions={"Send": 0}, most_queued=10), due(1), due(2, "Nobody"))
    assert found == {1: None, 2: Hold(reason=HoldReason.FUNCTION, key="Nobody")}


@pytest.mark.parametrize(("active", "admitted"), [(0, [1, 2]), (1, [1]), (2, []), (9, [])])
def test_a_function_has_no_more_runs_under_way_than_its_limit(active: int, admitted: list[int]) -> None:
    capacity = Capacity(functions={"Send": 2, "Free": 0}, most_queued=99, active={"Send": active})
    found = decided(capacity, due(1), due(2), due(3), due(4, "Free"))
    assert [number for number, hold in found.items() if hold is None] == [*admitted, 4]
    assert {hold for hold in found.values() if hold} == {Hold(reason=HoldReason.LIMIT, key="Send")}


def test_a_queue_has_no_more_runs_published_than_it_may() -> None:
    capacity = Capacity(functions={"Send": 0}, most_queued=2, queued={None: 1, "mail": 2})
    found = decided(capacity, due(1), due(2), due(3, queue="mail"), due(4, queue="other"))
    assert found == {
        1: None,
        2: Hold(reason=HoldReason.LIMIT, key=queue_key(None)),
        3: Hold(reason=HoldReason.LIMIT, key=queue_key("mail")),
        4: None,
    }


def test_an_occurrence_of_a_paused_cron_is_held_and_a_run_by_hand_is_not() -> None:
    capacity = Capacity(functions={"Send": 0}, most_queued=10, paused_crons={CRON})
    found = decided(capacity, due(1, cron=CRON, instant=NOON), due(2, cron=CRON), due(3))
    assert found == {1: Hold(reason=HoldReason.PAUSED, key=str(CRON)), 2: None, 3: None}


def test_a_held_run_takes_no_room() -> None:
    capacity = Capacity(functions={"Send": 1}, most_queued=1)
    assert decided(capacity, due(1, "Nobody"), due(2))[2] is None


def test_the_default_queue_is_no_queue_of_a_name() -> None:
    assert queue_key(None) != queue_key("None")
    assert queue_key(None) != queue_key("celery")
