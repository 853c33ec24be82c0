"""Whatever people ask for, few rows are read: by an index, however long the history and quiet the system."""

from collections.abc import Mapping

import pytest

from tests.plans.bounds import (
    ARGUED,
    MOST_OF_FEW,
    MOST_QUERIES,
    counted,
    most_queries,
    most_read,
    wrong_among,
)
from tests.plans.forms import FILES, FORMS
from tests.plans.history import BIG, SMALL
from tests.plans.pages import COUNTS, PAGES, TIMED
from tests.plans.programs import ANSWERS
from tests.plans.reads import FEW, READS
from tests.plans.stored import Read, Stored
from tests.plans.visiting import page
from tests.thoroughness import in_proof, in_verify

# The same objects for each test, so that each database is made once.
SHORT, SQLITE, MARIADB, POSTGRES = (
    ("sqlite", 20_000),
    ("sqlite", 200_000),
    ("mariadb", 200_000),
    ("postgres", 1_000_000),
)
OF_BOTH = PAGES | COUNTS
VISITED = OF_BOTH | ANSWERS | FORMS | FILES
# With so many active, programs and forms are tried in the larger namespace: they send what pages send.
MOST_ACTIVE = 10


@pytest.mark.timeout(1800)
# That a page is asked with ten, and all is read with none and ten, leaves little for one to show.
@pytest.mark.parametrize("active", [0, in_proof(1), in_verify(10)])
@pytest.mark.parametrize(
    ("stored", "reads"),
    [
        (SHORT, FEW),
        in_verify(SQLITE, READS),
        in_verify(MARIADB, READS),
        in_verify(POSTGRES, READS),
    ],
    indirect=["stored"],
    ids=["few", "sqlite", "mariadb", "postgres"],
    # Else, beside what is no fixture, a store would be made for each test.
    scope="session",
)
def test_no_read_scans_or_sorts_the_history(stored: Stored, reads: Mapping[str, Read], active: int) -> None:
    stored.set_active(active)
    wrong = []
    for namespace in (BIG, SMALL):
        with stored.app(namespace) as tickerq:
            for name, read in reads.items():
                most = most_read(name) if reads is READS else MOST_OF_FEW
                wrong += [
                    f"{name} of {namespace}: {plan}"
                    for plan in stored.plans(read, tickerq)
                    if plan.scanned or max(plan.read, plan.sorted) > most * counted(stored, name)
                ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("stored", [SHORT], indirect=True, ids=["few"], scope="session")
def test_a_page_sends_twelve_statements_at_most_or_argues_why_more(stored: Stored) -> None:
    stored.set_active(MOST_ACTIVE)
    with stored.app(BIG) as tickerq:
        sent = {path: stored.sent(page(path), tickerq) for path in TIMED}
    too_many = {path: len(each) for path, each in sent.items() if len(each) > most_queries(path)}
    assert not too_many
    assert all(each.most > MOST_QUERIES and each.why for each in ARGUED.values())


@pytest.mark.verify
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("active", [in_proof(0), in_proof(1), MOST_ACTIVE])
@pytest.mark.parametrize(
    "stored", [SQLITE, MARIADB, POSTGRES], indirect=True, ids=["sqlite", "mariadb", "postgres"]
)
def test_a_page_sends_few_statements_of_which_none_scans_or_counts_the_history(
    stored: Stored, active: int
) -> None:
    stored.set_active(active)
    wrong = []
    for namespace in (BIG, SMALL):
        visited = VISITED if namespace == BIG or active < MOST_ACTIVE else OF_BOTH
        with stored.app(namespace) as tickerq:
            for name, read in visited.items():
                found = wrong_among(name, stored.plans(read, tickerq), stored)
                wrong += [f"of {namespace}: {each}" for each in found]
    assert not wrong, "\n".join(wrong)
