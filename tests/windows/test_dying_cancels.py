"""Who cancels dies in the middle of it, or is stalled: the run goes on, or it is asked to end."""

import signal
from collections.abc import Callable
from uuid import UUID

import pytest

from tests.acceptance.jobs import Jobs
from tests.acceptance.waiting import wait_until
from tests.inner import CrashPoint
from tests.windows.pairs import in_each
from tests.windows.stage import add, start_canceller, start_worker, wait_for_nodes
from tests.windows.traps import Trap, wait_until_stopped
from tests.windows.windows import CANCELS, LOCKING_CANCEL, Window
from tickerq_celery import TickerStatus
from tickerq_celery.errors import StoreError, TickerBusyError

pytestmark = pytest.mark.acceptance


def running(jobs: Jobs) -> UUID:
    """Start a run that waits for its cancellation, in a worker that no control command reaches."""
    start_worker(jobs)
    wait_for_nodes(jobs, workers=1)
    [run_id] = add(jobs, request=60, function="Waits")
    jobs.wait_for_note(f"waits {run_id}")
    return run_id


@in_each(*CANCELS)
def test_a_cancel_whose_process_died_is_a_whole_one_or_none(
    window: Window, trap: Trap, make_quick: Callable[..., Jobs]
) -> None:
    jobs = make_quick()
    run_id = running(jobs)
    canceller = start_canceller(jobs, run_id, trap=trap)
    trap.wait(canceller)
    assert canceller.wait() == -signal.SIGKILL
    if window.point is CrashPoint.CANCEL_UNCOMMITTED:
        assert not jobs.run(run_id).cancel_requested
        jobs.tickerq.runs.cancel(run_id)
    run = jobs.wait_for_status(run_id, TickerStatus.CANCELLED)
    assert [each.status for each in run.attempts] == [TickerStatus.CANCELLED]
    wait_until(lambda: jobs.notes(f"cancelled {run_id}"), jobs.logs)


@in_each(LOCKING_CANCEL)
def test_a_stalled_cancel_blocks_no_other_process(
    window: Window, trap: Trap, make_quick: Callable[..., Jobs]
) -> None:
    jobs = make_quick()
    run_id = running(jobs)
    canceller = start_canceller(jobs, run_id, trap=trap)
    trap.wait(canceller)
    wait_until_stopped(canceller)
    # On SQLite the whole database is locked.
    with pytest.raises((TickerBusyError, StoreError)):
        jobs.tickerq.runs.cancel(run_id)
    canceller.signal(signal.SIGCONT)
    jobs.wait_for_status(run_id, TickerStatus.CANCELLED)
