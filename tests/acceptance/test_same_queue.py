"""Beside a large backlog of one function, a run of another in the same queue starts at once."""

from collections.abc import Callable
from datetime import datetime

import pytest

from tests.acceptance.jobs import Jobs
from tests.acceptance.waiting import wait_until
from tests.tables import tickers
from tickerq_celery import TimeTicker

pytestmark = [pytest.mark.acceptance, pytest.mark.verify]
BACKLOG, OTHERS = 4_000, 3
# In the broker before it may stand what workers start in a second, on a slow machine in two.
MOST_BEFORE = 1_500


def started(jobs: Jobs, until: datetime | None = None) -> int:
    """Return how many runs of the backlog have started, at all or until a moment."""
    is_so = tickers.c.started_at.is_not(None) if until is None else tickers.c.started_at <= until
    return jobs.count(tickers.c.function == "Plain", is_so)


@pytest.mark.parametrize("broker_url", ["redis"], indirect=True)
def test_a_run_of_another_function_starts_before_most_of_a_backlog(
    make_jobs: Callable[..., Jobs], store_url: str, broker_url: str
) -> None:
    jobs = make_jobs(store_url, broker_url, lease=30)
    jobs.worker()
    jobs.beat()
    wait_until(lambda: jobs.node_names("beat"), jobs.logs)
    engine = jobs.tickerq.core.database.engine
    for _ in range(4):
        # In a transaction of the caller's nothing is published at once.
        with engine.begin() as connection:
            backlog = [TimeTicker(function="Plain")] * (BACKLOG // 4)
            jobs.tickerq.time_tickers.add_batch(backlog, allow_unknown=True, session=connection)
    for number in range(OTHERS):
        wait_until(lambda number=number: started(jobs) > 100 * number, jobs.logs)
        before = started(jobs)
        with engine.begin() as connection:
            ticker = TimeTicker(function="InClass", request=1)
            run = jobs.tickerq.time_tickers.add(ticker, allow_unknown=True, session=connection)
        run = jobs.wait_for_status(run.id)
        assert started(jobs, run.started_at) - before < MOST_BEFORE
    assert started(jobs) < BACKLOG
