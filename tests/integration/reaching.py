"""Bring a run to a status by the steps of beats and workers, so that its row is one that they write."""

from uuid import UUID

from tests.inner import Recorder, failed, succeeded
from tests.integration.apps import enrol_worker, row_of
from tests.integration.making import claim, failure, finish
from tickerq_celery import TickerQ, TickerStatus


def reach(tickerq: TickerQ, run_id: UUID, status: TickerStatus) -> None:
    """Let a run be claimed, started and ended until it has ``status``; it must be due."""
    if row_of(tickerq, run_id).status is TickerStatus.IDLE and status is not TickerStatus.IDLE:
        enrol_worker(tickerq)
        assert claim(tickerq.core, [run_id])
    if status not in {TickerStatus.IDLE, TickerStatus.QUEUED}:
        run = Recorder(tickerq.core).start(run_id, row_of(tickerq, run_id).claim_no)
        assert run is not None
        if status is TickerStatus.FAILED:
            finish(tickerq.core, run, failed(run.standing, failure()))
        elif status is not TickerStatus.IN_PROGRESS:
            finish(tickerq.core, run, succeeded(run.standing))
    assert row_of(tickerq, run_id).status is status
