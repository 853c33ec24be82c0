"""A child of the pool keeps the garbage of few failures, however many of its tasks fail."""

import pytest

from tests.acceptance.jobs import Jobs
from tests.acceptance.pairs import on_files
from tests.acceptance.waiting import wait_until

pytestmark = pytest.mark.acceptance
# Twenty, and the one at whose end they were collected.
FAILURES, MOST_LEFT = 45, 21


@on_files
def test_a_child_keeps_the_garbage_of_few_failures(jobs: Jobs) -> None:
    jobs.worker(functions="garbage", concurrency=1)
    jobs.beat(functions="garbage")
    jobs.add_many(FAILURES, function="Leaves")
    wait_until(lambda: len(jobs.notes("left ")) == FAILURES, jobs.logs)
    left = [int(note.split()[1]) for note in jobs.notes("left ")]
    # That of none would be no test: Celery leaves it.
    assert 1 < max(left) <= MOST_LEFT
