"""Tests that a page of the documentation names: `tests/unit/test_ids.py::test_an_id_is_new`."""

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
NAMED = re.compile(r"`(?P<module>tests/[\w/]+\.py)::(?P<test>test_\w+)`")


def named_in(text: str) -> list[tuple[str, str]]:
    """Return the tests that a text names, each as its module and its name."""
    return [(found["module"], found["test"]) for found in NAMED.finditer(text)]


@cache
def known_in(module: str) -> frozenset[str]:
    """Return the names of the functions of a module, none where there is no such file."""
    path = ROOT / module
    if not path.is_file():
        return frozenset()
    return frozenset(
        each.name for each in ast.parse(path.read_text()).body if isinstance(each, ast.FunctionDef)
    )
