"""Whatever people ask for, few rows are read: by an index, however long the history and quiet the system."""

import re
from collections.abc import Mapping

import pytest

from tests.plans.explaining import Plan
from tests.plans.history import BIG, SMALL
from tests.plans.pages import COUNTS, PAGES, TIMED, slowest_of
from tests.plans.reads import FEW, READS
from tests.plans.stored import Read, Stored
from tests.thoroughness import in_proof, in_verify

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
# Of an hour of the roll-up, which has a hundred rows: read, and then sorted or joined to be added up.
MOST_OF_AN_HOUR = 240
# Why some have more, "How fast the pages are" in docs/dashboard.md says.
MOST_QUERIES, MOST_OF_OVERVIEW, MOST_OF_FUNCTIONS, MOST_OF_A_FUNCTION, MOST_OF_A_RUN = 12, 20, 16, 55, 16
# All that is planned is looked through for one function, a thousand at a time.
MOST_OF_ITS_STARTS = 30
# Names are looked through in up to five parts of each kind.
MOST_OF_FIND = 36
# With the window before, which figures are compared with. Find looks at the errors of 7 days.
LONG_WINDOWS = {"window=7d": 2 * 7 * 24, "window=30d": 2 * 30 * 24, "/find": 7 * 24}
# The same objects for each test, so that each database is made once.
SHORT, SQLITE, MARIADB, POSTGRES = (
    ("sqlite", 20_000),
    ("sqlite", 200_000),
    ("mariadb", 200_000),
    ("postgres", 1_000_000),
)
UNLIMITED_COUNT = re.compile(r"count\((?!.*\bLIMIT\b)", re.IGNORECASE | re.DOTALL)


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


@pytest.mark.verify
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    "stored", [SQLITE, MARIADB, POSTGRES], indirect=True, ids=["sqlite", "mariadb", "postgres"]
)
def test_a_page_sends_few_statements_of_which_none_scans_or_counts_the_history(
    stored: Stored, pytestconfig: pytest.Config
) -> None:
    stored.set_active(10)
    wrong = []
    for name, read in (PAGES | COUNTS).items():
        for namespace in (BIG, SMALL):
            # Of a process that has read nothing yet: what it reads once counts for each page.
            with stored.app(namespace) as tickerq:
                plans = stored.plans(read, tickerq)
            if len(plans) > most_queries(name):
                wrong.append(f"{name} of {namespace}: {len(plans)} queries")
            wrong += [
                f"{name} of {namespace}: {plan}" for plan in plans if is_wrong(name, plan, counted(stored))
            ]
    assert not wrong, "\n".join(wrong)
    if pytestconfig.getoption("capture") == "no":  # else none would see it
        print_times(stored)


def print_times(stored: Stored) -> None:
    with stored.app(BIG) as tickerq:
        for path in TIMED:
            print(f"{path}: {slowest_of(tickerq, path):.0f} ms")


def most_read(name: str) -> int:
    """Return how many rows a statement of a read may read or sort."""
    most = MOST_WITH_ATTEMPTS if "attempts" in name else MOST_READ
    most = MOST_COUNTED if "count" in name else most
    most = MOST_ROLLED_UP if "rolled up" in name else most
    return MOST_FIGURED if "figures" in name else most


def counted(stored: Stored, name: str = "a page") -> int:
    """Return how often a row counts that a statement reads once.

    MariaDB counts the rows of a subquery once more, as it reads them from there, and those of the outlook,
    which are of one timetable each, at each step from cron tickers to their timetables.
    """
    if stored.database.url.get_backend_name() not in {"mysql", "mariadb"}:
        return 1
    return 4 if "outlook" in name else 2 if "rolled up" in name or name == "a page" else 1


def most_queries(name: str) -> int:
    """Return how many statements a page may send: twelve, and as many for the page before an older one."""
    own = {
        "/": MOST_OF_OVERVIEW,
        "/functions": MOST_OF_FUNCTIONS,
        "a run": MOST_OF_A_RUN,
        "/find": MOST_OF_FIND,
    }
    most = own.get(re.split(r"[?,]", name)[0], MOST_QUERIES)
    most = MOST_OF_A_FUNCTION if name.startswith("/functions/") else most
    most = MOST_OF_ITS_STARTS if name.startswith("/upcoming?function") else most
    return most * (2 if "older" in name else 1)


def is_wrong(name: str, plan: Plan, times: int) -> bool:
    """Return whether a statement of a page reads the history: its end, or a window's roll-up, is enough.

    Each row that it read was counted so many ``times``.
    """
    most, scanned = MOST_COUNTED if name in COUNTS else MOST_FIGURED, plan.scanned
    if "tickerq_rollups" in plan.sent.statement:
        long = [hours for window, hours in LONG_WINDOWS.items() if window in name]
        most = MOST_OF_AN_HOUR * (max(long, default=2 * 24) + 1)
        # Of most of the roll-up an index is the longer way.
        scanned = scanned - {"tickerq_rollups"} if long else scanned
    return bool(scanned) or max(plan.read, plan.sorted) > most * times or is_unlimited(plan.sent.statement)


def is_unlimited(statement: str) -> bool:
    """Return whether a statement counts runs without an end; nodes run as many as they have slots."""
    of_runs = "tickerq_tickers" in statement and "GROUP BY tickerq_tickers.running_on" not in statement
    return of_runs and UNLIMITED_COUNT.search(statement) is not None
