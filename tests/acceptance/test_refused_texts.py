"""A store that refuses a text: a body whose end has one runs once, in real processes, and its end stands."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.jobs import Jobs
from tests.inner import REFUSED_TEXTS
from tests.integration.refusing import refuse_arrows
from tests.servers.schema_template import make_schema
from tickerq_celery import TickerStatus
from tickerq_celery.broker.embedded import transport

pytestmark = pytest.mark.acceptance

FAILED, SKIPPED = TickerStatus.FAILED, TickerStatus.SKIPPED


@pytest.mark.verify  # tests/integration/runs has what is written in place of the text
@pytest.mark.parametrize("empty_database_url", ["postgres", "mariadb"], indirect=True)
def test_a_body_whose_end_the_store_refuses_for_its_text_runs_no_more_often_than_it_should(
    make_jobs: Callable[..., Jobs], empty_database_url: str, tmp_path: Path
) -> None:
    make_schema(empty_database_url)
    refuse_arrows(empty_database_url)
    jobs = make_jobs(empty_database_url, transport.broker_url(tmp_path / "broker"))
    worker = jobs.worker()
    jobs.beat()
    fails, skips = jobs.add("Arrows", "fail"), jobs.add("Arrows", "skip")
    retried = jobs.add("Arrows", "fail", retries=1, retry_intervals=[0.1])
    # From these statuses no run goes on.
    ended = [jobs.wait_for_status(run_id, FAILED, SKIPPED) for run_id in (fails, skips, retried)]
    assert [run.status for run in ended] == [FAILED, SKIPPED, FAILED]
    assert [len(jobs.notes(f"arrows {run.id}")) for run in ended] == [1, 1, 2]
    assert [run.exception_message or run.skipped_reason for run in ended] == [REFUSED_TEXTS] * 3
    assert [each.exception_message for each in ended[2].attempts] == [REFUSED_TEXTS] * 2
    assert [run.rescue_count for run in ended] == [0, 0, 0]
    assert len(worker.lines("is recorded without its texts")) == 4
