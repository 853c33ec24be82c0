"""How much a run of the tests does: the one module in which ``VERIFY``, ``PROOF`` and ``SLICE`` are read.

``make test`` tests each guarantee once, on one of the databases and brokers that it is for. ``make verify``
(VERIFY=1) adds what is marked ``verify``, and every other database and broker; ``make proof`` (PROOF=1) adds
what is marked ``proof``. With SLICE=3/20, the fourth of twenty parts of the proofs runs.
"""

import os
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from zlib import crc32

import pytest

from tests.servers.services import SERVICES

# The fixtures of which each value is a kind of database or of broker.
STORES = ("store_url", "empty_database_url")
BACKENDS = (*STORES, "broker_url")
WITHOUT_ROW_LOCKS = "sqlite"
_PARTS_OF_A_NAME = re.compile(r"[-\[\]]")


def in_verify(*values: object) -> object:
    """Return a case that is left to ``make verify``."""
    return pytest.param(*values, marks=pytest.mark.verify)


def in_proof(*values: object) -> object:
    """Return a case that is left to ``make proof``."""
    return pytest.param(*values, marks=pytest.mark.proof)


def select(config: pytest.Config, items: list[pytest.Item], environ: Mapping[str, str] = os.environ) -> None:
    """Mark the mere permutations, and remove from ``items`` what this run leaves to a longer one."""
    for others in _permutations(items):
        for item in others:
            item.add_marker(pytest.mark.verify)
    if any("[" in argument for argument in config.args):
        return  # who names a case gets it
    left_out = _left_out(environ)
    kept = [item for item in items if not any(item.get_closest_marker(name) for name in left_out)]
    kept = _slice_of(kept, environ.get("SLICE", "0/1"))
    remaining = set(kept)
    config.hook.pytest_deselected(items=[item for item in items if item not in remaining])
    items[:] = kept


def _left_out(environ: Mapping[str, str]) -> Collection[str]:
    if environ.get("PROOF") == "1":
        return ()
    return ("proof",) if environ.get("VERIFY") == "1" else ("verify", "proof")


def _slice_of(items: list[pytest.Item], part: str) -> list[pytest.Item]:
    """Return every nth proof, so that each part has some of each kind, and all that is no proof."""
    number, _, count = part.partition("/")
    proofs = [item for item in items if item.get_closest_marker("proof")]
    chosen = set(proofs[int(number) % int(count) :: int(count)])
    return [item for item in items if item in chosen or not item.get_closest_marker("proof")]


def _permutations(items: Iterable[pytest.Item]) -> Iterable[list[pytest.Item]]:
    """Yield, for each test and each of its other cases, all of its backends but the one of `make test`."""
    by_case: dict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        if backends := _backends(item):
            by_case[_name_without(item, backends)].append(item)
    for name, cases in by_case.items():
        # Of the name, as it is the same in every process and on every machine, and moves no other test's.
        candidates = _candidates(cases)
        chosen = candidates[crc32(name.encode()) % len(candidates)]
        yield [item for item in cases if item is not chosen]


def _backends(item: pytest.Item) -> Mapping[str, str]:
    """Return the kinds of database and of broker that a quick run may choose otherwise, by fixture."""
    if not isinstance(item, pytest.Function) or not hasattr(item, "callspec"):
        return {}
    if item.get_closest_marker("each_pair_alike"):
        free = set(BACKENDS)
    else:
        named = ",".join(str(mark.args[0]) for mark in item.iter_markers("parametrize"))
        free = {name for name in BACKENDS if name not in named}
        if item.get_closest_marker("every_database"):
            free -= set(STORES)
    return {name: value for name, value in item.callspec.params.items() if name in free}


def _name_without(item: pytest.Item, backends: Mapping[str, str]) -> str:
    # Without the file's folder, which may change.
    parts = _PARTS_OF_A_NAME.split(f"{item.path.name}::{item.name}")
    return "-".join(part for part in parts if part not in backends.values())


def _candidates(cases: list[pytest.Item]) -> list[pytest.Item]:
    available = [item for item in cases if all(map(_is_available, _backends(item).values()))]
    if cases[0].get_closest_marker("row_locks"):
        # Where there is but one writer at a time, the test cannot fail.
        with_locks = [item for item in available if WITHOUT_ROW_LOCKS not in _backends(item).values()]
        available = with_locks or available
    return available or cases


def _is_available(kind: str) -> bool:
    if os.environ.get("TICKERQ_REQUIRE_SERVICES") == "1" or kind not in SERVICES:
        return True
    return SERVICES[kind].missing() is None
