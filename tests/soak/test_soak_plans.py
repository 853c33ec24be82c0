"""What a seed decides: the faults and the workload."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.soak.faults import FaultKind, FaultPlan
from tests.soak.settings import LONGEST_SETTLE, LONGEST_WAIT, STALL_LIMIT
from tests.soak.workload import CRONS, KEY_LIMITS, KEYS, LIMITS, LONGEST_BODY, Way, Workload
from tickerq_celery import CronTicker
from tickerq_celery.schedule.preview import preview

ENOUGH = 300


def test_a_seed_gives_the_same_faults_again() -> None:
    first, second, other = FaultPlan(7), FaultPlan(7), FaultPlan(8)
    faults = [first.next() for _ in range(ENOUGH)]
    assert faults == [second.next() for _ in range(ENOUGH)]
    assert faults != [other.next() for _ in range(ENOUGH)]


@pytest.mark.parametrize("seed", range(10))
def test_a_minute_holds_each_kind_of_fault(seed: int) -> None:
    plan, kinds, seconds = FaultPlan(seed), set[FaultKind](), 0.0
    while seconds < 60:
        fault = plan.next()
        kinds.add(fault.kind)
        seconds += fault.after
    assert kinds == set(FaultKind)


def test_a_fault_comes_every_one_to_three_seconds() -> None:
    plan = FaultPlan(7)
    faults = [plan.next() for _ in range(ENOUGH)]
    assert all(1 <= fault.after <= 3 and 0 <= fault.choice < 1 and fault.pause > 0 for fault in faults)


def test_a_seed_gives_the_same_workload_again() -> None:
    first, second, other = Workload(7), Workload(7), Workload(8)
    deliveries = [first.next() for _ in range(ENOUGH)]
    assert deliveries == [second.next() for _ in range(ENOUGH)]
    assert deliveries != [other.next() for _ in range(ENOUGH)]


def test_the_workload_holds_all_that_it_is_there_for() -> None:
    workload = Workload(7)
    deliveries = [workload.next() for _ in range(ENOUGH)]
    orders = [order for delivery in deliveries for order in delivery.orders]
    assert {delivery.way for delivery in deliveries} == set(Way)
    assert len({order.serial for order in orders}) == len(orders) > len(deliveries)
    assert {order.function for order in orders} == {"Work", *LIMITS, *KEY_LIMITS}
    assert {order.key for order in orders} == {None, *KEYS}
    assert {order.fails for order in orders} == {0, 1, 2, 3}
    assert any(order.fails > order.retries for order in orders)
    assert any(order.death for order in orders)
    assert any(order.sleep for order in orders)
    assert {order.delay > 0 for order in orders} == {True, False}


def test_the_bound_on_recovery_is_the_one_that_its_comment_works_out() -> None:
    workload = Workload(7)
    sleeps = [order.sleep for _ in range(ENOUGH) for order in workload.next().orders]
    assert max(*sleeps, *(order.sleep for order in CRONS)) <= LONGEST_BODY
    assert timedelta(seconds=51) == LONGEST_WAIT < STALL_LIMIT < LONGEST_SETTLE


def test_cron_tickers_fire_in_the_steps_that_the_checker_expects() -> None:
    start = datetime(2024, 1, 1, tzinfo=UTC) - timedelta(microseconds=1)
    for order in CRONS:
        first, second, third = preview(order.expression, after=start, count=3)
        assert (second - first, third - second) == (order.step, order.step)
        assert CronTicker(function="Work", expression=order.expression).misfire_limit <= order.misfire_limit
