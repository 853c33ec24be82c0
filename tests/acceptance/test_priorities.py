"""A flood of Low starves no run, on brokers that know priorities; long runs have a queue of their own."""

from collections.abc import Callable
from uuid import UUID

import pytest

from tests.acceptance.jobs import STAMPED, Jobs
from tests.integration.apps import enrol_worker
from tickerq_celery import TickerPriority

pytestmark = pytest.mark.acceptance

# RabbitMQ keeps the order of priorities in queues that are declared so, and in no others.
DECLARED = {"task_queue_max_priority": 10}
FLOOD = 40


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
@pytest.mark.each_pair_alike
@pytest.mark.parametrize("broker_url", ["redis", "rabbitmq"], indirect=True)
def test_a_flood_of_low_starves_no_run_and_a_long_run_goes_to_its_own_queue(
    make_jobs: Callable[..., Jobs], store_url: str, broker_url: str
) -> None:
    # The first to have the function is no process, and takes no message: hence the lease.
    jobs = make_jobs(store_url, broker_url, lease=300, priority_queues={"LONG_RUNNING": "long"})
    jobs.tickerq.app.conf.update(DECLARED)
    jobs.tickerq.function("Plain")(lambda: None)
    enrol_worker(jobs.tickerq)
    low = jobs.add_many(FLOOD, priority=TickerPriority.LOW)
    normal, high, long = (
        jobs.add("Plain", priority=each)
        for each in (TickerPriority.NORMAL, TickerPriority.HIGH, TickerPriority.LONG_RUNNING)
    )
    assert jobs.count(STAMPED) == FLOOD + 3
    assert jobs.run(long).queue == "long"

    # What a worker has prefetched stands before what comes later, however urgent: here one message.
    celery = {**DECLARED, "worker_prefetch_multiplier": 1}
    jobs.worker("-Q", "celery", concurrency=1, celery=celery)
    jobs.wait_for_all([*low, normal, high])
    assert ran(jobs)[:2] == [high, normal]
    assert long not in ran(jobs)

    jobs.worker("-Q", "long", concurrency=1, celery=celery)
    jobs.wait_for_all([long])


def ran(jobs: Jobs) -> list[UUID]:
    """Return the runs of ``Plain`` in the order in which they began."""
    return [UUID(line.split()[1]) for line in jobs.notes("ran ")]
