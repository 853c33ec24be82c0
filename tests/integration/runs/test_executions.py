"""What workers report of Celery tasks: executions become attempts, and only records are fenced."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from tests.inner import (
    LOST,
    CancelRequest,
    Claim,
    Core,
    DropReason,
    Failure,
    Transaction,
    cancelled,
    published_again,
    skipped,
    succeeded,
)
from tests.integration.beats import Beat, pass_lease
from tests.integration.conftest import send
from tests.integration.cron.firing import alter, fire
from tests.integration.making import (
    another_node,
    at_once,
    attempts_of,
    claim,
    claimed_again,
    cron_row_of,
    enrolled,
    failure,
    make_cron,
    occurrences_of,
    processes,
    remove_runs,
    rescue,
    row_of,
    runs,
    time_tickers,
)
from tests.integration.runs.calls import (
    alter_run,
    begin,
    begun,
    dispatch,
    end,
    execution_of,
    fail,
    make_call,
    message_of,
    published,
    recorder,
    retry,
    retry_of,
    stamp,
)
from tests.manual_clock import START, ManualClock
from tests.statements import concurrency, drops, nodes, publications
from tickerq_celery import RunCondition, TimeTicker
from tickerq_celery.enums import HoldReason, OnLost, OverlapPolicy, TickerKind, TickerStatus

IDLE, QUEUED, IN_PROGRESS = TickerStatus.IDLE, TickerStatus.QUEUED, TickerStatus.IN_PROGRESS
DONE, DUE_DONE, FAILED = TickerStatus.DONE, TickerStatus.DUE_DONE, TickerStatus.FAILED
CANCELLED, SKIPPED = TickerStatus.CANCELLED, TickerStatus.SKIPPED
DAY = timedelta(days=1)


@pytest.fixture
def core(core: Core) -> Core:
    """A core that a live worker follows."""
    return enrolled(core)


def keys_of(core: Core, run_id: UUID) -> list[tuple[int, int, int, TickerStatus, str | None]]:
    """Return claim, retries, number, status and exception of each attempt."""
    rows = sorted(attempts_of(core, run_id), key=lambda row: (row.claim_no, row.number, row.retries))
    return [(row.claim_no, row.retries, row.number, row.status, row.exception_type) for row in rows]


def drops_of(core: Core) -> dict[str, int]:
    return core.read(drops.recent, within=DAY)


def test_a_call_that_no_worker_follows_ends_when_it_is_published(core: Core) -> None:
    run_id = make_call(core)
    core.write(nodes.remove, core.node.id)
    dispatch(core)
    row = row_of(core, run_id)
    assert (row.status, row.published_at, row.started_at, row.check_at) == (DONE, START, None, None)
    assert not runs(core).get(run_id).outcome_known


def test_a_call_that_a_worker_follows_waits_for_its_report_and_keeps_its_unique_key(core: Core) -> None:
    run_id = make_call(core, unique_key="nightly")
    dispatch(core)
    row = row_of(core, run_id)
    assert (row.status, row.published_at, row.publish_count) == (QUEUED, START, 1)
    assert (row.check_at, row.active_key) == (START + core.config.republish_after, "nightly")


@pytest.mark.parametrize(
    ("queue", "consumed", "is_followed"),
    [
        ("mail", ("celery", "mail"), True),
        ("mail", ("celery",), False),
        ("mail", (), True),
        (None, ("celery",), True),
    ],
)
def test_who_follows_a_call_is_said_by_the_queues_that_workers_consume(
    core: Core, queue: str | None, consumed: tuple[str, ...], is_followed: bool
) -> None:
    enrolled(core, queues=consumed)
    run_id = make_call(core, queue=queue)
    dispatch(core)
    assert row_of(core, run_id).status is (QUEUED if is_followed else DONE)


def test_a_worker_that_shuts_down_follows_no_further_call(core: Core) -> None:
    core.write(nodes.beat, core.node.id, is_stopping=True)
    run_id = make_call(core)
    dispatch(core)
    assert row_of(core, run_id).status is DONE


def test_a_call_with_children_waits_for_a_report_with_or_without_a_worker_to_follow_it(
    core: Core, beat: Beat
) -> None:
    run_id = make_call(core, children=[TimeTicker(function="Send")])
    core.write(nodes.remove, core.node.id)
    dispatch(core)
    row = row_of(core, run_id)
    assert (row.status, row.published_at, row.check_at) == (QUEUED, START, publications.NEVER)


def test_a_published_call_that_no_worker_reports_ends_and_is_not_published_again(
    core: Core, clock: ManualClock, beat: Beat
) -> None:
    run_id = make_call(core)
    dispatch(core)
    clock.advance(minutes=5)
    assert beat.sweep() == []
    row = row_of(core, run_id)
    assert (row.status, row.started_at, row.ended_at) == (DONE, None, clock.now())
    assert not runs(core).get(run_id).outcome_known


def test_a_call_that_was_not_stamped_is_published_again(core: Core, clock: ManualClock, beat: Beat) -> None:
    run_id = make_call(core)
    claim(core)
    clock.advance(seconds=core.config.publish_check.total_seconds())
    assert [each for each, _ in beat.sweep()] == [run_id]


def test_what_a_dead_worker_may_have_prefetched_of_calls_is_left_alone(
    core: Core, clock: ManualClock, beat: Beat
) -> None:
    run_id = make_call(core, queue="celery")
    dispatch(core)
    pass_lease(beat, clock)
    beat.sweep()
    assert core.read(nodes.list_nodes) == []
    assert beat.publisher.sent == []
    row = row_of(core, run_id)
    assert (row.status, row.check_at) == (QUEUED, START + core.config.republish_after)


def test_a_call_that_was_published_anew_and_is_not_followed_any_more_says_so(core: Core) -> None:
    execution = published(core, make_call(core, columns={"on_lost": OnLost.RETRY.value}))
    rescue(core, begun(core, execution))
    core.write(nodes.remove, core.node.id)
    dispatch(core)
    run = runs(core).get(execution.id)
    assert (run.status, run.outcome_known, run.exception_type) == (DONE, False, None)


def test_a_stamp_that_comes_after_the_worker_changes_nothing(core: Core) -> None:
    run_id = make_call(core)
    (claimed,) = claim(core)
    run = begun(core, execution_of(claimed))
    stamp(core, claimed)
    assert row_of(core, run_id).status is IN_PROGRESS
    retry(core, run, hours=1)
    before = row_of(core, run_id)
    stamp(core, claimed)
    assert row_of(core, run_id) == before


def test_published_calls_leave_slots_and_queues_to_functions(core: Core) -> None:
    run_id = make_call(core)
    dispatch(core)
    begun(core, message_of(run_id))
    assert core.read(concurrency.active_per_function, ["shop.add"]) == {"shop.add": 0}


def test_a_reported_start_puts_the_run_in_progress_on_its_node(core: Core, clock: ManualClock) -> None:
    execution = published(core, make_call(core))
    clock.advance(seconds=3)
    run = begun(core, execution)
    assert (run.executions, run.attempt_number, run.started_at) == (1, 0, clock.now())
    row = row_of(core, execution.id)
    assert (row.status, row.running_on, row.lock_holder) == (IN_PROGRESS, core.node.id, core.node.name)
    assert (row.check_at, row.started_at, row.executions) == (None, clock.now(), 1)


@pytest.mark.parametrize(
    ("stale", "reason"),
    [
        ({"claim_no": 2}, DropReason.OLD_CLAIM),
        ({"id": UUID(int=7)}, DropReason.UNKNOWN_ID),
    ],
)
def test_a_start_under_another_claim_is_not_recorded_and_counts_as_a_drop(
    core: Core, stale: dict[str, Any], reason: DropReason
) -> None:
    execution = published(core, make_call(core))
    for _ in range(2):
        assert begin(core, replace(execution, **stale)) is None
    assert row_of(core, execution.id).status is QUEUED
    assert drops_of(core) == {reason.value: 2}


def test_a_worker_of_another_namespace_reports_nothing(core: Core) -> None:
    execution = published(core, make_call(core))
    other = replace(core, config=replace(core.config, namespace="other"))
    assert begin(other, execution) is None
    assert row_of(core, execution.id).status is QUEUED


def test_a_functions_run_is_not_started_by_a_header_of_calls(core: Core) -> None:
    execution = published(core, make_call(core))
    alter_run(core, execution.id, kind=TickerKind.FUNCTION.value)
    assert begin(core, execution) is None


def test_a_message_that_is_delivered_again_is_a_further_attempt_of_the_same_claim(core: Core) -> None:
    execution = published(core, make_call(core))
    begun(core, execution)
    second = begun(another_node(core), execution)
    assert (second.executions, second.attempt_number) == (2, 1)
    end(core, second)
    assert keys_of(core, execution.id) == [(1, 0, 0, FAILED, LOST), (1, 0, 1, DONE, None)]
    assert attempts_of(core, execution.id)[0].node == core.node.name
    assert row_of(core, execution.id).status is DONE


@pytest.mark.parametrize("ended", [DONE, FAILED, CANCELLED, SKIPPED])
def test_a_start_after_the_end_opens_the_run_again(
    core: Core, ended: TickerStatus, clock: ManualClock
) -> None:
    execution = published(core, make_call(core, unique_key="nightly"))
    first = begun(core, execution)
    ends = {
        DONE: succeeded(first.standing),
        FAILED: replace(cancelled(first.standing, failure()), status=FAILED, attempt_status=FAILED),
        CANCELLED: cancelled(first.standing, failure()),
        SKIPPED: skipped(first.standing, "Ignore"),
    }
    end(core, first, ends[ended])
    second = begun(core, execution)
    row = row_of(core, execution.id)
    assert (row.status, row.ended_at, row.ended_status, row.active_key) == (IN_PROGRESS, None, None, None)
    end(core, second)
    assert [key[1:4] for key in keys_of(core, execution.id)] == [(0, 0, ended), (0, 1, DONE)]


def test_a_run_that_was_ended_as_published_is_opened_by_its_report(
    core: Core, clock: ManualClock, beat: Beat
) -> None:
    execution = published(core, make_call(core))
    clock.advance(minutes=5)
    beat.sweep()
    end(core, begun(core, execution))
    run = runs(core).get(execution.id)
    assert (run.status, run.outcome_known, len(run.attempts)) == (DONE, True, 1)


def test_a_claim_that_was_given_up_is_not_started_by_its_message(core: Core) -> None:
    execution = published(core, make_call(core, columns={"on_lost": OnLost.RETRY.value}))
    rescue(core, begun(core, execution))
    assert begin(core, execution) is None
    assert row_of(core, execution.id).status is IDLE


def test_of_two_workers_with_one_message_both_are_attempts(core: Core) -> None:
    execution = published(core, make_call(core))
    with processes(core, 2) as workers:
        found = at_once(*(partial(begun, worker, execution) for worker in workers))
        at_once(*(partial(end, worker, run) for worker, run in zip(workers, found, strict=True)))
    assert sorted(run.executions for run in found) == [1, 2]
    assert [key[2:] for key in keys_of(core, execution.id)] == [(0, DONE, None), (1, DONE, None)]
    assert row_of(core, execution.id).status is DONE


@pytest.mark.parametrize(("is_late", "status"), [(False, DONE), (True, DUE_DONE)])
def test_a_reported_end_ends_the_run(core: Core, is_late: bool, status: TickerStatus) -> None:
    execution = published(core, make_call(core, columns={"is_late": is_late}, unique_key="nightly"))
    end(core, begun(core, execution))
    row = row_of(core, execution.id)
    assert (row.status, row.ended_status, row.running_on, row.active_key) == (status, status, None, None)
    assert row.elapsed == timedelta(seconds=1.5)
    assert runs(core).get(execution.id).outcome_known


def test_an_end_is_written_once(core: Core) -> None:
    execution = published(core, make_call(core))
    run = begun(core, execution)
    for _ in range(2):
        assert end(core, run) == succeeded(run.standing)
    assert keys_of(core, execution.id) == [(1, 0, 0, DONE, None)]


def test_a_retry_of_celerys_is_published_again_and_becomes_the_next_attempt(
    core: Core, clock: ManualClock
) -> None:
    execution = published(core, make_call(core, unique_key="nightly"))
    retry(core, begun(core, execution), hours=1)
    row = row_of(core, execution.id)
    assert (row.status, row.published_at, row.started_at, row.retry_count) == (QUEUED, START, None, 1)
    assert row.check_at == START + timedelta(hours=1) + core.config.republish_after
    assert (row.active_key, row.exception_type) == ("nightly", "builtins.OSError")
    clock.advance(hours=1)
    end(core, begun(core, retry_of(execution)))
    assert keys_of(core, execution.id) == [(1, 0, 0, FAILED, "builtins.OSError"), (1, 1, 1, DONE, None)]
    assert row_of(core, execution.id).retry_count == 1


def test_a_retry_that_never_comes_ends_as_published(core: Core, clock: ManualClock, beat: Beat) -> None:
    execution = published(core, make_call(core))
    retry(core, begun(core, execution), minutes=1)
    clock.advance(minutes=6)
    assert beat.sweep() == []
    run = runs(core).get(execution.id)
    assert (run.status, run.outcome_known) == (DONE, False)


def test_a_retry_that_begins_before_its_cause_has_ended_keeps_the_run(core: Core) -> None:
    execution = published(core, make_call(core))
    first = begun(core, execution)
    second = begun(core, retry_of(execution))
    assert retry(core, first) is None
    row = row_of(core, execution.id)
    assert (row.status, row.retry_count, row.executions) == (IN_PROGRESS, 1, 2)
    end(core, second)
    assert keys_of(core, execution.id) == [(1, 0, 0, FAILED, "builtins.OSError"), (1, 1, 1, DONE, None)]
    assert row_of(core, execution.id).status is DONE


def test_a_message_before_the_retry_that_is_delivered_again_is_stale(core: Core) -> None:
    execution = published(core, make_call(core))
    retry(core, begun(core, execution))
    assert begin(core, execution) is None
    assert drops_of(core) == {DropReason.STARTED_ALREADY.value: 1}


def test_an_end_does_not_touch_a_later_execution(core: Core) -> None:
    execution = published(core, make_call(core))
    first, second = begun(core, execution), begun(core, execution)
    fail(core, first)
    row = row_of(core, execution.id)
    assert (row.status, row.executions, row.exception_type) == (IN_PROGRESS, 2, None)
    # What was taken for lost has ended after all.
    assert keys_of(core, execution.id) == [(1, 0, 0, FAILED, "builtins.OSError")]
    end(core, second)
    assert row_of(core, execution.id).status is DONE


def test_an_end_says_whether_the_run_goes_on_without_it(core: Core) -> None:
    execution = published(core, make_call(core))
    first, second = begun(core, execution), begun(core, execution)
    assert end(core, first) is None
    assert end(core, second) is not None
    assert end(core, second) is not None  # as where the answer to the first was lost


def test_the_end_of_a_run_that_was_deleted_meanwhile_writes_nothing(core: Core) -> None:
    run_id = make_call(core)
    run = begun(core, published(core, run_id))
    remove_runs(core, [run_id])
    assert end(core, run) is None
    assert attempts_of(core, run_id) == []


def give_back(tx: Transaction, claimed: Claim) -> None:
    publications.give_back(tx, [claimed])


def postpone(tx: Transaction, claimed: Claim) -> None:
    publications.postpone(tx, claimed.id, claimed.number, DAY)


def give_up(tx: Transaction, claimed: Claim) -> None:
    publications.fail(tx, claimed, failure())


@pytest.mark.parametrize("hand_back", [give_back, postpone, give_up])
def test_a_stalled_dispatcher_gives_no_call_back_that_a_sweep_has_published_meanwhile(
    core: Core, hand_back: Callable[[Transaction, Claim], None]
) -> None:
    run_id = make_call(core)
    (claimed,) = claim(core, [run_id])
    stamp(core, claimed)
    core.write(hand_back, claimed)
    row = row_of(core, run_id)
    assert (row.status, row.published_at is not None, row.due_at) == (QUEUED, True, None)


def test_an_end_under_an_old_claim_touches_no_run(core: Core) -> None:
    run_id = make_call(core)
    (claimed,) = claim(core)
    run = begun(core, execution_of(claimed))
    alter_run(core, run_id, status=QUEUED, check_at=START, running_on=None, published_at=None)
    claimed_again(core, claimed)
    end(core, run)
    assert (row_of(core, run_id).status, row_of(core, run_id).claim_no) == (QUEUED, 2)


def test_what_asks_for_its_own_message_again_waits_for_it(core: Core) -> None:
    execution = published(core, make_call(core))
    run = begun(core, execution)
    end(core, run, published_again(run.standing, failure()))
    row = row_of(core, execution.id)
    assert (row.status, row.retry_count, row.published_at) == (QUEUED, 0, START)
    end(core, begun(core, execution))
    assert [key[:4] for key in keys_of(core, execution.id)] == [(1, 0, 0, FAILED), (1, 0, 1, DONE)]


def test_an_execution_whose_start_was_not_recorded_is_recorded_at_its_end(
    core: Core, clock: ManualClock
) -> None:
    execution = published(core, make_call(core))
    clock.advance(minutes=2)
    run = recorder(core).start_late(execution, began=lambda: timedelta(seconds=90))
    assert run is not None
    assert run.started_at == clock.now() - timedelta(seconds=90)
    end(core, run)
    assert row_of(core, execution.id).status is DONE
    assert attempts_of(core, execution.id)[0].started_at == run.started_at


def test_a_late_start_after_the_retry_began_is_an_attempt_and_moves_nothing(core: Core) -> None:
    execution = published(core, make_call(core))
    second = begun(core, retry_of(execution))
    first = recorder(core).start_late(execution, began=lambda: timedelta(seconds=90))
    assert first is not None
    retry(core, first)
    assert row_of(core, execution.id).status is IN_PROGRESS
    end(core, second)
    assert row_of(core, execution.id).status is DONE
    assert sorted(key[1] for key in keys_of(core, execution.id)) == [0, 1]


def test_a_lost_execution_fails_unless_its_ticker_says_otherwise(core: Core) -> None:
    execution = published(core, make_call(core))
    rescue(core, begun(core, execution))
    row = row_of(core, execution.id)
    assert (row.status, row.exception_type, row.rescue_count) == (FAILED, LOST, 0)


def test_a_function_of_the_tasks_name_does_not_decide_what_becomes_of_a_lost_execution(core: Core) -> None:
    core.registry.add(send("shop.add"))
    execution = published(core, make_call(core))
    rescue(core, begun(core, execution))
    assert row_of(core, execution.id).status is FAILED


def test_a_ticker_that_is_to_be_retried_is_published_anew_as_often_as_rescues_are_allowed(
    core: Core,
) -> None:
    run_id = make_call(core, columns={"on_lost": OnLost.RETRY.value})
    for rescued in range(core.config.max_rescues):
        (claimed,) = claim(core)
        stamp(core, claimed)
        rescue(core, begun(core, execution_of(claimed, retries=3)))
        row = row_of(core, run_id)
        assert (row.status, row.rescue_count, row.retry_count) == (IDLE, rescued + 1, 0)
    (claimed,) = claim(core)
    rescue(core, begun(core, execution_of(claimed)))
    assert row_of(core, run_id).status is FAILED


def test_a_lost_execution_that_is_delivered_again_ends_as_it_really_does(core: Core) -> None:
    execution = published(core, make_call(core))
    rescue(core, begun(core, execution))
    end(core, begun(core, execution))
    assert keys_of(core, execution.id) == [(1, 0, 0, FAILED, LOST), (1, 0, 1, DONE, None)]
    assert row_of(core, execution.id).status is DONE


def test_an_execution_that_was_taken_for_lost_and_ends_is_corrected(core: Core) -> None:
    execution = published(core, make_call(core))
    run = begun(core, execution)
    rescue(another_node(core), run)
    assert end(core, run) is not None
    assert row_of(core, execution.id).status is DONE
    assert keys_of(core, execution.id) == [(1, 0, 0, DONE, None)]


def test_an_end_after_another_one_of_the_same_execution_corrects_no_failure(core: Core) -> None:
    execution = published(core, make_call(core))
    run = begun(core, execution)
    # As where the main process has killed a child for its limit, whose report was on its way.
    fail(core, run)
    assert end(core, run) is None
    assert row_of(core, execution.id).status is FAILED
    assert [key[3] for key in keys_of(core, execution.id)] == [FAILED]


def test_a_lost_execution_whose_cancel_was_requested_is_cancelled_and_not_published_anew(core: Core) -> None:
    execution = published(core, make_call(core, columns={"on_lost": OnLost.RETRY.value}))
    run = begun(core, execution)
    alter_run(core, execution.id, cancel_request=CancelRequest.TERMINATE.value)
    rescue(core, run)
    assert row_of(core, execution.id).status is CANCELLED
    assert [key[3] for key in keys_of(core, execution.id)] == [CANCELLED]


def test_a_run_that_was_to_be_terminated_is_cancelled_and_not_retried_by_celery(core: Core) -> None:
    execution = published(core, make_call(core))
    run = begun(core, execution)
    alter_run(core, execution.id, cancel_request=CancelRequest.TERMINATE.value)
    written = retry(core, run)
    assert written is not None
    assert written.status is CANCELLED
    assert row_of(core, execution.id).status is CANCELLED
    assert [key[3] for key in keys_of(core, execution.id)] == [CANCELLED]
    # Celery has sent the message of its retry by then: a worker that knows of the revocation discards it.
    assert not recorder(core).end_unstarted(retry_of(execution), CANCELLED, reason="revoked")


def test_a_rescue_does_not_touch_an_execution_that_has_ended(core: Core) -> None:
    execution = published(core, make_call(core))
    run = begun(core, execution)
    end(core, run)
    assert rescue(core, run) is None
    assert keys_of(core, execution.id) == [(1, 0, 0, DONE, None)]
    assert row_of(core, execution.id).status is DONE


@pytest.mark.parametrize("is_ended", [False, True])
def test_a_call_whose_message_was_revoked_is_cancelled_also_after_it_ended_as_published(
    core: Core, clock: ManualClock, beat: Beat, is_ended: bool
) -> None:
    execution = published(core, make_call(core))
    if is_ended:
        clock.advance(minutes=5)
        beat.sweep()
    assert recorder(core).end_unstarted(execution, CANCELLED, reason="revoked")
    row = row_of(core, execution.id)
    assert (row.status, row.ended_status, row.skipped_reason) == (CANCELLED, CANCELLED, "revoked")


def test_a_call_that_the_worker_does_not_know_fails(core: Core) -> None:
    execution = published(core, make_call(core))
    unknown = Failure(type="celery.exceptions.NotRegistered", message="this worker has no task shop.add")
    assert recorder(core).end_unstarted(execution, FAILED, failure=unknown)
    row = row_of(core, execution.id)
    assert (row.status, row.exception_type) == (FAILED, "celery.exceptions.NotRegistered")


def test_a_discarded_message_does_not_touch_what_has_begun_or_ended(core: Core) -> None:
    execution = published(core, make_call(core))
    run = begun(core, execution)
    assert not recorder(core).end_unstarted(execution, CANCELLED, reason="expired")
    end(core, run)
    assert not recorder(core).end_unstarted(execution, CANCELLED, reason="expired")
    assert row_of(core, execution.id).status is DONE


def test_the_message_before_a_retry_that_is_discarded_does_not_end_the_run(core: Core) -> None:
    execution = published(core, make_call(core))
    retry(core, begun(core, execution))
    assert not recorder(core).end_unstarted(execution, CANCELLED, reason="expired")
    assert recorder(core).end_unstarted(retry_of(execution), CANCELLED, reason="expired")


def child(condition: RunCondition) -> TimeTicker:
    return TimeTicker(function="Send", run_condition=condition)


def statuses_below(core: Core, run_id: UUID) -> dict[str | None, tuple[TickerStatus, str | None]]:
    found = runs(core).find(parent_id=run_id)
    return {each.description: (each.status, each.held_for) for each in found}


def test_children_start_at_the_reported_start_and_end_of_their_parent(core: Core) -> None:
    conditions = (RunCondition.IN_PROGRESS, RunCondition.ON_SUCCESS, RunCondition.ON_FAILURE)
    children = [replace(child(each), description=each.name) for each in conditions]
    execution = published(core, make_call(core, children=children))
    assert {held for _, held in statuses_below(core, execution.id).values()} == {HoldReason.PARENT}
    run = begun(core, execution)
    below = statuses_below(core, execution.id)
    assert below["IN_PROGRESS"] == (IDLE, None)
    assert below["ON_SUCCESS"] == (IDLE, HoldReason.PARENT)
    retry(core, run)
    assert row_of(core, execution.id).check_at == publications.NEVER
    assert statuses_below(core, execution.id)["ON_SUCCESS"] == (IDLE, HoldReason.PARENT)
    end(core, begun(core, retry_of(execution)))
    below = statuses_below(core, execution.id)
    assert (below["ON_SUCCESS"], below["ON_FAILURE"]) == ((IDLE, None), (SKIPPED, None))


def test_a_child_waits_on_where_an_execution_is_known_whose_claim_was_given_up(core: Core) -> None:
    run_id = make_call(core, children=[child(RunCondition.IN_PROGRESS)])
    (claimed,) = claim(core, [run_id])
    core.write(publications.give_back, [claimed])
    # Its message had reached the broker all the same, and its worker could not report its beginning.
    run = recorder(core).start_late(execution_of(claimed), began=lambda: timedelta(seconds=9))
    assert run is not None
    end(core, run)
    assert row_of(core, run_id).status is IDLE
    assert statuses_below(core, run_id) == {None: (IDLE, HoldReason.PARENT)}
    begun(core, published(core, run_id))
    assert statuses_below(core, run_id) == {None: (IDLE, None)}


def test_children_are_not_decided_again_when_their_parent_is_opened_again(core: Core) -> None:
    children = [replace(child(each), description=each.name) for each in (RunCondition.ON_SUCCESS,)]
    execution = published(core, make_call(core, children=children))
    fail(core, begun(core, execution))
    end(core, begun(core, execution))
    assert statuses_below(core, execution.id)["ON_SUCCESS"] == (SKIPPED, None)


def test_an_unknown_task_lets_the_children_start_that_wait_for_a_failure(core: Core) -> None:
    children = [replace(child(each), description=each.name) for each in (RunCondition.ON_FAILURE,)]
    execution = published(core, make_call(core, children=children))
    recorder(core).end_unstarted(execution, FAILED, failure=Failure(type="NotRegistered", message="no"))
    assert statuses_below(core, execution.id)["ON_FAILURE"] == (IDLE, None)


def hourly(core: Core, clock: ManualClock, **fields: Any) -> UUID:
    """Return a cron ticker of a Celery task whose first two occurrences are due."""
    cron_id = make_cron(core, request={"args": []}, **fields)
    alter(core, cron_id, kind=TickerKind.CELERY_TASK.value)
    for _ in range(2):
        clock.advance(hours=1)
        fire(core)
    return cron_id


def test_an_occurrence_keeps_the_overlap_lock_until_its_end_is_reported(
    core: Core, clock: ManualClock
) -> None:
    cron_id = hourly(core, clock, overlap=OverlapPolicy.BUFFER_ONE)
    first, second = occurrences_of(core, cron_id)
    execution = published(core, first.id)
    assert claim(core) == []
    run = begun(core, execution)
    retry(core, run, seconds=5)
    assert claim(core) == []
    end(core, begun(core, retry_of(execution)))
    assert [each.id for each in claim(core)] == [second.id]


def test_an_occurrence_that_no_worker_reports_frees_the_overlap_lock_after_republish_after(
    core: Core, clock: ManualClock, beat: Beat
) -> None:
    cron_id = hourly(core, clock, overlap=OverlapPolicy.BUFFER_ONE)
    first, second = occurrences_of(core, cron_id)
    published(core, first.id)
    clock.advance(minutes=5)
    beat.sweep()
    assert [each.id for each in claim(core)] == [second.id]


def test_a_run_that_is_opened_again_passes_no_overlap_lock_on(core: Core, clock: ManualClock) -> None:
    cron_id = hourly(core, clock, overlap=OverlapPolicy.BUFFER_ONE)
    first, second = occurrences_of(core, cron_id)
    execution = published(core, first.id)
    run = begun(core, execution)
    rescue(core, run)
    assert [each.id for each in claim(core)] == [second.id]
    clock.advance(hours=1)
    fire(core)
    end(core, begun(core, execution))
    assert claim(core) == []


def test_reported_failures_pause_a_cron_ticker(core: Core, clock: ManualClock) -> None:
    cron_id = hourly(core, clock, pause_on_failure=1)
    first, _ = occurrences_of(core, cron_id)
    fail(core, begun(core, published(core, first.id)))
    assert not cron_row_of(core, cron_id).is_enabled


def test_a_reported_run_is_listed_by_its_attempts_in_their_order(core: Core) -> None:
    execution = published(core, make_call(core))
    retry(core, begun(core, execution))
    retry(core, begun(core, retry_of(execution)))
    fail(core, begun(core, retry_of(retry_of(execution))))
    run = time_tickers(core).get(execution.id)
    assert [(each.number, each.retries) for each in run.attempts] == [(0, 0), (1, 1), (2, 2)]
