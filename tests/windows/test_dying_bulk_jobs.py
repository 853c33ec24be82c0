"""A beat dies in a batch of a job on many runs: another one does all of it, and once."""

import signal
from collections.abc import Callable

import pytest

from tests.acceptance.jobs import Jobs
from tests.acceptance.waiting import wait_until
from tests.tables import tickers
from tests.windows.pairs import in_each
from tests.windows.stage import add, start_beat
from tests.windows.traps import Trap
from tests.windows.windows import BULK_JOB, Window
from tickerq_celery import TickerStatus
from tickerq_celery.enums import BulkState

pytestmark = pytest.mark.acceptance


@in_each(BULK_JOB)
def test_a_batch_whose_beat_died_is_done_by_another(
    window: Window, trap: Trap, make_quick: Callable[..., Jobs]
) -> None:
    jobs = make_quick()
    ids = add(jobs, 3)
    for each in ids:
        jobs.tickerq.runs.cancel(each)
    job = jobs.tickerq.bulk.start("retry", ids=ids)
    beat = start_beat(jobs, trap=trap)
    trap.wait(beat)
    assert beat.wait() == -signal.SIGKILL
    assert jobs.tickerq.bulk.get(job.id).state is BulkState.WAITING
    assert jobs.count(tickers.c.status == TickerStatus.CANCELLED) == 3
    start_beat(jobs)
    wait_until(lambda: jobs.tickerq.bulk.get(job.id).has_ended, jobs.logs)
    done = jobs.tickerq.bulk.get(job.id)
    assert (done.state, done.changed, done.skipped) == (BulkState.DONE, 3, 0)
    assert jobs.count(tickers.c.status == TickerStatus.CANCELLED) == 0
