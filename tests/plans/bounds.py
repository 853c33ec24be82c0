"""How much the statements of a read, of a page, of an answer and of a form may read, and how many they are.

Two thousand rows are what a statement looks at; what has another bound is named here, and in "How fast the
pages are" of docs/dashboard.md.
"""

import re

from tests.plans.explaining import Plan
from tests.plans.stored import Stored

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
# With the window before, which figures are compared with. Find looks at the errors of 7 days.
_LONG_WINDOWS = {"window=7d": 2 * 7 * 24, "window=30d": 2 * 30 * 24, "/find": 7 * 24}
_UNLIMITED_COUNT = re.compile(r"count\((?!.*\bLIMIT\b)", re.IGNORECASE | re.DOTALL)
# Why some have more, docs/dashboard.md says.
_MOST_QUERIES = 12
_OWN_QUERIES = {
    r"/": 20,
    r"/upcoming\?.*function=.*": 30,
    r"/find.*": 36,
    r"/runs/{\w+}": 20,
    r"/functions(\?.*)?": 16,
    r"/functions/.*": 76,
    r"/(runs|crons)(/{\w+})?/(new|clone|edit).*": 24,
    r"/pauses/\w+\?.*": 20,
    r"/bulk/ask.*": 12,
}
_OF_A_REPORT = 50
# Of each of the five reads that the test lets a file have.
_OF_A_FILE = 5 * 6


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
    own = (most for pattern, most in _OWN_QUERIES.items() if re.fullmatch(pattern, path.split("?window")[0]))
    most = next(own, _MOST_QUERIES)
    return most * (2 if "older" in name else 1) + (_OF_A_REPORT if "its report" in name else 0)


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
