"""What people do with the dashboard: twenty-eight journeys, each with what its tests find on the way.

A test says whose it is, ``@pytest.mark.journey("J4")``; a journey may have several, and a test be of several.
``python -m tests.dashboard.journeys.table`` prints which tests are whose.
"""

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

TESTS = Path(__file__).parents[1]
JOURNEYS: Mapping[str, str] = {
    "J1": "opens it without, with a wrong and with the right password; the sixth wrong one is told to wait",
    "J2": "a viewer walks all pages: no button that acts; what is forged is refused, and audited",
    "J3": "the banner names a silent beat, a lag, a dead worker and a missing function, the worst first, "
    "and each leaves it once it is mended",
    "J4": "finds yesterday's failures of one function; the address is the view, and each chip is removed",
    "J5": "pages through ten thousand runs and back while others end: none twice, none missed, none counted",
    "J6": "a run that failed three times: time line, tracebacks, what is copied, and its fourth attempt",
    "J7": "clones a run: no JSON, then no fit, then sent twice; one new ticker, linked to the run",
    "J8": "cancels what another node runs: asked to end, and Cancelled once it heeds that, or overdue",
    "J9": "retries three that are ticked by keys, and all 137 that match, but no newer one",
    "J10": "creates a cron ticker: preset, expression, zone, preview, changes of the clocks, Sundays",
    "J11": "of two who edit a cron ticker the second sees what the first has changed, and can save again",
    "J12": "pauses a cron ticker, runs it while it is paused, and resumes it without a burst",
    "J13": "chooses a zone: each time carries it, no instant moves, and the choice is kept",
    "J14": "what comes: windows, what is too much for the page, and a chart that its table repeats",
    "J15": "a chain by Tab: its tree is its list; what failed is retried, and the rest cancelled",
    "J16": "from a group of errors to its runs, which are deleted together",
    "J17": "from a function's page: a run with a payload that fits, and a pause of the function",
    "J18": "a node falls silent, is dead, and what it ran is released once",
    "J19": "a page refreshes itself and takes nothing away; hidden it asks nothing; of two tabs one asks",
    "J20": "without script: finds failures, retries, reviews and creates, pauses, runs and resumes",
    "J21": "hostile texts in every field of the store stay text",
    "J22": "another site can neither post, nor frame, nor redirect",
    "J23": "a phone, 320 pixels, twice the size, the dark, colours of one's own, and paper",
    "J24": "by keys alone: finds, opens, retries, helps, themes, and switches the shortcuts off",
    "J25": "wherever it is mounted, all that its pages load and lead to stays there",
    "J26": "an empty store, one row, what was deleted, what never was, and a store that fails or hangs",
    "J27": "beside a million runs: the overview, the runs, a page far back, a search, errors",
    "J28": "logs out, or is logged out while a page refreshes: it says so, and no data is shown after it",
}


def marked() -> Mapping[str, Sequence[str]]:
    """Return the tests of each journey that is named by any, as pytest calls them."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted(TESTS.rglob("test_*.py")):
        text = path.read_text(encoding="utf-8")
        if "mark.journey(" not in text:
            continue
        for each in ast.parse(text).body:
            if isinstance(each, ast.FunctionDef):
                for journey in _journeys_of(each):
                    found[journey].append(f"{path.relative_to(TESTS).as_posix()}::{each.name}")
    return found


def _journeys_of(test: ast.FunctionDef) -> Iterator[str]:
    for each in test.decorator_list:
        if isinstance(each, ast.Call) and ast.unparse(each.func) == "pytest.mark.journey":
            yield from (str(ast.literal_eval(argument)) for argument in each.args)


if __name__ == "__main__":
    found = marked()
    for name, asserts in JOURNEYS.items():
        print(f"{name}: {asserts}", *found[name], sep="\n    ")
