"""A real worker whose store writes a start or an end, and whose answer never arrives: nothing runs twice."""

from collections import Counter

import pytest

from tests.acceptance.jobs import Jobs
from tests.servers.proxy import TcpProxy
from tests.thoroughness import in_verify
from tickerq_celery import TickerStatus

pytestmark = pytest.mark.acceptance

START, END = b"start_id", b"INSERT INTO tickerq_attempts"


@pytest.mark.parametrize(
    ("store_url", "statement"),
    [("postgres", START), ("mariadb", END), in_verify("mariadb", START), in_verify("postgres", END)],
    indirect=["store_url"],
)
def test_a_body_is_executed_once_though_an_answer_about_its_run_is_lost(
    jobs: Jobs, proxy: TcpProxy, store_url: str, statement: bytes
) -> None:
    jobs.worker(environ={"JOB_STORE_URL": proxy.before(store_url)})
    jobs.beat()
    proxy.cut_answer_to(statement)
    run = jobs.wait_for_status(jobs.add("Plain"))
    assert proxy.cuts == 1
    assert jobs.starts() == Counter({str(run.id): 1})
    assert [attempt.status for attempt in run.attempts] == [TickerStatus.DONE]
    # Others are executed on new connections.
    jobs.wait_for_all(jobs.add_many(5))
