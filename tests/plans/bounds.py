"""How much the statements of a read, of a page, of an answer and of a form may read, and how many they are.

Two thousand rows are what a statement looks at; what has another bound is named here, and in "How fast the
pages are" of docs/operations/dashboard-speed.md.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.plans.explaining import Plan
from tests.plans.stored import Stored
from tickerq_celery.limits import MOST_SEARCHED

# What a call looks at, and what it then shows; an attempt of each, where attempts are counted.
MOST_READ, MOST_WITH_ATTEMPTS = 2_200, 4_600
# How a list searches further than that, by the numbers that it gives its rows; and how often each of those
# counts: MariaDB keeps them in a table, which it fills, numbers and reads, and SQLite's steps are not rows.
_FAR_SEARCH = re.compile(r"\brow_number\(\) OVER \(ORDER BY [^)]*\) AS number\b.* LIMIT ", re.DOTALL)
_OF_A_FAR_ROW = {"mysql": 10.1, "mariadb": 10.1, "sqlite": 1.4}
# The lists of runs that pages, files and programs search so, and the two that a page without a run names too.
_SEARCHES = re.compile(r"(/api/v1)?/runs(/active|/upcoming)?(\?|,|$)|(history|active|upcoming) as a file")
_LISTS_OF_A_PAGE = 3
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
# With the window before, which figures are compared with. Find looks at the errors of 7 days.
_LONG_WINDOWS = {"window=7d": 2 * 7 * 24, "window=30d": 2 * 30 * 24, "/find": 7 * 24}
_UNLIMITED_COUNT = re.compile(r"count\((?!.*\bLIMIT\b)", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Argued:
    """How many statements a page may send that needs more than twelve, and why it does."""

    most: int
    why: str


MOST_QUERIES = 12
# As docs/operations/dashboard-speed.md says.
ARGUED: Mapping[str, Argued] = {
    r"/": Argued(
        16,
        "eight readings, so that one that is too wide takes no other with it; what comes has seven by itself",
    ),
    r"/upcoming\?.*function=.*": Argued(
        20,
        "no index has the planned of one function: all are looked through, in pages of up to 2,000, for a "
        "second at most",
    ),
    r"/find.*": Argued(
        24,
        "names of functions, cron tickers and held runs are read in up to five parts of 2,000 each, and then "
        "what else may be meant: cron tickers, errors, nodes, runs",
    ),
    r"/functions(\?.*)?": Argued(
        14, "beside the page stands what is paused, and names that something waits for are read in steps"
    ),
    r"/functions/.*": Argued(
        24, "for each of up to three reasons the first held run is explained, as its own page does"
    ),
}
_OF_A_REPORT = 50
# Of each of the five reads that the test lets a file have.
_READS_OF_A_FILE = 5
_OF_A_FILE = _READS_OF_A_FILE * 6


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
    """Return how many statements a page may send: as many again for the page before an older one."""
    if "as a file" in name:
        return _OF_A_FILE
    path = re.split(", (?:older|with)", name)[0].removeprefix("/api/v1")
    own = (each.most for pattern, each in ARGUED.items() if re.fullmatch(pattern, path.split("?window")[0]))
    most = next(own, MOST_QUERIES)
    return most * (2 if "older" in name else 1) + (_OF_A_REPORT if "its report" in name else 0)


def is_far(plan: Plan) -> bool:
    """Return whether a statement is a list's search that reads more than the others may, up to a limit."""
    return _FAR_SEARCH.search(plan.sent.statement) is not None


def most_searched(stored: Stored, name: str) -> float:
    """Return how much a far search may read; the attempt of each row is read, where those are counted."""
    each = _OF_A_FAR_ROW.get(stored.database.url.get_backend_name(), 1)
    return (each + ("attempts" in name)) * MOST_SEARCHED if _SEARCHES.match(name) else 0


def searches(name: str) -> int:
    """Return how many searches of 100,000 rows a read may make."""
    return _LISTS_OF_A_PAGE * (_READS_OF_A_FILE if "as a file" in name else 2 if "older" in name else 1)


def wrong_among(name: str, plans: Sequence[Plan], stored: Stored) -> list[str]:
    """Return what is wrong with the statements of a page, of an answer, of a file or of a form."""
    far, most = [plan for plan in plans if is_far(plan)], most_searched(stored, name)
    near = [plan for plan in plans if not is_far(plan)]
    wrong = [f"{name}: {plan}" for plan in near if is_wrong(name, plan, counted(stored))]
    wrong += [
        f"{name} searches: {plan}"
        for plan in far
        if plan.scanned or plan.read > most or plan.sorted > MOST_SEARCHED
    ]
    if sum(plan.read for plan in far) > most * searches(name):
        wrong.append(f"{name}: {[plan.read for plan in far]} rows in all")
    if len(plans) > most_queries(name):
        wrong.append(f"{name}: {len(plans)} queries")
    return wrong


def is_wrong(name: str, plan: Plan, times: int) -> bool:
    """Return whether a statement of a page reads the history: its end, or a window's roll-up, is enough.

    Each row that it read was counted so many ``times``.
    """
    statement, scanned = plan.sent.statement, plan.scanned
    most = MOST_WITH_ATTEMPTS if "tickerq_attempts" in statement else MOST_READ
    if re.match(r"/(api/v1/)?crons\b", name):
        most = MOST_FIGURED
    if "count(" in statement:
        most = MOST_COUNTED
    if "tickerq_rollups" in statement:
        long = [hours for window, hours in _LONG_WINDOWS.items() if window in name]
        most = MOST_OF_AN_HOUR * (max(long, default=2 * 24) + 1)
        # Of most of the roll-up an index is the longer way.
        scanned = scanned - {"tickerq_rollups"} if long else scanned
    return bool(scanned) or max(plan.read, plan.sorted) > most * times or is_unlimited(statement)


def is_unlimited(statement: str) -> bool:
    """Return whether a statement counts runs without an end; nodes run as many as they have slots."""
    of_runs = "tickerq_tickers" in statement and "GROUP BY tickerq_tickers.running_on" not in statement
    return of_runs and _UNLIMITED_COUNT.search(statement) is not None
