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
from tests.tables import tickers
from tests.thoroughness import in_proof
from tests.windows.effects import effects_of, make_table
from tests.windows.stage import SHORT_LEASE, start_beat, start_worker, wait_for_nodes
from tickerq_celery.enums import SUCCEEDED

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(1_200)]

RUNS_A_KILL = 3
APP = ("celery", "-A", "tests.windows.effects_app")
RUNNING = tickers.c.running_on.is_not(None)
UNFINISHED = tickers.c.ended_at.is_(None)


class Supervised:
    """A worker that is started again when it has ended: one whose child dies early ends by itself."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs
        self.process = self._started()

    def _started(self) -> CeleryProcess:
        return start_worker(self._jobs, pool="prefork", program=APP)

    def tend(self) -> bool:
        """Start it again where needed; return True."""
        if not self.process.is_alive():
            self.process = self._started()
        return True

    def kill_child(self) -> None:
        """Kill a process of the pool, if there is one just now, or else the worker."""
        children = [pid for pid in self.process.group() if pid != self.process.pid]
        os.kill(random.choice(children or [self.process.pid]), signal.SIGKILL)


# The proof: a hundred kills on each pair.
@pytest.mark.parametrize(("kills", "series"), [(4, 0), *(in_proof(20, number) for number in range(1, 6))])
@on_each_pair
def test_a_run_that_completes_in_its_own_transaction_has_its_effect_exactly_once(
    make_quick: Callable[..., Jobs], store_url: str, broker_url: str, kills: int, series: int
) -> None:
    # Where the broker is polled, a child that dies while it takes a task keeps the others from theirs.
    has_robust_pool = not broker_url.startswith("tickerq-fs")
    make_table(store_url)
    # Copies of what only waits in the queue would keep the worker busy.
    jobs = make_quick(lease=SHORT_LEASE, max_rescues=1_000, republish_after=60)
    worker = Supervised(jobs)
    start_beat(jobs, program=APP)
    wait_for_nodes(jobs, workers=1, beats=1)
    runs: set[UUID] = set()
    for number in range(kills):
        runs.update(jobs.add_many(RUNS_A_KILL, function="Effect"))
        wait_until(lambda: worker.tend() and (jobs.count(RUNNING) or not jobs.count(UNFINISHED)), jobs.logs)
        time.sleep(random.uniform(0, 0.1))
        if has_robust_pool and number % 4:
            worker.kill_child()
        else:
            worker.process.kill()
    wait_until(lambda: worker.tend() and not jobs.count(UNFINISHED), jobs.logs, 120)
    assert jobs.count(tickers.c.status.in_(SUCCEEDED)) == len(runs)
    assert effects_of(store_url, runs) == Counter(runs), jobs.logs()
