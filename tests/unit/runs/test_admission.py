"""Which due runs may be claimed, and what holds the others."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from tests.inner import Due, FunctionLimits, Rate, Slot
from tickerq_celery.enums import HoldReason, TickerPriority
from tickerq_celery.payload.codec import Packed
from tickerq_celery.runs.admission import Capacity
from tickerq_celery.store.runs.concurrency import queue_key
from tickerq_celery.store.runs.holds import Hold
from tickerq_celery.tickers.flows import FunctionQueue

NOON = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
CRON = UUID(int=99)
NO_LIMIT = FunctionLimits()


def due(
    number: int,
    function: str = "Send",
    queue: str | None = None,
    cron: UUID | None = None,
    instant: datetime | None = None,
    key: str | None = None,
    priority: TickerPriority = TickerPriority.NORMAL,
    call: Packed | None = None,
) -> Due:
    return Due(
        id=UUID(int=number),
        claim_no=0,
        function=function,
        queue=queue,
        concurrency_key=key,
        priority=priority,
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
    found = decided(Capacity(functions={"Send": NO_LIMIT}, most_queued=10), due(1), due(2, "Unknown"))
    assert found == {1: None, 2: Hold(reason=HoldReason.FUNCTION, key="Unknown")}


@pytest.mark.parametrize(("active", "admitted"), [(0, [1, 2]), (1, [1]), (2, []), (9, [])])
def test_a_function_has_no_more_active_runs_than_its_limit(active: int, admitted: list[int]) -> None:
    capacity = Capacity(
        functions={"Send": FunctionLimits(max_concurrency=2), "Free": NO_LIMIT},
        most_queued=99,
        active={"Send": active},
    )
    found = decided(capacity, due(1), due(2), due(3), due(4, "Free"))
    assert [number for number, hold in found.items() if hold is None] == [*admitted, 4]
    assert {hold for hold in found.values() if hold} == {Hold(reason=HoldReason.LIMIT, key="Send")}


def test_a_queue_has_no_more_runs_published_than_it_may() -> None:
    capacity = Capacity(functions={"Send": NO_LIMIT}, most_queued=2, queued={None: 1, "mail": 2})
    found = decided(capacity, due(1), due(2), due(3, queue="mail"), due(4, queue="other"))
    assert found == {
        1: None,
        2: Hold(reason=HoldReason.LIMIT, key=queue_key(None)),
        3: Hold(reason=HoldReason.LIMIT, key=queue_key("mail")),
        4: None,
    }


def test_what_has_no_room_in_its_window_is_left_due_and_other_functions_are_not_delayed() -> None:
    capacity = Capacity(
        functions={"Send": NO_LIMIT, "Other": FunctionLimits(max_concurrency=1)},
        most_queued=9,
        windows={FunctionQueue("Send", None): 2, FunctionQueue("Other", None): 2},
        ahead={FunctionQueue("Send", None): 1},
    )
    urgent = due(4, priority=TickerPriority.HIGH)
    runs = [due(1), due(2), due(3, "Other"), urgent, due(5, "Other"), due(6, queue="mail")]
    found = capacity.admit(runs)
    assert {run.id.int for run in found.admitted} == {4, 3, 6}
    assert {run.id.int for run in found.left} == {1, 2}
    assert {run_id.int for run_id in found.held} == {5}


def test_a_call_of_a_celery_task_fills_no_window() -> None:
    flow = FunctionQueue("Send", None)
    capacity = Capacity(functions={}, most_queued=9, windows={flow: 1}, ahead={flow: 1})
    assert capacity.admit([due(1, call=Packed(b"{}", 0))]).left == []


def test_an_occurrence_of_a_paused_cron_is_held_and_a_manual_run_is_not() -> None:
    capacity = Capacity(functions={"Send": NO_LIMIT}, most_queued=10, paused_crons={CRON})
    found = decided(capacity, due(1, cron=CRON, instant=NOON), due(2, cron=CRON), due(3))
    assert found == {1: Hold(reason=HoldReason.PAUSED, key=str(CRON)), 2: None, 3: None}


def test_a_held_run_takes_no_room() -> None:
    capacity = Capacity(functions={"Send": FunctionLimits(max_concurrency=1)}, most_queued=1)
    assert decided(capacity, due(1, "Unknown"), due(2))[2] is None


def test_the_default_queue_is_no_queue_of_a_name() -> None:
    assert queue_key(None) != queue_key("None")
    assert queue_key(None) != queue_key("celery")


def holds(capacity: Capacity, *runs: Due) -> dict[int, HoldReason | None]:
    """Return for each run what holds it."""
    return {number: hold and hold.reason for number, hold in decided(capacity, *runs).items()}


def test_a_key_has_no_more_active_runs_than_the_function_says_and_other_keys_have_their_own() -> None:
    capacity = Capacity(
        functions={"Send": FunctionLimits(max_concurrency_per_key=2), "Other": NO_LIMIT},
        most_queued=99,
        taken={Slot("Send", "eu"): 1},
    )
    runs = [due(1, key="eu"), due(2, key="eu"), due(3, key="us"), due(4), due(5, "Other", key="eu")]
    found = decided(capacity, *runs)
    assert found.pop(2) == Hold(reason=HoldReason.KEY, key=Slot("Send", "eu").hold_key)
    assert set(found.values()) == {None}


def test_a_function_without_a_limit_of_its_keys_runs_as_many_as_there_are() -> None:
    limits = FunctionLimits(max_concurrency_per_key=None)
    capacity = Capacity(functions={"Send": limits}, most_queued=99, counted_elsewhere={"Send"})
    assert set(holds(capacity, *(due(number, key="eu") for number in range(3))).values()) == {None}


def test_a_function_with_a_limit_has_it_over_all_its_keys() -> None:
    capacity = Capacity(functions={"Send": FunctionLimits(max_concurrency=1)}, most_queued=99)
    assert holds(capacity, due(1, key="eu"), due(2, key="us")) == {1: None, 2: HoldReason.LIMIT}


def test_a_rate_lets_through_what_is_left_of_it() -> None:
    limits = FunctionLimits(rate=Rate.parse("10/m"))
    capacity = Capacity(functions={"Send": limits, "Free": NO_LIMIT}, most_queued=99, left={"Send": 1})
    assert holds(capacity, due(1), due(2), due(3, "Free")) == {1: None, 2: HoldReason.RATE, 3: None}


def test_a_run_that_is_held_for_another_reason_uses_up_no_rate() -> None:
    limits = FunctionLimits(rate=Rate.parse("10/m"))
    capacity = Capacity(functions={"Send": limits}, most_queued=1, left={"Send": 1}, queued={"full": 1})
    assert holds(capacity, due(1, queue="full"), due(2)) == {1: HoldReason.LIMIT, 2: None}


@pytest.mark.parametrize(
    ("limits", "key", "reason"),
    [
        (FunctionLimits(max_concurrency=9), None, HoldReason.LIMIT),
        (NO_LIMIT, "eu", HoldReason.KEY),
        (FunctionLimits(rate=Rate.parse("10/m")), None, HoldReason.RATE),
        (NO_LIMIT, None, None),
    ],
    ids=["function", "key", "rate", "no limit"],
)
def test_what_another_claim_counts_has_no_room_here(
    limits: FunctionLimits, key: str | None, reason: HoldReason | None
) -> None:
    capacity = Capacity(
        functions={"Send": limits}, most_queued=9, counted_elsewhere={"Send"}, left={"Send": 1}
    )
    assert holds(capacity, due(1, key=key)) == {1: reason}


def test_slots_go_to_the_most_urgent_and_then_to_the_oldest() -> None:
    capacity = Capacity(functions={"Send": FunctionLimits(max_concurrency=2)}, most_queued=99)
    low, high = TickerPriority.LOW, TickerPriority.HIGH
    runs = [due(1, priority=low), due(3, priority=high), due(2), due(4)]
    assert [run.id.int for run in capacity.admit(runs).admitted] == [3, 2]
