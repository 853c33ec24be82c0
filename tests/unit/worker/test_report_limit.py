"""How long a task waits for the record of its end, beside Celery's hard limit."""

from datetime import timedelta
from types import SimpleNamespace

import pytest

from tickerq_celery.worker.following import hard_limit_of, longest_wait

LEASE = timedelta(seconds=60)


@pytest.mark.parametrize(
    ("hard", "elapsed", "wait"), [(None, 7, 60), (300, 7, 60), (10, 7, 2), (10, 9.5, 0.05), (1, 0, 0.05)]
)
def test_it_is_a_lease_or_what_is_left_of_the_hard_limit(
    hard: float | None, elapsed: float, wait: float
) -> None:
    assert longest_wait(hard, timedelta(seconds=elapsed), LEASE) == wait


@pytest.mark.parametrize(
    ("message", "of_task", "limit"),
    [((5, None), 7, 5), ([None, 3], 7, 7), (None, 7, 7), ((None, None), None, 9), (None, None, 9)],
)
def test_the_limit_of_the_message_counts_before_its_tasks_and_its_workers(
    message: object, of_task: float | None, limit: float
) -> None:
    task = SimpleNamespace(request=SimpleNamespace(timelimit=message), time_limit=of_task)
    assert hard_limit_of(task, 9) == limit
