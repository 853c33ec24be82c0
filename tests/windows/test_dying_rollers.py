"""A beat dies while it counts ends into the roll-up: each of them is counted once all the same."""

import signal
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from tests.acceptance.jobs import Jobs
from tests.acceptance.waiting import wait_until
from tests.inner import CrashPoint
from tests.integration.stats.rolling import recount, rolled_up
from tests.servers.own_store import own_store
from tests.servers.pool import SharedServer
from tests.tables import tickers
from tests.windows.pairs import in_each
from tests.windows.stage import add, start_beat
from tests.windows.traps import Trap
from tests.windows.windows import ROLLUPS, Window
from tickerq_celery.stats.rolling import roll_up

pytestmark = pytest.mark.acceptance


@pytest.fixture
def store_url(
    request: pytest.FixtureRequest, shared_server: Callable[[str], SharedServer], tmp_path: Path
) -> Iterator[str]:
    """A database of this test alone: all beats of a store count the same ends."""
    with own_store(request.param, shared_server, tmp_path) as url:
        yield url


@in_each(*ROLLUPS)
def test_ends_that_a_dead_beat_was_counting_are_counted_once(
    window: Window, trap: Trap, make_quick: Callable[..., Jobs]
) -> None:
    jobs = make_quick()
    ids = add(jobs, 3)
    for each in ids:
        jobs.tickerq.runs.cancel(each)
    core = jobs.tickerq.core
    earlier = {"ended_at": core.read(lambda tx: tx.now) - timedelta(minutes=10)}
    core.write(lambda tx: tx.execute(update(tickers).where(tickers.c.id.in_(ids)).values(earlier)))
    beat = start_beat(jobs, trap=trap)
    trap.wait(beat)
    assert beat.wait() == -signal.SIGKILL
    is_committed = window.point is CrashPoint.ROLLED_UP
    assert sum(each.ends for each in rolled_up(core).values()) == (3 if is_committed else 0)
    # A server notices in a moment that the dead beat's connection is gone.
    counted = []
    wait_until(lambda: counted.append(core.write(roll_up)) or counted[-1] is not None, jobs.logs)
    assert counted[-1].ends == (0 if is_committed else 3)
    assert rolled_up(core) == recount(core)
