"""How much a run of the tests does: only here are ``VERIFY``, ``PROOF``, ``SLICE`` and ``TICKERQ_PART`` read.

``make test`` tests each guarantee once, on one of the databases and brokers that it is for, and by one
case where it has a table of them; unit tests take no time and have all. ``make verify`` (VERIFY=1) adds what
is marked ``verify``, every other database and broker, and the other cases; ``make proof`` (PROOF=1) adds what
is marked ``proof``, and every other pair of a database and a broker. With SLICE=3/20, the fourth of twenty
parts of the proofs runs; with TICKERQ_PART=2, the second of the three parts of `make verify`.
"""

import math
import os
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any
from zlib import crc32

import pytest
from hypothesis import HealthCheck, is_hypothesis_test, settings

from tests import parts
from tests.servers.services import SERVICES

# The fixtures of which each value is a kind of database or of broker.
STORES = ("store_url", "empty_database_url")
BACKENDS = (*STORES, "broker_url")
WITHOUT_ROW_LOCKS = "sqlite"
# A test on a server takes twice the time: of what could run on any database, SQLite gets 12 of 13.
SHARES = {"sqlite": 24, "postgres": 1, "mariadb": 1}
_LONGER = ("verify", "proof")
# So many cases of a table show in a quick run that its guarantee holds; each takes a store, an app or more.
_MOST_CASES = 1
_WHOLE_TABLES = "unit"
# Of the examples of a property, a quick run draws one of so many.
_FEWER_EXAMPLES = 8
_PARTS_OF_A_NAME = re.compile(r"[-\[\]]")


def in_verify(*values: object) -> object:
    """Return a case that is left to ``make verify``."""
    return pytest.param(*values, marks=pytest.mark.verify)


def in_proof(*values: object) -> object:
    """Return a case that is left to ``make proof``."""
    return pytest.param(*values, marks=pytest.mark.proof)


def examples(number: int, environ: Mapping[str, str] = os.environ) -> settings:
    """Return the settings of a property test: so many examples in a longer run, an eighth in a quick one."""
    is_longer = len(_left_out(environ)) < len(_LONGER)
    return settings(
        max_examples=number if is_longer else number // _FEWER_EXAMPLES,
        # How long an example takes depends on what else the machine does.
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )


def choose(metafunc: pytest.Metafunc, environ: Mapping[str, str] = os.environ) -> None:
    """Mark a test's mere permutations, and let pytest make no item of what this run leaves to a longer one.

    An item takes half a millisecond, in each process, and two of three would only be removed again.
    """
    # Private, as pytest offers no way to leave out a case before it is an item.
    cases = metafunc._calls = _with_permutations_marked(metafunc)
    if cases and not _names_a_case(metafunc.config):
        left_out = _left_out(environ)
        is_left_out = any(map(metafunc.definition.get_closest_marker, left_out))
        kept = [] if is_left_out else [case for case in cases if not _has_mark(case, left_out)]
        # One at least, since pytest would run a test that has no case once, without any; `select` removes it.
        metafunc._calls = kept or cases[:1]


def select(config: pytest.Config, items: list[pytest.Item], environ: Mapping[str, str] = os.environ) -> None:
    """Remove from ``items`` what this run leaves to a longer one, for which properties are tested again."""
    if _names_a_case(config):
        return
    left_out = _left_out(environ)
    if "verify" not in left_out:
        for item in items:
            if isinstance(item, pytest.Function) and is_hypothesis_test(item.obj):
                item.add_marker(pytest.mark.verify)
    kept = [item for item in items if not any(item.get_closest_marker(name) for name in left_out)]
    kept = _slice_of(kept, environ.get("SLICE", "0/1"))
    if environ.get("VERIFY") == "1" and "TICKERQ_PART" in environ:
        kept = _part_of(kept, environ["TICKERQ_PART"])
    remaining = set(kept)
    config.hook.pytest_deselected(items=[item for item in items if item not in remaining])
    items[:] = kept


def _names_a_case(config: pytest.Config) -> bool:
    """Return whether a case is named on the command line: who names it gets it."""
    return any("[" in argument for argument in config.args)


def _left_out(environ: Mapping[str, str]) -> Collection[str]:
    if environ.get("PROOF") == "1":
        return ()
    return ("proof",) if environ.get("VERIFY") == "1" else _LONGER


def _slice_of(items: list[pytest.Item], part: str) -> list[pytest.Item]:
    """Return every nth proof, so that each part has some of each kind, and all that is no proof."""
    number, _, count = part.partition("/")
    proofs = [item for item in items if item.get_closest_marker("proof")]
    chosen = set(proofs[int(number) % int(count) :: int(count)])
    return [item for item in items if item in chosen or not item.get_closest_marker("proof")]


def _part_of(items: list[pytest.Item], number: str) -> list[pytest.Item]:
    """Return the tests of one part of `make verify`, which are those of whole files."""
    part, part_of = parts.part_called(number), parts.parts_below(parts.TESTS)
    return [item for item in items if part_of[item.path.relative_to(parts.TESTS).as_posix()] == part]


def _with_permutations_marked(metafunc: pytest.Metafunc) -> list[Any]:
    """Return the cases of a test, marked for `verify` where they are more than a quick run has.

    It has one of those that differ in their backends alone, and some of a table.
    """
    free = _free_backends(metafunc.definition)
    by_name: dict[str, list[Any]] = defaultdict(list)
    for case in metafunc._calls:
        if (backends := _backends(case, free)) and not _is_longer(metafunc, case):
            by_name[_name_without(metafunc, case, backends)].append(case)
    permutations: set[int] = set()
    for name, cases in by_name.items():
        # Of the name, as it is the same in every process and on every machine, and moves no other test's.
        candidates = _weighed(metafunc, _candidates(metafunc, cases, free), free)
        chosen = candidates[crc32(name.encode()) % len(candidates)]
        permutations.update(id(case) for case in cases if case is not chosen)
    left = [case for case in metafunc._calls if id(case) not in permutations]
    marks = dict.fromkeys(permutations, pytest.mark.verify.mark)
    marks |= dict.fromkeys(map(id, _beyond_a_quick_run(metafunc, left)), pytest.mark.verify.mark)
    marks |= dict.fromkeys(map(id, _further_pairs(metafunc, permutations)), pytest.mark.proof.mark)
    return [
        replace(case, marks=[*case.marks, marks[id(case)]]) if id(case) in marks else case
        for case in metafunc._calls
    ]


def _further_pairs(metafunc: pytest.Metafunc, permutations: Collection[int]) -> Iterator[Any]:
    """Yield of the permutations those whose database and broker are both in other cases of the same name."""
    by_name: dict[str, list[Any]] = defaultdict(list)
    for case in metafunc._calls:
        if len(backends := _backends(case, BACKENDS)) > 1 and not _is_longer(metafunc, case):
            by_name[_name_without(metafunc, case, backends)].append(case)
    for cases in by_name.values():
        seen = {each for case in cases if id(case) not in permutations for each in _kinds(case)}
        left = sorted(
            (case for case in cases if id(case) in permutations), key=lambda case: crc32(case.id.encode())
        )
        # Those with two new kinds first, so that few are needed.
        for fewest in (2, 1):
            for case in list(left):
                if len(_kinds(case) - seen) >= fewest:
                    seen |= _kinds(case)
                    left.remove(case)
        yield from left


def _kinds(case: Any) -> set[str]:
    return set(_backends(case, BACKENDS).values())


def _beyond_a_quick_run(metafunc: pytest.Metafunc, cases: Iterable[Any]) -> list[Any]:
    """Return the cases of a table that a quick run does without."""
    if _WHOLE_TABLES in metafunc.definition.path.parts:
        return []
    table = [case for case in cases if not _is_longer(metafunc, case)]
    # By their names, as for backends: those at the head of a table are often alike.
    return sorted(table, key=lambda case: crc32(case.id.encode()))[_MOST_CASES:]


def _is_longer(metafunc: pytest.Metafunc, case: Any) -> bool:
    return _has_mark(case, _LONGER) or any(map(metafunc.definition.get_closest_marker, _LONGER))


def _has_mark(case: Any, names: Collection[str]) -> bool:
    return any(mark.name in names for mark in case.marks)


def _free_backends(test: pytest.Item) -> Collection[str]:
    """Return the fixtures of which a quick run may choose the value."""
    named = ",".join(str(mark.args[0]) for mark in test.iter_markers("parametrize"))
    # What is said of a broker is of this one alone; a database among several that are named is one of them.
    is_free = test.get_closest_marker("each_pair_alike") or "broker_url" not in named
    return BACKENDS if is_free else STORES


def _backends(case: Any, free: Collection[str]) -> Mapping[str, str]:
    """Return the kinds of database and of broker that a quick run may choose otherwise, by fixture."""
    return {name: value for name, value in case.params.items() if name in free}


def _weighed(metafunc: pytest.Metafunc, cases: Iterable[Any], free: Collection[str]) -> list[Any]:
    """Return each case as often as is its share among those of other tests."""
    if metafunc.definition.get_closest_marker("every_database"):
        return list(cases)
    return [case for case in cases for _ in range(_share(_backends(case, free).values()))]


def _share(kinds: Iterable[str]) -> int:
    return math.prod(SHARES.get(kind, 1) for kind in kinds)


def _name_without(metafunc: pytest.Metafunc, case: Any, backends: Mapping[str, str]) -> str:
    # Without the file's folder, which may change.
    test = metafunc.definition
    parts = _PARTS_OF_A_NAME.split(f"{test.path.name}::{test.name}[{case.id}]")
    return "-".join(part for part in parts if part not in backends.values())


def _candidates(metafunc: pytest.Metafunc, cases: list[Any], free: Collection[str]) -> list[Any]:
    available = [case for case in cases if all(map(_is_available, _backends(case, free).values()))]
    if metafunc.definition.get_closest_marker("row_locks"):
        # Where there is but one writer at a time, the test cannot fail.
        with_locks = [case for case in available if WITHOUT_ROW_LOCKS not in _backends(case, free).values()]
        available = with_locks or available
    return available or cases


def _is_available(kind: str) -> bool:
    return os.environ.get("TICKERQ_REQUIRE_SERVICES") == "1" or kind not in SERVICES or not _is_missing(kind)


@cache
def _is_missing(kind: str) -> bool:
    return SERVICES[kind].missing() is not None
