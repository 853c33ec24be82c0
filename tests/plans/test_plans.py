"""Whatever people ask for, few rows are read: by an index, however long the history and quiet the system."""

from collections.abc import Mapping

import pytest

from tests.plans.history import BIG, SMALL
from tests.plans.reads import FEW, READS
from tests.plans.stored import Read, Stored
from tests.thoroughness import in_verify

# What a call looks at, and what it then shows; an attempt of each, where attempts are counted.
MOST_READ, MOST_WITH_ATTEMPTS = 2_200, 4_500
# Of each state that counts stop at.
MOST_COUNTED = 10_500
# Of each of fifty cron tickers 25 of each status they ended with, in one statement.
MOST_FIGURED = 6_500
# Of 25 hours with a hundred rows each, which are sorted where they are added up.
MOST_ROLLED_UP = 6_000
# None of a short run looks for what is hard to find.
MOST_OF_FEW = 1_000


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("active", [0, in_verify(1), in_verify(10)])
@pytest.mark.parametrize(
    ("stored", "reads"),
    [
        (("sqlite", 20_000), FEW),
        in_verify(("sqlite", 200_000), READS),
        in_verify(("mariadb", 200_000), READS),
        in_verify(("postgres", 1_000_000), READS),
    ],
    indirect=["stored"],
    ids=["few", "sqlite", "mariadb", "postgres"],
)
def test_no_read_scans_or_sorts_the_history(stored: Stored, reads: Mapping[str, Read], active: int) -> None:
    stored.set_active(active)
    wrong = []
    for name, read in reads.items():
        most = MOST_WITH_ATTEMPTS if "attempts" in name else MOST_READ
        most = MOST_COUNTED if "count" in name else most
        most = MOST_ROLLED_UP if "rolled up" in name else most
        most = MOST_FIGURED if "figures" in name else most
        most = MOST_OF_FEW if reads is FEW else most
        for namespace in (BIG, SMALL):
            wrong += [
                f"{name} of {namespace}: {plan}"
                for plan in stored.plans(read, namespace)
                if plan.scanned or max(plan.read, plan.sorted) > most
            ]
    assert not wrong, "\n".join(wrong)
