"""Measure, and write what was measured: python -m benchmarks [--quick] [--rounds 5] [measure …].

Results go to docs/how-it-works/benchmarks/results.json, and from there to the page and the charts beside it;
those of a quick run go to benchmarks/.results. A measure that is named alone replaces its own results only.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks import outcomes
from benchmarks.catalogue import MEASURES
from benchmarks.charts import draw
from benchmarks.environments import ROOT
from benchmarks.page import page
from benchmarks.rounds import Amount, Rounds
from benchmarks.servers import Servers

KEPT = ROOT / "docs" / "how-it-works" / "benchmarks"
QUICK = ROOT / "benchmarks" / ".results"
ROUNDS = 5


def main(given: argparse.Namespace) -> None:
    """Do as the command line says."""
    folder = given.to or (QUICK if given.quick else KEPT)
    if not given.report:
        if given.quick:
            _say("QUICK: one round of small counts; two minutes, and once some more to install the peers.")
            _say("Such figures show that it works, not how fast it is.")
        rounds = given.rounds or (1 if given.quick else ROUNDS)
        amount = Amount(
            rounds=rounds,
            is_whole=given.rounds is not None,
            is_quick=given.quick,
            with_peers=not given.without_peers,
        )
        _measure(given.measures or defaults(is_quick=given.quick), folder, amount)
    render(folder)
    _say(f"written: {folder}/results.md")


def defaults(*, is_quick: bool) -> list[str]:
    """Return the measures of a run that names none."""
    known = [name for name, each in MEASURES.items() if each.is_default]
    return [name for name in known if MEASURES[name].is_quick] if is_quick else known


def _measure(names: Sequence[str], folder: Path, amount: Amount) -> None:
    with Servers() as servers:
        for name in names:
            began = time.monotonic()
            _say(f"{name}: {MEASURES[name].title}")
            # After each, so that an end in the middle loses only the measure that it ends.
            outcome = Rounds(MEASURES[name], servers, amount, _say).measure()
            outcomes.write(folder / "results.json", [outcome])
            _say(f"{name}: {time.monotonic() - began:.0f} s")


def render(folder: Path) -> None:
    """Make the page and the charts of the results in a folder."""
    found = outcomes.read(folder / "results.json")
    (folder / "results.md").write_text(page(found))
    draw(found, folder)


def _say(line: str) -> None:
    print(line, flush=True)


def parsed(words: Sequence[str]) -> argparse.Namespace:
    """Return what a command line says; ends the process in words if it says something else."""
    made = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    made.add_argument("measures", nargs="*", metavar="measure", help=", ".join(MEASURES))
    made.add_argument("--quick", action="store_true", help="one round of small counts")
    made.add_argument(
        "--rounds", type=int, help=f"all of so many; {ROUNDS} if there is time, or 1 in a quick run"
    )
    made.add_argument("--without-peers", action="store_true", help="measure ours alone, and install nothing")
    made.add_argument("--report", action="store_true", help="write page and charts anew without measuring")
    made.add_argument("--to", type=Path, help="the folder of the results")
    given = made.parse_args(words)
    unknown = set(given.measures) - set(MEASURES)
    if unknown:
        made.error(f"no such measure: {', '.join(sorted(unknown))}; there are {', '.join(MEASURES)}")
    return given


if __name__ == "__main__":
    main(parsed(sys.argv[1:]))
