"""A claim is started once and ended once; each attempt leaves one record, and retries wait as they should."""

from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from tests.inner import Claim, Core, DropReason, Outcome, Recorder, cancelled, failed, succeeded, terminated
from tests.integration.making import (
    at_once,
    attempts_of,
    claim,
    claimed_again,
    enrolled,
    fail,
    failure,
    finish,
    give_back,
    make_run,
    make_runs,
    processes,
    remove_runs,
    rescue,
    row_of,
    start,
    started,
    time_tickers,
)
from tests.manual_clock import START, ManualClock
from tests.statements import ends
from tickerq_celery.enums import TickerStatus
from tickerq_celery.errors import IllegalTransitionError, TerminateExecution

IDLE, QUEUED, IN_PROGRESS = TickerStatus.IDLE, TickerStatus.QUEUED, TickerStatus.IN_PROGRESS


@pytest.fixture
def core(core: Core) -> Core:
    """A core whose function a live worker has."""
    return enrolled(core)


def cancel(core: Core, claimed: Claim) -> bool:
    """Cancel a run that waits for a worker."""
    return core.write(
        ends.end_waiting,
        claimed.id,
        claim_no=claimed.number,
        status=TickerStatus.CANCELLED,
        reason="no longer wanted",
    ).result


def reason_against(core: Core, claimed: Claim) -> DropReason:
    """Return what a worker is given for a claim that it may not start."""
    return Recorder(core).reason_against(claimed.id, claimed.number)


def test_a_started_run_is_in_progress_on_its_node(core: Core, clock: ManualClock) -> None:
    run_id = make_run(core, request={"to": "user@example.com"})
    (claimed,) = claim(core)
    clock.advance(seconds=2)
    run = start(core, claimed)
    assert (run.id, run.claim_no, run.request.data) == (run_id, 1, b'{"to":"user@example.com"}')
    row = row_of(core, run_id)
    assert (row.status, row.running_on, row.lock_holder) == (IN_PROGRESS, core.node.id, core.node.name)
    assert (row.started_at, row.check_at) == (START + timedelta(seconds=2), None)
    shown = time_tickers(core).get(run_id)
    assert (shown.lock_holder, shown.locked_at) == (core.node.name, START + timedelta(seconds=2))


def test_a_claim_is_started_once(core: Core) -> None:
    make_run(core)
    (claimed,) = claim(core)
    assert start(core, claimed) is not None
    assert start(core, claimed) is None
    assert reason_against(core, claimed) is DropReason.STARTED_ALREADY


@pytest.mark.row_locks
def test_of_workers_that_start_a_claim_at_once_one_may(core: Core) -> None:
    make_runs(core, 20)
    for claimed in claim(core):
        with processes(core, 3) as workers:
            results = at_once(*(partial(start, worker, claimed) for worker in workers))
        assert len([run for run in results if run is not None]) == 1


@pytest.mark.parametrize("shift", [-1, 1])
def test_a_claim_of_another_number_cannot_be_started(core: Core, shift: int) -> None:
    make_run(core)
    (claimed,) = claim(core)
    newer = claimed_again(core, claimed)
    other = replace(newer, number=newer.number + shift)
    assert start(core, other) is None
    assert reason_against(core, other) is DropReason.OLD_CLAIM
    assert start(core, newer) is not None


def test_a_run_that_is_not_queued_cannot_be_started(core: Core) -> None:
    run_id = make_run(core)
    (claimed,) = claim(core)
    give_back(core, [claimed])
    assert start(core, claimed) is None
    assert reason_against(core, claimed) is DropReason.STARTED_ALREADY
    assert row_of(core, run_id).status is IDLE


def test_a_run_that_was_cancelled_while_queued_cannot_be_started(core: Core) -> None:
    run_id = make_run(core, unique_key="once")
    (claimed,) = claim(core)
    assert cancel(core, claimed)
    assert start(core, claimed) is None
    row = row_of(core, run_id)
    assert (row.status, row.ended_at, row.active_key) == (TickerStatus.CANCELLED, START, None)
    assert not cancel(core, claimed)


def test_a_run_that_started_cannot_be_cancelled_as_waiting(core: Core) -> None:
    make_run(core)
    (claimed,) = claim(core)
    start(core, claimed)
    assert not cancel(core, claimed)


def test_a_deleted_run_cannot_be_started(core: Core) -> None:
    run_id = make_run(core)
    (claimed,) = claim(core)
    remove_runs(core, [run_id])
    assert start(core, claimed) is None
    assert reason_against(core, claimed) is DropReason.UNKNOWN_ID


def test_an_end_is_accepted_once(core: Core) -> None:
    run_id = make_run(core)
    run = started(core, run_id)
    assert finish(core, run, succeeded(run.standing))
    assert not finish(core, run, failed(run.standing, failure()))
    assert row_of(core, run_id).status is TickerStatus.DONE
    assert len(attempts_of(core, run_id)) == 1


@pytest.mark.row_locks
def test_of_ends_that_are_written_at_once_one_is_accepted(core: Core) -> None:
    for run_id in make_runs(core, 10):
        run = started(core, run_id)
        with processes(core, 2) as (worker, beat):
            accepted = at_once(
                lambda worker=worker, run=run: finish(worker, run, succeeded(run.standing)),
                lambda beat=beat, run=run: rescue(beat, run) is not None,
            )
        assert sorted(accepted) == [False, True]
        assert len(attempts_of(core, run_id)) == 1


def test_the_end_of_a_superseded_claim_writes_nothing(core: Core) -> None:
    run_id = make_run(core)
    old = started(core, run_id)
    rescue(core, old)
    newer = started(core, run_id)
    before, attempts = row_of(core, run_id), attempts_of(core, run_id)
    assert not finish(core, old, succeeded(old.standing))
    assert (row_of(core, run_id), attempts_of(core, run_id)) == (before, attempts)
    assert finish(core, newer, succeeded(newer.standing))


def test_the_end_of_a_deleted_run_writes_nothing(core: Core) -> None:
    run = started(core, make_run(core))
    remove_runs(core, [run.id])
    assert not finish(core, run, succeeded(run.standing))
    assert attempts_of(core, run.id) == []


def test_a_deleted_run_takes_its_attempts_with_it(core: Core) -> None:
    run = started(core, make_run(core, retries=1))
    fail(core, run)
    remove_runs(core, [run.id])
    assert attempts_of(core, run.id) == []


def test_an_attempt_cannot_end_as_queued(core: Core) -> None:
    run = started(core, make_run(core))
    with pytest.raises(IllegalTransitionError):
        finish(core, run, Outcome(status=QUEUED, attempt_status=QUEUED))


def test_a_run_that_ended_is_done_and_on_no_node(core: Core, clock: ManualClock) -> None:
    run_id = make_run(core)
    run = started(core, run_id)
    clock.advance(seconds=2)
    finish(core, run, succeeded(run.standing))
    row = row_of(core, run_id)
    assert (row.status, row.running_on, row.due_at) == (TickerStatus.DONE, None, None)
    assert (row.ended_at, row.ended_status) == (START + timedelta(seconds=2), TickerStatus.DONE)
    assert row.elapsed == timedelta(seconds=1.5)


def test_an_attempt_keeps_what_happened(core: Core, clock: ManualClock) -> None:
    run_id = make_run(core)
    run = started(core, run_id)
    clock.advance(seconds=2)
    fail(core, run)
    (attempt,) = attempts_of(core, run_id)
    assert (attempt.claim_no, attempt.number, attempt.status) == (1, 0, TickerStatus.FAILED)
    assert (attempt.started_at, attempt.ended_at) == (START, START + timedelta(seconds=2))
    assert (attempt.exception_type, attempt.exception_message) == ("builtins.OSError", "no route to host")
    assert (attempt.traceback, attempt.node) == ("Traceback: no route to host", core.node.name)


def test_attempts_are_numbered_from_zero_across_retries_rescues_and_give_backs(
    core: Core, clock: ManualClock
) -> None:
    run_id = make_run(core, retries=2)
    give_back(core, claim(core))
    fail(core, started(core, run_id))
    clock.advance(minutes=1)
    rescue(core, started(core, run_id))
    fail(core, started(core, run_id))
    clock.advance(minutes=1)
    run = started(core, run_id)
    finish(core, run, succeeded(run.standing))
    assert [attempt.number for attempt in attempts_of(core, run_id)] == [0, 1, 2, 3]
    assert [attempt.claim_no for attempt in attempts_of(core, run_id)] == [2, 3, 4, 5]
    row = row_of(core, run_id)
    assert (row.status, row.retry_count, row.rescue_count) == (TickerStatus.DONE, 2, 1)


@pytest.mark.parametrize(
    ("intervals", "waits"), [((60, 300), [60, 300, 300]), ((), [30, 30, 30]), ((0.25,), [0.25, 0.25, 0.25])]
)
def test_a_failed_run_is_due_again_after_its_own_interval_until_none_is_left(
    core: Core, clock: ManualClock, intervals: tuple[float, ...], waits: list[float]
) -> None:
    run_id = make_run(core, retries=3, retry_intervals=intervals)
    for count, seconds in enumerate(waits, start=1):
        fail(core, started(core, run_id))
        row = row_of(core, run_id)
        assert (row.status, row.retry_count) == (IDLE, count)
        assert row.due_at == clock.now() + timedelta(seconds=seconds)
        assert row.exception_message == "no route to host"
        clock.advance(seconds=seconds)
    fail(core, started(core, run_id))
    row = row_of(core, run_id)
    assert (row.status, row.due_at, row.retry_count) == (TickerStatus.FAILED, None, 3)
    assert (row.exception_type, row.exception_message) == ("builtins.OSError", "no route to host")


def test_a_run_that_succeeds_after_a_failure_shows_no_exception_but_its_attempt_does(
    core: Core, clock: ManualClock
) -> None:
    run_id = make_run(core, retries=1)
    fail(core, started(core, run_id))
    clock.advance(minutes=1)
    run = started(core, run_id)
    finish(core, run, succeeded(run.standing))
    assert row_of(core, run_id).exception_type is None
    assert [attempt.exception_type for attempt in attempts_of(core, run_id)] == ["builtins.OSError", None]


def test_a_late_run_that_succeeds_is_due_done(core: Core, clock: ManualClock) -> None:
    run_id = make_run(core)
    clock.advance(minutes=1)
    run = started(core, run_id)
    finish(core, run, succeeded(run.standing))
    (attempt,) = attempts_of(core, run_id)
    assert row_of(core, run_id).status is attempt.status is TickerStatus.DUE_DONE


def test_a_terminated_run_is_skipped_with_its_reason_and_not_retried(core: Core) -> None:
    run_id = make_run(core, retries=3)
    run = started(core, run_id)
    finish(core, run, terminated(run.standing, TerminateExecution("nothing to send")))
    row = row_of(core, run_id)
    assert (row.status, row.skipped_reason) == (TickerStatus.SKIPPED, "nothing to send")


def test_a_cancelled_run_is_not_retried(core: Core) -> None:
    run_id = make_run(core, retries=3)
    run = started(core, run_id)
    finish(core, run, cancelled(run.standing, failure()))
    assert row_of(core, run_id).status is TickerStatus.CANCELLED


def test_the_unique_key_is_free_again_at_the_end_and_not_before(core: Core, clock: ManualClock) -> None:
    run_id = make_run(core, unique_key="welcome:1", retries=1)
    fail(core, started(core, run_id))
    assert row_of(core, run_id).active_key == "welcome:1"
    clock.advance(minutes=1)
    fail(core, started(core, run_id))
    row = row_of(core, run_id)
    assert (row.unique_key, row.active_key) == ("welcome:1", None)
    assert make_run(core, unique_key="welcome:1") != run_id
