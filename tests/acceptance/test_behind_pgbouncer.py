"""Real beats and workers whose store is reached through PgBouncer in transaction mode."""

import itertools
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.acceptance.jobs import Jobs, due_in
from tests.acceptance.waiting import wait_until
from tests.inner import broker_url as folder_url
from tests.servers.availability import require
from tests.servers.pgbouncer import PgbouncerServer
from tests.servers.pool import SharedServer
from tests.tables import tickers
from tickerq_celery import CronTicker, TickerType

pytestmark = pytest.mark.acceptance


@pytest.fixture
def pooler(
    pytestconfig: pytest.Config, shared_server: Callable[[str], SharedServer]
) -> Iterator[PgbouncerServer]:
    """A PgBouncer of this test alone, with two connections to the shared PostgreSQL server."""
    require(pytestconfig, "pgbouncer")
    with PgbouncerServer(shared_server("postgres")) as server:
        yield server


@pytest.fixture
def jobs(
    make_jobs: Callable[..., Jobs], pooler: PgbouncerServer, schema_url: Callable[[str], str], tmp_path: Path
) -> Jobs:
    """An application whose processes know the pooler's address only."""
    return make_jobs(pooler.before(schema_url("postgres")), folder_url(tmp_path / "broker"))


@pytest.mark.verify  # of the store alone, tests/integration has them
def test_a_worker_and_two_beats_run_tickers_retries_and_crons(jobs: Jobs) -> None:
    worker, *beats = jobs.worker(), jobs.beat(), jobs.beat()
    wait_until(lambda: len(jobs.node_names("beat")) == 2, jobs.logs)
    cron = jobs.tickerq.cron_tickers.add(CronTicker(function="Plain", expression="* * * * * *"))
    ids = jobs.add_many(100, execution_time=due_in(0.5))
    failing = jobs.add("Fails", 1, retries=1, retry_intervals=[0.5], execution_time=due_in(0.5))
    jobs.wait_for_all([*ids, failing])
    wait_until(lambda: jobs.count(tickers.c.cron_ticker_id == cron.id) >= 3, jobs.logs)
    jobs.tickerq.cron_tickers.pause(cron.id)
    wait_until(lambda: jobs.count(tickers.c.ended_at.is_(None)) == 0, jobs.logs)

    starts = jobs.starts()
    assert {str(run_id) for run_id in ids} <= starts.keys()
    assert set(starts.values()) == {1}
    assert (jobs.run(failing).retry_count, len(jobs.run(failing).attempts)) == (1, 2)
    assert jobs.count(tickers.c.claim_no != 1) == 1
    occurrences = jobs.tickerq.runs.find(type=TickerType.CRON_TICKER_OCCURRENCE, limit=100)
    instants = sorted(run.execution_time for run in occurrences if run.execution_time is not None)
    assert {later - one for one, later in itertools.pairwise(instants)} == {timedelta(seconds=1)}
    for beat in beats:
        assert beat.stop(10) == 0
        assert not beat.lines("ERROR")
    assert [line for line in worker.lines("ERROR") if "was to fail" not in line] == []


@pytest.mark.verify
def test_beat_and_worker_outlive_a_restart_of_the_pooler(jobs: Jobs, pooler: PgbouncerServer) -> None:
    worker, beat = jobs.worker(), jobs.beat()
    wait_until(lambda: jobs.node_names("beat"), jobs.logs)
    asleep = jobs.add("Sleeps", 1.5)
    jobs.wait_for_note(f"asleep {asleep}")
    pooler.stop()
    beat.wait_for("beat paused: store unreachable")
    worker.wait_for("worker paused: store unreachable")
    jobs.wait_for_note(f"awake {asleep}")
    pooler.start()
    jobs.wait_for_status(jobs.add("Plain", execution_time=due_in(0.5)))
    assert len(jobs.wait_for_status(asleep).attempts) == 1
    beat.wait_for("beat resumed: store reachable")
    worker.wait_for("worker resumed: store reachable")
    for process, words in ((beat, "beat paused"), (worker, "worker paused")):
        assert len(process.lines("ERROR", words)) == 1, process.log
        assert "Traceback" not in process.log
