"""A worker is killed again and again, wherever it is: each run's effect is there exactly once."""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from uuid import UUID

import pytest

from tests.acceptance.jobs import Jobs
from tests.acceptance.pairs import on_each_pair
from tests.acceptance.processes import CeleryProcess
from tests.acceptance.waiting import wait_until
from tests.thoroughness import IS_THOROUGH
from tests.windows.effects import effects_of, make_table
from tests.windows.stage import SHORT_LEASE, start_beat, start_worker, wait_for_nodes, wait_for_rest
from tickerq_celery.enums import SUCCEEDED
from tickerq_celery.models import tickers

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(1_200)]

KILLS = 100 if IS_THOROUGH else 4  # on each of three pairs
RUNS_A_KILL = 3
APP = ("celery", "-A", "tests.windows.effects_app")


def kill_child(worker: CeleryProcess) -> None:
    """Kill one process of the pool, which the worker then fills again."""
    children = wait_until(
        lambda: [pid for pid in worker.group() if pid != worker.pid], lambda: f"a child\n{worker.log}"
    )
    os.kill(random.choice(children), signal.SIGKILL)


@on_each_pair
def test_a_run_that_completes_in_its_own_transaction_has_its_effect_exactly_once(
    make_quick: Callable[..., Jobs], store_url: str
) -> None:
    make_table(store_url)
    jobs = make_quick(lease=SHORT_LEASE, max_rescues=1_000)
    worker = start_worker(jobs, pool="prefork", program=APP)
    start_beat(jobs, program=APP)
    wait_for_nodes(jobs, workers=1, beats=1)
    runs: set[UUID] = set()
    for number in range(KILLS):
        runs.update(jobs.add_many(RUNS_A_KILL, function="Effect"))
        wait_until(lambda: jobs.count(tickers.c.running_on.is_not(None)), jobs.logs)
        time.sleep(random.uniform(0, 0.1))
        if number % 4 == 3:
            worker.kill()
            worker = start_worker(jobs, pool="prefork", program=APP)
        else:
            kill_child(worker)
    wait_for_rest(jobs)
    assert jobs.count(tickers.c.status.in_(SUCCEEDED)) == len(runs)
    assert effects_of(store_url, runs) == Counter(runs), jobs.logs()
