"""The three parts of ``make verify``: each test file is in one of them, by the seconds that its tests took.

``tests/seconds_of_verify.csv`` has what was measured, and ``make measure-parts`` measures anew.
"""

import csv
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

import pytest

NUMBERS = (1, 2, 3)
TESTS = Path(__file__).parent
MEASURED = Path(__file__).with_name("seconds_of_verify.csv")
# Of a file that was not measured: most take less, and are not in the table.
_OTHERS = 2.0


def parts(files: Iterable[str], seconds: Mapping[str, float]) -> Mapping[str, int]:
    """Return the part of each file: the longest first, each into the part that is the shortest so far."""
    ends = dict.fromkeys(NUMBERS, 0.0)
    chosen: dict[str, int] = {}
    for file in sorted(files, key=lambda file: (-seconds.get(file, _OTHERS), file)):
        chosen[file] = min(ends, key=lambda part: ends[part])
        ends[chosen[file]] += seconds.get(file, _OTHERS)
    return chosen


@cache
def parts_below(root: Path) -> Mapping[str, int]:
    """Return the part of each test file in a folder, by its path below that."""
    files = (path.relative_to(root).as_posix() for path in root.rglob("test_*.py"))
    return parts(files, measured())


def part_called(number: str) -> int:
    """Return the part that ``TICKERQ_PART`` names, and raise a usage error for what is none."""
    if number not in map(str, NUMBERS):
        raise pytest.UsageError(f"TICKERQ_PART is {number!r}: it must be 1, 2 or 3")
    return int(number)


def measured() -> Mapping[str, float]:
    """Return the seconds of the files that were measured."""
    with MEASURED.open(newline="") as stream:
        return {row["file"]: float(row["seconds"]) for row in csv.DictReader(stream)}


def keep(source: Path) -> None:
    """Take over the files that took long from what a run with ``SECONDS_OF_TESTS`` wrote."""
    with source.open(newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["kind"] == "file"]
    with MEASURED.open("w", newline="") as stream:
        lines = csv.writer(stream, lineterminator="\n")
        lines.writerow(("file", "seconds"))
        long = ((row["name"].removeprefix("tests/"), round(float(row["seconds"]))) for row in rows)
        lines.writerows(sorted(row for row in long if row[1] > _OTHERS))


if __name__ == "__main__":
    keep(Path(sys.argv[1]))
