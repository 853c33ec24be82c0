"""Overlap: one occurrence of a cron ticker at a time holds the overlap lock, however the one before ends."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest

from tests.inner import (
    CANCELLED_REASON,
    CancelRequest,
    Core,
    Recorder,
    Started,
    Transaction,
    advance_queues,
    overlap,
    succeeded,
)
from tests.integration.cron.firing import alter, fire
from tests.integration.locking import locked
from tests.integration.making import (
    ON_SERVERS,
    ListPublisher,
    claim,
    count_by_status,
    crons,
    enrolled,
    fail,
    finish,
    make_cron,
    occurrences_of,
    processes,
    row_of,
    runs,
    start,
    started,
    statements_of,
    storing,
)
from tests.manual_clock import START, ManualClock
from tests.plain_surroundings import PlainSurroundings
from tests.tables import tickers as table
from tickerq_celery import Run, RunCondition, TimeTicker
from tickerq_celery.beat.sweeper import CronUpkeep
from tickerq_celery.enums import HoldReason, OverlapPolicy, TickerStatus
from tickerq_celery.managers.runs.runs import RunManager
from tickerq_celery.runs.cancelling import Canceller
from tickerq_celery.runs.ending import AttemptEnd, EndWriter
from tickerq_celery.typing import PauseManager

IDLE, QUEUED, CANCELLED = TickerStatus.IDLE, TickerStatus.QUEUED, TickerStatus.CANCELLED
WITH_QUEUE = (OverlapPolicy.BUFFER_ONE, OverlapPolicy.BUFFER_ALL, OverlapPolicy.CANCEL_OTHER)


def fired(core: Core, clock: ManualClock, cron_id: UUID) -> UUID:
    """Let the next instant come, and return its occurrence."""
    clock.advance(hours=1)
    fire(core)
    run_id: UUID = occurrences_of(core, cron_id)[-1].id
    return run_id


def running(core: Core, clock: ManualClock, cron_id: UUID) -> Started:
    """Let the next instant come, and start its occurrence."""
    return started(core, fired(core, clock, cron_id))


def forget(core: Core, run_id: UUID) -> None:
    """Delete a run past all calls, so that nothing passes its overlap lock on."""
    core.write(lambda tx: tx.execute(table.delete().where(table.c.id == run_id)))


def waits(core: Core, run_id: UUID) -> bool:
    return bool(row_of(core, run_id).held_for == HoldReason.OVERLAP)


def sweep(core: Core) -> None:
    core.write(advance_queues, after="")


@pytest.mark.parametrize("overlap", WITH_QUEUE)
def test_the_end_of_one_lets_the_next_run(core: Core, clock: ManualClock, overlap: OverlapPolicy) -> None:
    enrolled(core)
    cron_id = make_cron(core, overlap=overlap)
    first = running(core, clock, cron_id)
    second = fired(core, clock, cron_id)
    assert waits(core, second)
    assert claim(core) == []
    finish(core, first, succeeded(first.standing))
    assert [claimed.id for claimed in claim(core)] == [second]
    assert not row_of(core, second).is_late


def test_those_that_wait_run_one_after_the_other_oldest_first(core: Core, clock: ManualClock) -> None:
    enrolled(core)
    cron_id = make_cron(core, overlap=OverlapPolicy.BUFFER_ALL)
    first = running(core, clock, cron_id)
    waiting = [fired(core, clock, cron_id) for _ in range(3)]
    finish(core, first, succeeded(first.standing))
    for run_id in waiting:
        (claimed,) = claim(core)
        assert claimed.id == run_id
        run = start(core, claimed)
        assert run is not None
        finish(core, run, succeeded(run.standing))
    assert claim(core) == []


def test_a_retry_keeps_the_overlap_lock(core: Core, clock: ManualClock) -> None:
    enrolled(core)
    cron_id = make_cron(core, overlap=OverlapPolicy.BUFFER_ALL, retries=1, retry_intervals=[60])
    first = running(core, clock, cron_id)
    second = fired(core, clock, cron_id)
    fail(core, first)
    assert waits(core, second)
    clock.advance(minutes=1)
    fail(core, started(core, first.id))
    assert not waits(core, second)


def test_a_sweep_lets_the_next_run_where_no_end_could(core: Core, clock: ManualClock) -> None:
    enrolled(core)
    cron_id = make_cron(core, overlap=OverlapPolicy.BUFFER_ALL)
    first = running(core, clock, cron_id)
    second = fired(core, clock, cron_id)
    sweep(core)
    assert waits(core, second)

    forget(core, first.id)
    sweep(core)
    assert not waits(core, second)


def test_a_fire_lets_what_waits_run_before_what_is_new(core: Core, clock: ManualClock) -> None:
    enrolled(core)
    cron_id = make_cron(core, overlap=OverlapPolicy.BUFFER_ONE)
    first = running(core, clock, cron_id)
    second = fired(core, clock, cron_id)
    forget(core, first.id)
    third = fired(core, clock, cron_id)
    assert (waits(core, second), waits(core, third)) == (False, True)


@pytest.mark.parametrize("is_claimed", [False, True])
def test_a_later_occurrence_cancels_one_that_has_not_started(
    core: Core, clock: ManualClock, is_claimed: bool
) -> None:
    enrolled(core)
    cron_id = make_cron(core, overlap=OverlapPolicy.CANCEL_OTHER)
    first = fired(core, clock, cron_id)
    claimed = claim(core) if is_claimed else []
    second = fired(core, clock, cron_id)
    row = row_of(core, first)
    assert (row.status, row.skipped_reason, row.check_at) == (CANCELLED, CANCELLED_REASON, None)
    assert [start(core, each) for each in claimed] == [None] * len(claimed)
    assert [each.id for each in claim(core)] == [second]


def test_of_those_that_wait_for_the_end_of_a_running_one_the_latest_is_left(
    core: Core, clock: ManualClock
) -> None:
    enrolled(core)
    cron_id = make_cron(core, overlap=OverlapPolicy.CANCEL_OTHER)
    first = running(core, clock, cron_id)
    second, third = fired(core, clock, cron_id), fired(core, clock, cron_id)
    assert row_of(core, second).status is CANCELLED
    assert waits(core, third)
    finish(core, first, succeeded(first.standing))
    assert [each.id for each in claim(core)] == [third]


def test_a_later_occurrence_asks_the_one_that_runs_to_end_and_waits_for_that(
    core: Core, clock: ManualClock
) -> None:
    enrolled(core)
    cron_id = make_cron(core, overlap=OverlapPolicy.CANCEL_OTHER, retries=3, retry_intervals=[60])
    first = running(core, clock, cron_id)
    assert row_of(core, first.id).cancel_request is None
    second = fired(core, clock, cron_id)
    assert row_of(core, first.id).cancel_request == CancelRequest.END
    assert waits(core, second)
    third = fired(core, clock, cron_id)
    assert row_of(core, second).status is CANCELLED
    fail(core, first)  # it would be retried, and is to end
    assert row_of(core, first.id).status is CANCELLED
    assert [each.id for each in claim(core)] == [third]


@pytest.mark.parametrize("store_url", ON_SERVERS, indirect=True)
def test_one_that_a_later_occurrence_could_not_ask_is_asked_by_the_sweep(
    core: Core, clock: ManualClock
) -> None:
    enrolled(core)
    cron_id = make_cron(core, overlap=OverlapPolicy.CANCEL_OTHER)
    first = running(core, clock, cron_id)
    with locked(core, table, table.c.id == first.id):  # as by a worker that is stalled in its start
        second = fired(core, clock, cron_id)
    assert row_of(core, first.id).cancel_request is None
    sweep(core)
    assert row_of(core, first.id).cancel_request == CancelRequest.END
    assert waits(core, second)


def test_a_manual_run_is_not_cancelled_by_the_next_instant(core: Core, clock: ManualClock) -> None:
    enrolled(core)
    cron_id = make_cron(core, overlap=OverlapPolicy.CANCEL_OTHER)
    asked = started(core, crons(core).run_now(cron_id).id)
    fired(core, clock, cron_id)
    sweep(core)
    assert row_of(core, asked.id).cancel_request is None
    (second,) = (row.id for row in occurrences_of(core, cron_id) if row.instant is not None)
    assert waits(core, second)


@pytest.mark.parametrize("is_claimed", [False, True])
def test_the_cancel_of_one_that_waits_to_start_lets_the_next_run(
    core: Core, clock: ManualClock, is_claimed: bool
) -> None:
    enrolled(core)
    cron_id = make_cron(core, overlap=OverlapPolicy.BUFFER_ALL)
    first = fired(core, clock, cron_id)
    if is_claimed:
        claim(core)
    second, third = fired(core, clock, cron_id), fired(core, clock, cron_id)
    dispatched: list[UUID] = []
    canceller = Canceller(core, ListPublisher(), dispatched.extend)
    RunManager(storing(core), canceller, PlainSurroundings()).cancel(first)
    assert dispatched == [second]
    assert (waits(core, second), waits(core, third)) == (False, True)
    assert [each.id for each in claim(core)] == [second]


def test_the_cancel_of_one_that_waits_for_the_overlap_lock_leaves_the_others_waiting(
    core: Core, clock: ManualClock
) -> None:
    enrolled(core)
    cron_id = make_cron(core, overlap=OverlapPolicy.BUFFER_ALL)
    running(core, clock, cron_id)
    second, third = fired(core, clock, cron_id), fired(core, clock, cron_id)
    runs(core).cancel(second)
    assert waits(core, third)


def test_a_revoked_claim_lets_the_next_run(core: Core, clock: ManualClock) -> None:
    enrolled(core)
    cron_id = make_cron(core, overlap=OverlapPolicy.BUFFER_ALL)
    first = fired(core, clock, cron_id)
    (claimed,) = claim(core)
    second = fired(core, clock, cron_id)
    assert Recorder(core).end_waiting(first, claimed.number, status=CANCELLED, reason="revoked")
    assert [each.id for each in claim(core)] == [second]


def test_a_manual_retry_waits_for_the_overlap_lock_or_takes_it(core: Core, clock: ManualClock) -> None:
    enrolled(core)
    cron_id = make_cron(core, overlap=OverlapPolicy.BUFFER_ALL)
    first = running(core, clock, cron_id)
    fail(core, first)
    second = running(core, clock, cron_id)
    runs(core).retry(first.id)
    assert waits(core, first.id)
    finish(core, second, succeeded(second.standing))
    fail(core, started(core, first.id))
    runs(core).retry(first.id)
    assert not waits(core, first.id)
    assert waits(core, fired(core, clock, cron_id))


def test_those_that_wait_run_at_once_where_they_may_overlap_from_now_on(
    core: Core, clock: ManualClock
) -> None:
    enrolled(core)
    cron_id = make_cron(core, overlap=OverlapPolicy.BUFFER_ALL)
    running(core, clock, cron_id)
    waiting = [fired(core, clock, cron_id) for _ in range(2)]
    crons(core).update(cron_id, overlap=OverlapPolicy.ALLOW)
    assert [each.id for each in claim(core)] == waiting


@pytest.mark.parametrize("overlap", [policy for policy in OverlapPolicy if policy is not OverlapPolicy.ALLOW])
def test_a_manual_run_waits_for_the_active_one(
    core: Core, clock: ManualClock, overlap: OverlapPolicy
) -> None:
    enrolled(core)
    cron_id = make_cron(core, overlap=overlap)
    first = running(core, clock, cron_id)
    asked: Run = crons(core).run_now(cron_id)
    assert asked.held_for is HoldReason.OVERLAP
    finish(core, first, succeeded(first.standing))
    assert [each.id for each in claim(core)] == [asked.id]


def test_a_cron_ticker_with_an_unknown_policy_stops(core: Core, clock: ManualClock) -> None:
    cron_id = make_cron(core, overlap=OverlapPolicy.SKIP)
    alter(core, cron_id, overlap="sometimes")
    clock.advance(hours=1)
    fire(core)
    assert occurrences_of(core, cron_id) == []


@pytest.mark.parametrize("overlap", [*WITH_QUEUE, OverlapPolicy.SKIP])
def test_an_occurrence_that_a_pause_holds_gives_way_to_a_manual_one(
    core: Core, clock: ManualClock, overlap: OverlapPolicy
) -> None:
    enrolled(core)
    cron_id = make_cron(core, overlap=overlap)
    held = fired(core, clock, cron_id)
    crons(core).pause(cron_id)
    manual = crons(core).run_now(cron_id)
    (claimed,) = claim(core)
    assert claimed.id == manual.id
    run = start(core, claimed)
    assert run is not None
    finish(core, run, succeeded(run.standing))
    assert claim(core) == []
    crons(core).resume(cron_id)
    assert [claimed.id for claimed in claim(core)] == [held]


def test_a_manual_one_goes_ahead_of_those_that_wait(core: Core, clock: ManualClock) -> None:
    enrolled(core)
    cron_id = make_cron(core, overlap=OverlapPolicy.BUFFER_ALL)
    first = running(core, clock, cron_id)
    second = fired(core, clock, cron_id)
    crons(core).pause(cron_id)
    manual = crons(core).run_now(cron_id)
    finish(core, first, succeeded(first.standing))
    assert [claimed.id for claimed in claim(core)] == [manual.id]
    assert waits(core, second)


def test_a_sweep_lets_a_manual_one_go_ahead_of_what_a_pause_holds_by_then(
    core: Core, clock: ManualClock
) -> None:
    enrolled(core)
    cron_id = make_cron(core, overlap=OverlapPolicy.BUFFER_ALL, retries=1, retry_intervals=[60])
    fail(core, running(core, clock, cron_id))
    manual = crons(core).run_now(cron_id)
    crons(core).pause(cron_id)
    clock.advance(minutes=1)
    assert claim(core) == []
    sweep(core)
    assert [claimed.id for claimed in claim(core)] == [manual.id]


@pytest.mark.parametrize("is_of_function", [False, True])
def test_a_retry_that_a_pause_would_hold_gives_way_to_a_manual_one_and_keeps_its_time(
    core: Core, clock: ManualClock, is_of_function: bool
) -> None:
    enrolled(core)
    cron_id = make_cron(core, overlap=OverlapPolicy.BUFFER_ONE, retries=1, retry_intervals=[7200])
    first = running(core, clock, cron_id)
    fail(core, first)
    if is_of_function:
        PauseManager(storing(core)).pause(function="Send")
    else:
        crons(core).pause(cron_id)
    manual = crons(core).run_now(cron_id)
    run = started(core, manual.id)
    if is_of_function:
        PauseManager(storing(core)).resume(function="Send")
    else:
        crons(core).resume(cron_id)
    finish(core, run, succeeded(run.standing))
    clock.advance(hours=1)
    assert claim(core) == []
    clock.advance(hours=1)
    assert [claimed.id for claimed in claim(core)] == [first.id]


def test_an_end_in_the_functions_own_transaction_blocks_none_of_those_that_wait(
    core: Core, clock: ManualClock
) -> None:
    enrolled(core)
    cron_id = make_cron(core, overlap=OverlapPolicy.BUFFER_ALL)
    first = running(core, clock, cron_id)
    second, *_, last = (fired(core, clock, cron_id) for _ in range(5))
    with processes(core, 2) as [worker, operator]:

        def end(tx: Transaction) -> None:
            EndWriter(worker).write(
                tx, AttemptEnd(run=first, outcome=succeeded(first.standing), elapsed=timedelta(1))
            )
            if "sqlite" not in core.database.url:
                assert runs(operator).cancel(last).status is CANCELLED

        worker.write(end)
    assert [claimed.id for claimed in claim(core)] == [second]


def test_a_sweep_comes_to_all_wait_queues(
    core: Core, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overlap, "_CRONS_AT_ONCE", 1)
    enrolled(core)
    busy = make_cron(core, overlap=OverlapPolicy.BUFFER_ALL)
    freed = make_cron(core, overlap=OverlapPolicy.BUFFER_ALL)
    clock.advance(hours=1)
    fire(core)
    claim(core)
    clock.advance(hours=1)
    fire(core)
    gone, waiting = (row.id for row in occurrences_of(core, freed))
    forget(core, gone)
    upkeep = CronUpkeep(core, ListPublisher())
    upkeep.maintain()
    upkeep.maintain()
    assert not waits(core, waiting)
    assert waits(core, occurrences_of(core, busy)[-1].id)


def test_what_a_new_one_cancels_takes_few_statements_however_many_wait(
    core: Core, clock: ManualClock
) -> None:
    enrolled(core)
    child = TimeTicker(function="Send", run_condition=RunCondition.ON_SUCCESS)
    cron_id = make_cron(core, overlap=OverlapPolicy.CANCEL_OTHER, children=[child])
    clock.advance(hours=300)
    fire(core)
    crons(core).backfill(cron_id, START, clock.now(), per_minute=1_000)
    clock.advance(hours=1)
    sent = statements_of(core, lambda: fire(core))
    assert count_by_status(core)[CANCELLED] >= 300
    assert len(sent) < 40


@pytest.mark.parametrize("overlap", [policy for policy in OverlapPolicy if policy is not OverlapPolicy.ALLOW])
@pytest.mark.parametrize("what", ["fire", "run now", "backfill", "retry", "edit", "sweep"])
def test_the_state_of_the_overlap_lock_is_read_once(
    core: Core, clock: ManualClock, overlap: OverlapPolicy, what: str
) -> None:
    enrolled(core)
    cron_id = make_cron(core, overlap=overlap)
    ended, waiting = crons(core).run_now(cron_id), crons(core).run_now(cron_id)
    runs(core).cancel(ended.id)
    crons(core).run_now(cron_id)
    clock.advance(hours=1)
    work: dict[str, Callable[[], object]] = {
        "fire": lambda: fire(core),
        "run now": lambda: crons(core).run_now(cron_id),
        "backfill": lambda: crons(core).backfill(cron_id, START - timedelta(hours=3), START),
        "retry": lambda: runs(core).retry(ended.id),
        "edit": lambda: crons(core).update(cron_id, expression="30 * * * *"),
        "sweep": lambda: sweep(core),
    }
    if what == "edit":
        crons(core).backfill(cron_id, START - timedelta(hours=1), START)
    sent = statements_of(core, work[what])
    assert len([each for each in sent if each.startswith("SELECT") and "UNION ALL" in each]) == 1
    if overlap is not OverlapPolicy.CANCEL_OTHER:  # which locks what it ends, by the lock that it holds
        assert len([each for each in sent if each.startswith("SELECT") and "active_key = " in each]) == 1
    assert row_of(core, waiting.id).active_key is not None
