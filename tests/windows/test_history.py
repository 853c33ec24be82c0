"""The check that every window ends with: it passes what may happen, and nothing else."""

from dataclasses import replace
from uuid import UUID

import pytest

from tests.windows.history import AttemptRecord, RunRecord, Trail, faults_of, trail_of
from tickerq_celery import TickerStatus

DONE, FAILED = TickerStatus.DONE, TickerStatus.FAILED


def attempt(claim_no: int, status: TickerStatus = FAILED, *, number: int | None = None) -> AttemptRecord:
    return AttemptRecord(claim_no=claim_no, number=claim_no - 1 if number is None else number, status=status)


# Rescued once, retried once; under its first claim the function did not begin.
GOOD = RunRecord(
    id=UUID(int=1),
    status=DONE,
    claim_no=3,
    retry_count=1,
    rescue_count=1,
    attempts=(attempt(1), attempt(2), attempt(3, DONE)),
    begun=(2, 3),
    ended=(3,),
)


def test_a_run_that_was_rescued_and_retried_has_no_fault() -> None:
    assert faults_of(GOOD) == []
    assert trail_of(GOOD) == Trail(claims=3, rescues=1, retries=1, bodies=2)


@pytest.mark.parametrize(
    ("run", "fault"),
    [
        (replace(GOOD, status=TickerStatus.QUEUED), "it did not succeed"),
        (replace(GOOD, status=FAILED), "it did not succeed"),
        (replace(GOOD, begun=(2, 3, 3)), "a claim was started twice"),
        (replace(GOOD, begun=(2, 3, 4)), "a start is not recorded"),
        (replace(GOOD, attempts=(attempt(1), attempt(2, DONE), attempt(3, DONE))), "had no reason"),
        (replace(GOOD, attempts=(attempt(1), attempt(2), attempt(3))), "last attempt did not succeed"),
        (replace(GOOD, attempts=()), "last attempt did not succeed"),
        (
            replace(GOOD, attempts=(attempt(1), attempt(2), attempt(3, DONE, number=1))),
            "not numbered through",
        ),
        (replace(GOOD, rescue_count=2), "retries and rescues are not its lost attempts"),
        (replace(GOOD, retry_count=0), "retries and rescues are not its lost attempts"),
        (replace(GOOD, claim_no=4), "a claim that is not its last"),
        (replace(GOOD, ended=(2,)), "its function did not end"),
    ],
)
def test_a_run_with_a_fault_is_named_with_it(run: RunRecord, fault: str) -> None:
    faults = faults_of(run)
    assert any(fault in each for each in faults), faults
    assert all(str(run.id) in each for each in faults)
