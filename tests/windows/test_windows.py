"""The table of windows leaves nothing out."""

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.inner import CrashPoint
from tests.windows.pairs import further_pairs_of, pairs_of, quick_pair_of
from tests.windows.windows import WINDOWS, Window


def windows_of(test: Any) -> Iterator[Window]:
    for mark in getattr(test, "pytestmark", []):
        if mark.name == "parametrize" and mark.args[0][0] == "window":
            yield from (case.values[0] for case in mark.args[1])


def test_every_window_of_the_table_has_a_test() -> None:
    modules = [
        importlib.import_module(f"tests.windows.{file.stem}")
        for file in Path(__file__).parent.glob("test_*.py")
    ]
    tests = [item for module in modules for name, item in vars(module).items() if name.startswith("test_")]
    tried = {window.name for test in tests for window in windows_of(test)}
    assert tried == {window.name for window in WINDOWS}


def test_every_crash_point_is_in_the_table() -> None:
    assert {window.point for window in WINDOWS} - {None} == set(CrashPoint)


def test_every_window_of_the_protocol_is_in_the_table_under_a_name_of_its_own() -> None:
    assert {window.id for window in WINDOWS} == {f"W{number}" for number in range(1, 20)}
    assert len({window.name for window in WINDOWS}) == len(WINDOWS)


def test_a_quick_run_tries_each_window_once_and_each_database_with_each_broker() -> None:
    assert len(set(map(quick_pair_of, WINDOWS))) == 9


def test_verify_tries_each_window_on_each_database_and_on_each_broker() -> None:
    for window in WINDOWS:
        pairs = pairs_of(window)
        assert {pair.store for pair in pairs} == {"sqlite", "postgres", "mariadb"}
        assert {pair.broker for pair in pairs} == {"fs", "redis", "rabbitmq"}
        assert len(set(pairs)) == len(pairs) <= 4


def test_the_proof_tries_the_other_pairs_of_what_happens_between_the_two() -> None:
    for window in WINDOWS:
        pairs = [*pairs_of(window), *further_pairs_of(window)]
        assert len(set(pairs)) == len(pairs)
        assert window.involves_broker == (len(pairs) == 9)
