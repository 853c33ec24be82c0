"""The page on parity: it leaves no feature out, and each test that it names exists."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "parity.md"
ID = re.compile(r"(?P<prefix>[A-Z])-(?P<number>\d\d)")
NAMED = re.compile(r"`(?P<module>tests/[\w/]+\.py)::(?P<test>\w+)`")
# How many features TickerQ has of each kind: entities, managers, chains, functions, execution.
FEATURES = {"E": 29, "M": 21, "C": 16, "F": 23, "X": 22}
ABSENT = "not here"


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """One row of the page."""

    id: str
    name: str
    here: str
    text: str

    @property
    def tests(self) -> list[tuple[str, str]]:
        """The tests that the row names, each as its module and its name."""
        return [(found["module"], found["test"]) for found in NAMED.finditer(self.text)]

    @property
    def words(self) -> str:
        """What the row says besides."""
        return NAMED.sub("", self.text).strip(" ,")


def features() -> Iterator[Feature]:
    for line in PAGE.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if ID.fullmatch(cells[0]):
            [id_, name, here, text] = cells
            yield Feature(id=id_, name=name, here=here, text=text)


@cache
def known_in(module: str) -> frozenset[str]:
    path = ROOT / module
    if not path.is_file():
        return frozenset()
    return frozenset(
        each.name for each in ast.parse(path.read_text()).body if isinstance(each, ast.FunctionDef)
    )


def test_each_feature_has_one_row_in_its_order() -> None:
    by_prefix = groupby(features(), key=lambda feature: feature.id[0])
    numbered = [(prefix, [int(each.id[2:]) for each in rows]) for prefix, rows in by_prefix]
    assert numbered == [(prefix, list(range(1, count + 1))) for prefix, count in FEATURES.items()]


def test_each_test_that_is_named_exists() -> None:
    named = [(feature.id, *test) for feature in features() for test in feature.tests]
    assert [(id_, module, test) for id_, module, test in named if test not in known_in(module)] == []
    assert len(named) > 150


def test_nothing_else_in_the_page_looks_like_a_test() -> None:
    named = sum(len(feature.tests) for feature in features())
    assert PAGE.read_text().count("::") == named


def test_what_is_here_is_shown_and_what_is_not_is_explained() -> None:
    allowed = {"same", "other way", "better", ABSENT}
    assert [each.id for each in features() if each.here not in allowed or not each.name] == []
    assert [each.id for each in features() if (each.here == ABSENT) is bool(each.tests)] == []
    assert [each.id for each in features() if each.here != "same" and not each.words] == []
