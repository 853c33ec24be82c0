"""Celery's own entries of an app that changes nothing else: two beats, one of which dies."""

from pathlib import Path

import pytest

from tests.acceptance.jobs import Jobs
from tests.acceptance.pairs import on_each_pair, on_files
from tests.acceptance.processes import PLAIN_CELERY
from tests.acceptance.waiting import wait_until
from tests.inner import CrashPoint
from tests.tables import tickers
from tests.thoroughness import in_verify

pytestmark = pytest.mark.acceptance

ENTRIES = {"beat_schedule": {"tick": {"task": "job_app.entry", "schedule": 1.0, "args": ["ticked"]}}}


def ids(jobs: Jobs) -> list[str]:
    """Return the task ids under which the entry ran."""
    return [line.split()[1] for line in jobs.notes("ticked ")]


@on_each_pair
def test_two_beats_run_an_entry_once_an_instant_and_the_other_goes_on_when_one_is_killed(jobs: Jobs) -> None:
    jobs.worker(celery=ENTRIES)
    killed, other = (jobs.beat(celery=ENTRIES) for _ in range(2))
    wait_until(lambda: len(ids(jobs)) >= 3, jobs.logs)
    killed.kill()
    before = len(ids(jobs))
    wait_until(lambda: len(ids(jobs)) >= before + 3, jobs.logs)
    assert other.stop(10) == 0
    published = jobs.count(tickers.c.published_at.is_not(None))
    wait_until(lambda: len(set(ids(jobs))) == published, jobs.logs)
    # The one that was killed may have published what it had no time to stamp.
    assert len(ids(jobs)) <= published + 1
    assert "Traceback" not in other.log


@on_files
@pytest.mark.parametrize(
    ("point", "is_followed", "repeated"),
    [
        in_verify(CrashPoint.CLAIMED, True, 0),
        # The worker's report says that there was a message.
        (CrashPoint.PUBLISHED, True, 0),
        in_verify(CrashPoint.PUBLISHED, False, 1),
    ],
)
def test_a_beat_that_dies_between_claim_and_stamp_loses_no_instant_and_repeats_one_at_most(
    jobs: Jobs, tmp_path: Path, point: CrashPoint, is_followed: bool, repeated: int
) -> None:
    token = tmp_path / "token"
    token.touch()
    if is_followed:
        jobs.worker(celery=ENTRIES)
    else:
        jobs.worker(ready=False, program=PLAIN_CELERY).wait_for(" ready.")
    jobs.beat(celery=ENTRIES, failpoint=f"{point} SIGKILL {token}").wait()
    other = jobs.beat(celery=ENTRIES)
    # The claim that the dead beat left is looked after by the sweep.
    wait_until(lambda: len(set(ids(jobs))) >= 4, jobs.logs)
    wait_until(lambda: jobs.count(tickers.c.ended_at.is_(None)) == 0, jobs.logs)
    assert other.stop(10) == 0
    published = jobs.count(tickers.c.published_at.is_not(None))
    wait_until(lambda: len(ids(jobs)) == published + repeated, jobs.logs)
    assert len(set(ids(jobs))) == published
