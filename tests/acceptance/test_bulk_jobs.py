"""A bulk job whose beats are killed: each run is retried, and once."""

import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from tests.acceptance.jobs import Jobs, due_in
from tests.acceptance.waiting import wait_until
from tests.inner import CrashPoint, transport
from tests.servers.pool import SharedServer
from tests.servers.schema_template import make_schema
from tests.windows.traps import Trap
from tickerq_celery.enums import BulkState
from tickerq_celery.views import BulkJob

pytestmark = pytest.mark.acceptance

# No worker has it: what is retried waits, and only this test lets it fail again.
FUNCTION = "Unregistered"
MANY, AT_ONCE = 50_000, 5_000
# What ends a run as Failed after one attempt.
ATTEMPT = """
    INSERT INTO tickerq_attempts (ticker_id, claim_no, retries, number, status, ended_at)
    SELECT id, claim_no + 1, 0, claim_no, 5, {now} FROM tickerq_tickers
    WHERE status = 0 AND namespace = '{namespace}'
"""
FAIL = """
    UPDATE tickerq_tickers SET status = 5, ended_status = 5, ended_at = {now}, claim_no = claim_no + 1,
    due_at = NULL, held_for = NULL, hold_key = NULL, held_since = NULL
    WHERE status = 0 AND namespace = '{namespace}'
"""
# Counts in the database itself how often a run goes from Failed to Idle, whatever code lets it.
COUNTER = (
    "CREATE TABLE retried (id uuid NOT NULL)",
    """
    CREATE FUNCTION note_retry() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN INSERT INTO retried VALUES (NEW.id); RETURN NULL; END $$
    """,
    """
    CREATE TRIGGER note_retry AFTER UPDATE ON tickerq_tickers
    FOR EACH ROW WHEN (OLD.status = 5 AND NEW.status = 0) EXECUTE FUNCTION note_retry()
    """,
)


@pytest.fixture
def own_postgres(shared_server: Callable[[str], SharedServer]) -> Iterator[str]:
    """A database with the schema, of this test alone."""
    server = shared_server("postgres")
    url = server.new_database()
    make_schema(url)
    yield url
    server.drop_database(url)


def fail_all(jobs: Jobs, now: str) -> None:
    """Let an attempt of each Idle run fail."""

    def work(connection: Connection) -> None:
        for statement in (ATTEMPT, FAIL):
            connection.execute(text(statement.format(now=now, namespace=jobs.namespace)))

    jobs.tickerq.core.database.write(work)


def make_failed(jobs: Jobs, count: int, now: str) -> None:
    for first in range(0, count, AT_ONCE):
        jobs.add_many(min(AT_ONCE, count - first), function=FUNCTION, execution_time=due_in(3600))
    fail_all(jobs, now)


def wait_for(jobs: Jobs, job: BulkJob, is_reached: Callable[[BulkJob], bool]) -> BulkJob:
    def reached() -> BulkJob | None:
        found = jobs.tickerq.bulk.get(job.id)
        return found if is_reached(found) else None

    return wait_until(reached, lambda: f"{jobs.tickerq.bulk.get(job.id)}\n{jobs.logs()}")


@pytest.mark.verify
@pytest.mark.timeout(900)
def test_50_000_failed_runs_are_each_retried_once_though_their_beats_are_killed(
    make_jobs: Callable[..., Jobs], own_postgres: str, tmp_path: Path
) -> None:
    jobs = make_jobs(own_postgres, transport.broker_url(tmp_path / "broker"))
    make_failed(jobs, MANY, "statement_timestamp()")
    database = jobs.tickerq.core.database
    database.write(lambda connection: [connection.execute(text(each)) for each in COUNTER])

    job = jobs.tickerq.bulk.start("retry", function=FUNCTION, status="failed")
    begun = time.monotonic()
    first = jobs.beat(ready=False)
    seen = wait_for(jobs, job, lambda found: found.changed >= MANY // 5)
    first.kill()
    assert jobs.tickerq.bulk.get(job.id).changed < MANY, "the job was done before beat was killed"
    # What was retried fails once more: the job is not to retry it a second time.
    fail_all(jobs, "statement_timestamp()")
    trap = Trap.at(CrashPoint.BULK_UNCOMMITTED, signal.SIGKILL, token=tmp_path / "token")
    trap.wait(jobs.beat(failpoint=trap.text, ready=False))
    jobs.beat()
    jobs.beat()
    done = wait_for(jobs, job, lambda found: found.has_ended)
    seconds = time.monotonic() - begun

    assert (done.state, done.changed, done.skipped) == (BulkState.DONE, MANY, 0)
    retried = "SELECT count(*), count(DISTINCT id) FROM retried"
    counts = database.read(lambda connection: connection.execute(text(retried)).one())
    assert tuple(counts) == (MANY, MANY)
    assert seen.started_at is not None
    speed = seen.changed / (seen.updated_at - seen.started_at).total_seconds()
    print(
        f"{MANY:,} runs in {seconds:.1f} s with two beats killed; {speed:,.0f} a second by the first of them"
    )
