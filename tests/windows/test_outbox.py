"""Programs die while they place orders: with an outbox each order has its receipt, and no other has one."""

from collections import Counter
from collections.abc import Callable, Collection

import pytest

from tests.acceptance.jobs import Jobs
from tests.acceptance.pairs import on_each_pair
from tests.acceptance.processes import CeleryProcess
from tests.acceptance.waiting import wait_until
from tests.tables import tickers
from tests.thoroughness import in_proof
from tests.windows.orders import make_table, orders_of
from tests.windows.stage import start_beat, start_worker

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(3_600)]

APP = ("celery", "-A", "tests.windows.outbox_app")
UNENDED = tickers.c.ended_at.is_(None)


def receipts_of(jobs: Jobs) -> Counter[str]:
    return Counter(note.partition(" ")[2] for note in jobs.notes("receipt"))


def start_program(jobs: Jobs, what: str) -> CeleryProcess:
    return jobs.script(
        "tests.windows.ordering",
        environ={"JOB_ORDERING": what},
        # Tests share a virtual host of RabbitMQ.
        celery={"task_default_queue": jobs.namespace},
    )


def of_way(names: Collection[str], way: str) -> set[str]:
    return {name for name in names if name.startswith(f"{way}-")}


@on_each_pair
def test_a_program_that_is_killed_at_each_line_loses_and_doubles_no_call_of_its_outbox(
    make_quick: Callable[..., Jobs], store_url: str, broker_url: str
) -> None:
    make_table(store_url)
    jobs = make_quick(republish_after=60)
    program = start_program(jobs, "lines")
    assert program.wait(600) == 0, program.log
    start_worker(jobs, program=APP)
    start_beat(jobs, program=APP)
    orders = orders_of(store_url, jobs.namespace)
    # Of each program the last one lived.
    lived = [max(of_way(orders, way), key=lambda name: int(name.partition("-")[2])) for way in WAYS]
    wait_until(lambda: not jobs.count(UNENDED) and {*lived} <= receipts_of(jobs).keys(), jobs.logs, 120)
    receipts = receipts_of(jobs)
    assert of_way(receipts, "outbox") == of_way(orders, "outbox"), jobs.logs()
    assert set(receipts.values()) == {1}
    # What it is compared with: Celery alone sends what is not committed, or loses what is.
    assert of_way(receipts, "before") > of_way(orders, "before")
    assert of_way(receipts, "after") < of_way(orders, "after")


WAYS = ("outbox", "before", "after")


@pytest.mark.parametrize("count", [pytest.param(100, marks=pytest.mark.verify), in_proof(2_000)])
@on_each_pair
def test_what_was_committed_is_executed_and_nothing_else_is(
    make_quick: Callable[..., Jobs], store_url: str, broker_url: str, count: int
) -> None:
    make_table(store_url)
    # Long enough for a busy worker to report what it has, and for a process that goes on to stamp.
    jobs = make_quick(republish_after=60, publish_check=3)
    start_worker(jobs, program=APP)
    start_beat(jobs, program=APP)
    shares = [count // 3, count // 3, count - 2 * (count // 3)]
    programs = [start_program(jobs, f"random {number} {share}") for number, share in enumerate(shares)]
    assert [program.wait(3_000) for program in programs] == [0, 0, 0], jobs.logs()
    orders = orders_of(store_url, jobs.namespace)
    assert orders
    wait_until(lambda: not jobs.count(UNENDED) and receipts_of(jobs).keys() >= orders, jobs.logs, 600)
    assert receipts_of(jobs).keys() == orders, jobs.logs()
