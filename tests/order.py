"""The order of the files of a run in several processes."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import attrgetter

import pytest

# Their files take up to minutes each; those of others take seconds.
LONG = ("acceptance", "compat", "plans", "stateful", "tests", "typing", "windows")


def mixed(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """Return the tests with the long files spread over the first half, so that none is left at the end.

    Side by side most would leave the processor idle, as they wait for other processes, and the rest would
    fight for it: while one waits, others are to work. Hence also the order of their own names, by which those
    of one folder are not together.
    """
    files = [list(file) for _, file in groupby(items, attrgetter("path"))]
    return [item for file in _mixed(files) for item in file]


def _mixed(files: Iterable[Sequence[pytest.Item]]) -> Iterator[Sequence[pytest.Item]]:
    by_length: dict[bool, list[Sequence[pytest.Item]]] = {True: [], False: []}
    for file in files:
        by_length[file[0].path.parent.name in LONG].append(file)
    long, short = sorted(by_length[True], key=lambda file: file[0].path.name), by_length[False]
    distance = max(1, len(short) // (2 * len(long) or 1))
    for number, file in enumerate(short):
        if number % distance == 0 and long:
            yield long.pop(0)
        yield file
    yield from long
