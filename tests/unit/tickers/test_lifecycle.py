"""Which status may follow which, and what the end of an attempt means."""

from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest

from tickerq_celery.enums import SUCCEEDED, TERMINAL, OnLost, TickerStatus
from tickerq_celery.errors import IllegalTransitionError, TerminateExecution, TickerCancelled
from tickerq_celery.tickers.lifecycle import (
    Failure,
    Outcome,
    Standing,
    check_transition,
    failed,
    lost,
    outcome_of,
    succeeded,
    takes_execution,
    terminated,
)
from tickerq_celery.tickers.retry_policy import RetryPolicy

Status = TickerStatus
FAILURE = Failure(type="OSError", message="no route")
STANDING = Standing(
    retry_count=0,
    rescue_count=0,
    is_late=False,
    policy=RetryPolicy(limit=2, intervals=(timedelta(minutes=1), timedelta(minutes=5))),
)
MOVES = {
    (Status.IDLE, Status.QUEUED),
    (Status.IDLE, Status.CANCELLED),
    (Status.IDLE, Status.SKIPPED),
    (Status.QUEUED, Status.IDLE),
    (Status.QUEUED, Status.IN_PROGRESS),
    *((Status.QUEUED, end) for end in TERMINAL),
    (Status.IN_PROGRESS, Status.IDLE),
    *((Status.IN_PROGRESS, end) for end in TERMINAL),
    (Status.FAILED, Status.IDLE),
    (Status.CANCELLED, Status.IDLE),
    (Status.SKIPPED, Status.IDLE),
}


@pytest.mark.parametrize(("before", "after"), list(product(Status, Status)))
def test_only_the_moves_of_the_protocol_are_legal(before: TickerStatus, after: TickerStatus) -> None:
    if (before, after) in MOVES:
        check_transition(before, after)
    else:
        with pytest.raises(IllegalTransitionError, match=f"from {before.name} to {after.name}"):
            check_transition(before, after)


OF_A_CALL = {
    *MOVES,
    # A report, however late, and one of a message that was delivered again.
    *((before, Status.IN_PROGRESS) for before in (Status.IN_PROGRESS, *TERMINAL)),
    (Status.IN_PROGRESS, Status.QUEUED),
    # Done by the publication, and then revoked or unknown.
    *((ended, after) for ended in SUCCEEDED for after in (Status.CANCELLED, Status.FAILED)),
}


@pytest.mark.parametrize(("before", "after"), list(product(Status, Status)))
def test_only_the_moves_of_reports_are_legal_for_a_call(before: TickerStatus, after: TickerStatus) -> None:
    if (before, after) in OF_A_CALL:
        check_transition(before, after, of_a_call=True)
    else:
        with pytest.raises(IllegalTransitionError):
            check_transition(before, after, of_a_call=True)


@pytest.mark.parametrize(
    ("before", "retry_count", "retries", "is_taken"),
    [
        (Status.QUEUED, 0, 0, True),
        (Status.IN_PROGRESS, 0, 1, True),
        (Status.DONE, 1, 1, True),
        (Status.QUEUED, 1, 0, False),
        (Status.IDLE, 0, 0, False),
    ],
)
def test_an_execution_is_taken_unless_a_later_retry_began_or_its_claim_was_given_up(
    before: TickerStatus, retry_count: int, retries: int, is_taken: bool
) -> None:
    assert takes_execution(before, retry_count=retry_count, retries=retries) is is_taken


def test_who_succeeded_has_ended() -> None:
    assert SUCCEEDED < TERMINAL < frozenset(Status)


@pytest.mark.parametrize(("is_late", "status"), [(False, Status.DONE), (True, Status.DUE_DONE)])
def test_success_is_due_done_where_the_run_was_late(is_late: bool, status: TickerStatus) -> None:
    outcome = succeeded(replace(STANDING, is_late=is_late, retry_count=1, rescue_count=2))
    assert outcome == Outcome(status=status, attempt_status=status, retry_count=1, rescue_count=2)


def test_a_failure_waits_its_interval_and_uses_up_a_retry() -> None:
    outcome = failed(replace(STANDING, retry_count=1, rescue_count=4), FAILURE)
    assert outcome.goes_on
    assert outcome == Outcome(
        status=Status.IDLE,
        attempt_status=Status.FAILED,
        wait=timedelta(minutes=5),
        retry_count=2,
        rescue_count=4,
        failure=FAILURE,
    )


def test_a_failure_after_the_last_retry_is_final() -> None:
    outcome = failed(replace(STANDING, retry_count=2), FAILURE)
    assert not outcome.goes_on
    assert (outcome.status, outcome.wait, outcome.retry_count) == (Status.FAILED, None, 2)
    assert outcome.failure == FAILURE


def test_a_rescue_uses_up_no_retry() -> None:
    outcome = lost(
        replace(STANDING, retry_count=1), on_lost=OnLost.RETRY, max_rescues=3, message="worker lost"
    )
    assert (outcome.status, outcome.wait, outcome.attempt_status) == (
        Status.IDLE, timedelta(0), Status.FAILED,
    )  # fmt: skip
    assert (outcome.retry_count, outcome.rescue_count) == (1, 1)


@pytest.mark.parametrize(
    ("on_lost", "rescues", "most"), [(OnLost.FAIL, 0, 3), (OnLost.RETRY, 3, 3), (OnLost.RETRY, 0, 0)]
)
def test_a_lost_run_fails_where_it_may_not_be_rescued(on_lost: OnLost, rescues: int, most: int) -> None:
    outcome = lost(replace(STANDING, rescue_count=rescues), on_lost=on_lost, max_rescues=most, message="gone")
    assert (outcome.status, outcome.rescue_count) == (Status.FAILED, rescues)
    assert outcome.failure == Failure(type="WorkerLost", message="gone")


@pytest.mark.parametrize("status", sorted(TERMINAL))
def test_a_body_may_ask_for_any_terminal_status(status: TickerStatus) -> None:
    outcome = terminated(STANDING, TerminateExecution("why", status))
    assert (outcome.status, outcome.attempt_status, outcome.wait) == (status, status, None)
    reason = (
        outcome.skipped_reason if status is Status.SKIPPED else outcome.failure and outcome.failure.message
    )
    assert reason == "why"


@pytest.mark.parametrize("status", [*sorted(frozenset(Status) - TERMINAL), 8, -1])
def test_a_status_that_ends_nothing_fails_the_run(status: int) -> None:
    outcome = terminated(STANDING, TerminateExecution("why", status))
    assert outcome.status is Status.FAILED
    assert outcome.failure is not None
    assert "no terminal status: why" in outcome.failure.message


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (OSError(), Status.IDLE),
        (TerminateExecution("why"), Status.SKIPPED),
        (TickerCancelled(), Status.CANCELLED),
    ],
)
def test_what_was_raised_decides(error: Exception, status: TickerStatus) -> None:
    assert outcome_of(error, FAILURE, STANDING).status is status
