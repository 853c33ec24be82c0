"""Each body runs as often as plain Celery runs it: the same scenario with a TickerQ and without one."""

import time
from collections import Counter
from collections.abc import Callable

import pytest

from tests.acceptance.waiting import wait_until
from tests.compat.shop import Call, Shop
from tests.thoroughness import in_verify
from tickerq_celery import Run, TickerStatus
from tickerq_celery.enums import SUCCEEDED

pytestmark = [pytest.mark.acceptance, pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)]
on_redis = pytest.mark.parametrize("broker", ["redis"])
on_each_broker = pytest.mark.parametrize("broker", ["redis", in_verify("rabbitmq")])

# One message at a time, so that what is called last is executed last.
ONE_BY_ONE = {"worker_prefetch_multiplier": 1, "worker_lost_wait": 0.5}
LATE = {**ONE_BY_ONE, "task_acks_late": True}
# Redis delivers again what is not acknowledged after so many seconds, RabbitMQ when the connection is gone.
SOON_AGAIN = {
    "visibility_timeout": 3,
    "unacked_restore_interval": 0.5,
    "unacked_restore_throttle": 1,
    # A worker that is killed while it looks for such messages keeps the others from it for so long.
    "unacked_mutex_expire": 2,
}
REJECTED = {**LATE, "task_reject_on_worker_lost": True}
Both = Callable[..., tuple[Shop, Shop]]


@pytest.fixture
def both(make_shop: Callable[..., Shop], new_broker: Callable[[str], str], store_url: str) -> Both:
    """Return two shops on brokers of their own, the first with a TickerQ, the second without."""

    def make(broker: str, **options: object) -> tuple[Shop, Shop]:
        durable, plain = (
            make_shop(store_url, new_broker(broker), is_durable=is_durable, **options)
            for is_durable in (True, False)
        )
        return durable, plain

    return make


def pack(*names: str, seconds: float = 0) -> list[Call]:
    return [Call(name=name, task="shop.pack", args=(name, seconds)) for name in names]


def start(shop: Shop, *, workers: int = 1) -> None:
    """Start workers that execute one body at a time, and a beat where there is something for it to do."""
    for _ in range(workers):
        shop.worker(concurrency=1)
    if shop.is_durable:
        shop.beat()


def drain(shop: Shop) -> None:
    """Return once what was in the queue before has been begun."""
    shop.call(*pack("last"))
    shop.wait_for_orders(["last"])


def exceptions(run: Run) -> list[str | None]:
    """Return what its attempts raised, in their order."""
    return [attempt.exception_type for attempt in run.attempts]


def wait_behind_a_slow_one(shop: Shop) -> dict[str, str]:
    """Let calls wait for longer than ``republish_after`` behind one that takes long."""
    start(shop)
    ids = shop.call(*pack("slow", seconds=4), *pack("first", "second"))
    if shop.is_durable:
        wait_until(lambda: not shop.run(ids["second"]).outcome_known, shop.logs)
        assert shop.orders() == {"slow": 1}
    shop.wait_for_orders(["slow", "first", "second"])
    drain(shop)
    return ids


@pytest.mark.verify
@on_each_broker
def test_calls_that_wait_for_long_in_the_queue_of_a_busy_worker_run_once(both: Both, broker: str) -> None:
    durable, plain = both(broker, celery=ONE_BY_ONE, republish_after=1)
    ids = wait_behind_a_slow_one(durable)
    wait_behind_a_slow_one(plain)
    assert durable.orders() == plain.orders() == Counter(["slow", "first", "second", "last"])
    for run_id in ids.values():
        assert exceptions(durable.wait_for_end(run_id)) == [None]


def wait_for_a_worker(shop: Shop) -> dict[str, str]:
    """Let calls wait for longer than ``republish_after`` while no worker runs."""
    worker = shop.worker(concurrency=1)
    assert worker.stop() == 0
    if shop.is_durable:
        shop.beat()
    ids = shop.call(*pack("first", "second"))
    if shop.is_durable:
        time.sleep(3)  # several sweeps after republish_after
    shop.worker(concurrency=1)
    shop.wait_for_orders(["first", "second"])
    drain(shop)
    return ids


@pytest.mark.verify
@on_redis
def test_calls_that_wait_for_long_while_no_worker_runs_run_once(both: Both, broker: str) -> None:
    durable, plain = both(broker, celery=ONE_BY_ONE, republish_after=1)
    ids = wait_for_a_worker(durable)
    wait_for_a_worker(plain)
    assert durable.orders() == plain.orders() == Counter(["first", "second", "last"])
    for run_id in ids.values():
        assert exceptions(durable.wait_for_end(run_id)) == [None]


def share_a_queue(shop: Shop) -> dict[str, str]:
    """Let two workers share a queue, of which one never has a TickerQ."""
    start(shop)
    shop.worker(concurrency=1, is_durable=False)
    ids = shop.call(*pack(*map(str, range(20)), seconds=0.1))
    shop.wait_for_orders(list(ids))
    if shop.is_durable:
        # Those that the other worker executed are never reported.
        wait_until(lambda: all(shop.run(run_id).ended_at for run_id in ids.values()), shop.logs)
        time.sleep(1)  # a sweep more
    drain(shop)
    return ids


@pytest.mark.verify
@on_redis
def test_a_worker_without_a_tickerq_beside_one_with_it_runs_its_share_once(both: Both, broker: str) -> None:
    durable, plain = both(broker, celery=ONE_BY_ONE, republish_after=1)
    ids = share_a_queue(durable)
    share_a_queue(plain)
    assert durable.orders() == plain.orders() == Counter([*ids, "last"])
    runs = [durable.run(run_id) for run_id in ids.values()]
    assert {run.status for run in runs} <= SUCCEEDED
    followed = [run for run in runs if run.outcome_known]
    assert 0 < len(followed) < len(ids)
    assert [exceptions(run) for run in followed] == [[None]] * len(followed)
    assert {len(run.attempts) for run in runs if not run.outcome_known} == {0}


def kill_the_worker(shop: Shop, **options: object) -> str:
    """Kill a worker while it executes a call, start another one, and return the call's id."""
    killed = shop.worker(concurrency=1)
    if shop.is_durable:
        shop.beat()
    ids = shop.call(Call(name="killed", task="shop.weigh", args=("killed",), options=options))
    shop.wait_for_orders(["killed"])
    killed.kill()
    shop.worker(concurrency=1)
    return ids["killed"]


@pytest.mark.verify
@on_each_broker
def test_what_a_killed_acks_late_worker_executed_runs_as_often_as_the_broker_delivers_it(
    both: Both, broker: str
) -> None:
    celery = LATE if broker == "rabbitmq" else {**LATE, "broker_transport_options": SOON_AGAIN}
    durable, plain = both(broker, celery=celery)
    run_id = kill_the_worker(durable)
    kill_the_worker(plain)
    for shop in (durable, plain):
        shop.wait_for_orders(["killed"], times=2)
    run = durable.wait_for_status(run_id)
    for shop in (durable, plain):
        drain(shop)
    assert durable.orders() == plain.orders() == {"killed": 2, "last": 1}
    assert exceptions(durable.run(run_id)) == ["WorkerLost", None]
    assert run.rescue_count == 0


@pytest.mark.verify
@on_redis
def test_what_a_killed_worker_had_acknowledged_is_lost_as_it_is_with_celery(both: Both, broker: str) -> None:
    durable, plain = both(broker, celery=ONE_BY_ONE, republish_after=1)
    run_id = kill_the_worker(durable)
    kill_the_worker(plain)
    run = durable.wait_for_status(run_id, TickerStatus.FAILED)
    time.sleep(2)  # several sweeps after the end
    for shop in (durable, plain):
        drain(shop)
    assert durable.orders() == plain.orders() == {"killed": 1, "last": 1}
    assert (run.exception_type, exceptions(run)) == ("WorkerLost", ["WorkerLost"])


@pytest.mark.verify
@on_each_broker
def test_on_lost_retry_publishes_again_what_a_dead_worker_executed_under_the_same_task_id(
    make_shop: Callable[..., Shop], new_broker: Callable[[str], str], store_url: str, broker: str
) -> None:
    shop = make_shop(store_url, new_broker(broker), celery=ONE_BY_ONE)
    run_id = kill_the_worker(shop, on_lost="retry")
    shop.wait_for_orders(["killed"], times=2)
    run = shop.wait_for_status(run_id)
    drain(shop)
    assert shop.orders() == {"killed": 2, "last": 1}
    assert exceptions(run) == ["WorkerLost", None]
    assert run.rescue_count == 1
    assert shop.executions("shop.weigh") == {run.task_id: 2}


def crash_in_the_body(shop: Shop) -> str:
    """Let the child of a prefork pool die in a body, and return the call's id."""
    start(shop)
    return shop.call(Call(name="crashed", task="shop.crash", args=("crashed",)))["crashed"]


@pytest.mark.verify
@pytest.mark.parametrize(
    ("broker", "celery", "times"),
    [
        pytest.param("redis", ONE_BY_ONE, 1, id="early"),
        pytest.param("rabbitmq", LATE, 1, id="late"),
        pytest.param("redis", REJECTED, 2, id="rejected on Redis"),
        pytest.param("rabbitmq", REJECTED, 2, id="rejected on RabbitMQ"),
    ],
)
def test_what_a_child_that_died_executed_runs_as_often_as_with_celery(
    both: Both, broker: str, celery: dict[str, object], times: int
) -> None:
    durable, plain = both(broker, celery=celery)
    run_id = crash_in_the_body(durable)
    crash_in_the_body(plain)
    for shop in (durable, plain):
        shop.wait_for_orders(["crashed"], times=times)
    run = durable.wait_for_end(run_id, attempts=times)
    for shop in (durable, plain):
        drain(shop)
    assert durable.orders() == plain.orders() == {"crashed": times, "last": 1}
    assert [attempt.status for attempt in run.attempts] == (
        [TickerStatus.FAILED] if times == 1 else [TickerStatus.FAILED, TickerStatus.DONE]
    )
