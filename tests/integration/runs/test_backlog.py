"""What is overdue: due and not claimed, claimed and not started, due and not fired; what is held is not."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from tests.inner import Core
from tests.integration.making import claim, enrolled, make_cron, make_run, make_runs, row_of, started
from tests.manual_clock import START, ManualClock
from tests.statements import backlog
from tests.tables import tickers
from tickerq_celery import TimeTicker
from tickerq_celery.enums import TickerStatus
from tickerq_celery.store.health.backlog import Late, Overdue
from tickerq_celery.store.runs.publications import NEVER
from tickerq_celery.tickers.flows import FunctionQueue
from tickerq_celery.views import Count

NO_RUN = Late(count=Count(0), since=None)


def late(count: int, since: datetime) -> Late:
    return Late(count=Count(count), since=since)


def overdue(core: Core, *, without: Sequence[FunctionQueue] = ()) -> Overdue:
    return core.read(
        backlog.overdue, due_for=timedelta(seconds=30), queued_for=timedelta(minutes=5), without=without
    )


def is_on_time(core: Core) -> bool:
    found = overdue(core)
    return not found.runs and [found.calls, found.queued, found.unreported, found.crons] == [NO_RUN] * 4


def change(core: Core, run_id: UUID, **values: object) -> None:
    """Write columns of a run past the managers."""
    core.write(lambda tx: tx.execute(tickers.update().where(tickers.c.id == run_id).values(**values)))


def test_a_run_is_overdue_once_it_was_due_for_so_long_and_until_it_is_claimed(
    core: Core, clock: ManualClock
) -> None:
    enrolled(core)
    make_run(core)
    clock.advance(seconds=29)
    assert is_on_time(core)
    clock.advance(seconds=1)
    assert overdue(core).runs == {"Send": late(1, START)}
    claim(core)
    assert is_on_time(core)


def test_what_waits_for_capacity_behind_others_of_its_function_is_not_overdue(
    core: Core, clock: ManualClock
) -> None:
    enrolled(core, prefetch=10)
    runs = make_runs(core, 45)
    other = make_run(core, queue="mail")
    claim(core, runs)
    clock.advance(seconds=30)
    waiting = core.read(backlog.waiting, queued_for=timedelta(minutes=5))
    assert backlog.for_capacity(waiting, claimed_since=clock.now()) == []
    waits = backlog.for_capacity(waiting, claimed_since=START)
    assert [(each.flow, each.runs) for each in waits] == [(FunctionQueue("Send", None), 5)]
    assert overdue(core).runs == {"Send": late(6, START)}
    assert overdue(core, without=[each.flow for each in waits]).runs == {"Send": late(1, START)}
    claim(core, [other])
    assert overdue(core, without=[each.flow for each in waits]).runs == {}


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
    assert overdue(core).queued == late(1, claimed_at)


def test_a_call_of_a_celery_task_is_overdue_until_the_broker_has_it(core: Core, clock: ManualClock) -> None:
    enrolled(core)
    claimed_at = clock.now()
    run_id = make_run(core)
    assert claim(core)
    change(core, run_id, kind="celery_task")
    clock.advance(minutes=5)
    assert overdue(core).queued == late(1, claimed_at)
    change(core, run_id, published_at=claimed_at)
    assert is_on_time(core)


def test_a_published_call_with_children_is_unreported_until_a_worker_reports_it(
    core: Core, clock: ManualClock
) -> None:
    published_at = clock.now()
    awaited = {"check_at": NEVER, "published_at": published_at}
    at_the_broker = {"status": TickerStatus.QUEUED, "due_at": None, **awaited}
    parent = make_run(core, children=[TimeTicker(function="Send"), TimeTicker(function="Send")])
    change(core, parent, kind="celery_task", **at_the_broker)
    clock.advance(minutes=5, seconds=-1)
    assert is_on_time(core)
    clock.advance(seconds=1)
    assert overdue(core).unreported == late(1, published_at)
    change(core, parent, status=TickerStatus.IN_PROGRESS, check_at=None)
    assert is_on_time(core)


def test_what_is_held_is_not_overdue(core: Core, clock: ManualClock) -> None:
    run_id = make_run(core)
    claim(core)
    assert row_of(core, run_id).held_for == "function"
    clock.advance(days=1)
    assert is_on_time(core)


def test_a_cron_ticker_is_overdue_that_should_have_fired(core: Core, clock: ManualClock) -> None:
    make_cron(core)
    clock.advance(days=2)
    found = overdue(core)
    assert (int(found.crons.count), found.crons.since is not None, found.runs) == (1, True, {})
