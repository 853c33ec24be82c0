"""What is overdue: due and not claimed, claimed and not started, due and not fired; what is held is not."""

from datetime import timedelta

from tests.integration.making import claim, enrolled, make_cron, make_run, row_of, started
from tests.manual_clock import START, ManualClock
from tickerq_celery.runtime.core import Core
from tickerq_celery.store import backlog
from tickerq_celery.store.backlog import Overdue

NONE = Overdue(runs=0, run_since=None, queued=0, queued_since=None, crons=0, cron_since=None)


def overdue(core: Core) -> Overdue:
    return core.read(backlog.overdue, due_for=timedelta(seconds=30), queued_for=timedelta(minutes=5))


def test_a_run_is_overdue_once_it_was_due_for_so_long_and_until_it_is_claimed(
    core: Core, clock: ManualClock
) -> None:
    enrolled(core)
    make_run(core)
    clock.advance(seconds=29)
    assert overdue(core) == NONE
    clock.advance(seconds=1)
    assert (overdue(core).runs, overdue(core).run_since) == (1, START)
    claim(core)
    assert overdue(core) == NONE


def test_a_claimed_run_is_overdue_once_it_was_claimed_for_so_long_and_until_it_starts(
    core: Core, clock: ManualClock
) -> None:
    enrolled(core)
    claimed_at = clock.now()
    make_run(core)
    claim(core)
    run_id = make_run(core)
    started(core, run_id)
    clock.advance(minutes=5)
    assert (overdue(core).queued, overdue(core).queued_since) == (1, claimed_at)


def test_what_is_held_is_not_overdue(core: Core, clock: ManualClock) -> None:
    run_id = make_run(core)
    claim(core)
    assert row_of(core, run_id).held_for == "function"
    clock.advance(days=1)
    assert overdue(core) == NONE


def test_a_cron_ticker_is_overdue_that_should_have_fired(core: Core, clock: ManualClock) -> None:
    make_cron(core)
    clock.advance(days=2)
    found = overdue(core)
    assert (found.crons, found.cron_since is not None, found.runs) == (1, True, 0)
