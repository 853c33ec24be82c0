"""The check of a cron ticker's instants: it passes one tale of each, and nothing else."""

from collections import Counter
from datetime import UTC, datetime

import pytest

from tests.acceptance.occurrences import SECOND, faults_of_instants

NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "faults"),
    [
        ((0, 1, 2), []),
        ((2, 0, 1), []),
        ((0, 1, 2, 3), []),
        ((1, 2), [0]),
        ((0, 1), [2]),
        ((0, 2), [1]),
        ((0, 1, 2, 4), [3]),
        ((0, 1, 1, 2), [1]),
        ((-1, 0, 1, 2), [-1]),
        ((0, 0.5, 1, 2), [0.5]),
        ((), [0, 1, 2]),
    ],
)
def test_an_instant_that_vanished_or_is_recorded_twice_or_is_none_of_the_crons_is_a_fault(
    seconds: tuple[float, ...], faults: list[float]
) -> None:
    found = faults_of_instants(
        Counter(NOON + each * SECOND for each in seconds), first=NOON, before=NOON + 3 * SECOND
    )
    assert [each.partition(": ")[0] for each in found] == [str(NOON + each * SECOND) for each in faults]
