"""Who hands calls back to Celery dies on either side of a message, or between it and its record."""

import signal
from collections import Counter
from collections.abc import Callable

import pytest
from sqlalchemy import update

from tests.acceptance.jobs import Jobs
from tests.acceptance.waiting import wait_until
from tests.inner import CrashPoint
from tests.tables import tickers
from tests.windows.pairs import in_each
from tests.windows.stage import messages_in_queue, start_hand_back, start_worker
from tests.windows.traps import Trap
from tests.windows.windows import HAND_BACKS, Window
from tickerq_celery import TickerStatus, TimeTicker

pytestmark = pytest.mark.acceptance
WAITS = tickers.c.status == TickerStatus.IDLE


@in_each(*HAND_BACKS)
def test_a_repeat_of_a_killed_command_hands_back_the_rest_and_one_call_at_most_comes_twice(
    window: Window, trap: Trap, make_quick: Callable[..., Jobs]
) -> None:
    jobs = make_quick()
    ids = add_overdue_calls(jobs)
    command = start_hand_back(jobs, trap=trap)
    trap.wait(command)
    assert command.wait() == -signal.SIGKILL
    # A server notices in a moment that the dead command's connection is gone.
    left = 2 if window.point is CrashPoint.STAMPED else 3
    wait_until(lambda: jobs.count(WAITS) == left, jobs.logs)
    wait_until(lambda: start_hand_back(jobs).wait() == 0, jobs.logs)
    assert jobs.count(WAITS) == 0
    times = [1, 1, 2] if window.point is CrashPoint.PUBLISHED else [1, 1, 1]
    assert messages_in_queue(jobs) == sum(times)
    start_worker(jobs)
    wait_until(lambda: len(jobs.notes("worked ")) == sum(times), jobs.logs)
    executed = Counter(note.split()[1] for note in jobs.notes("works "))
    assert sorted(executed) == sorted(ids)
    assert sorted(executed.values()) == times


def add_overdue_calls(jobs: Jobs) -> list[str]:
    """Store three calls that are due, and that nothing has sent: no beat runs, and their adder left them."""
    calls = [TimeTicker(task="job_app.work", delay=600) for _ in range(3)]
    ids = [run.id for run in jobs.tickerq.time_tickers.add_batch(calls)]
    core = jobs.tickerq.core
    due_at = core.read(lambda tx: tx.now)
    core.write(lambda tx: tx.execute(update(tickers).where(tickers.c.id.in_(ids)).values(due_at=due_at)))
    return [str(each) for each in ids]
