"""The pages on parity: each feature of TickerQ has one row, and what is here has tests that exist."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.named_tests import ROOT, known_in, named_in

PAGE = ROOT / "docs" / "how-it-works" / "parity.md"
TESTS = Path(__file__).with_name("parity_tests.md")
# Under the page's headings, each id of the inventory that was made of TickerQ 10.3.
IDS = Path(__file__).with_name("parity_ids.txt")
ID = re.compile(r"[A-Z]{1,2}-\d\d")
HERE = {"same", "other way", "better"}
NOT_YET = "not yet"
ABSENT = "not here"
LONGEST_CELL = 180


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """One row of the page, under its heading."""

    heading: str
    id: str
    name: str
    here: str
    words: str


def features() -> Iterator[Feature]:
    heading = ""
    for line in PAGE.read_text().splitlines():
        if line.startswith("## "):
            heading = line.removeprefix("## ")
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if ID.fullmatch(cells[0]):
            [id_, name, here, words] = cells
            yield Feature(heading=heading, id=id_, name=name, here=here, words=words)


def shown() -> Iterator[tuple[str, str, list[tuple[str, str]]]]:
    """Each id of the page of tests, with its heading and the tests that stand below it."""
    for part in TESTS.read_text().split("\n## ")[1:]:
        heading, _, rest = part.partition("\n")
        for entry in rest.split("\n* ")[1:]:
            id_, _, text = entry.partition(":")
            yield heading, id_, named_in(text)


def listed() -> Iterator[tuple[str, str]]:
    """Each id of the list, with the heading that it stands under."""
    heading = ""
    for line in IDS.read_text().splitlines():
        if line.startswith("# "):
            heading = line.removeprefix("# ")
        else:
            yield from ((heading, each) for each in line.split())


def test_the_list_names_each_id_once() -> None:
    ids = [each for _, each in listed()]
    assert len(ids) == len(set(ids)) == 321
    assert [each for each in ids if not ID.fullmatch(each)] == []


def test_each_feature_has_one_row_in_its_order() -> None:
    assert [(feature.heading, feature.id) for feature in features()] == list(listed())


def test_what_is_here_has_tests_under_its_heading_in_its_order() -> None:
    # What comes later may have its beginning, which then is shown.
    later = {feature.id for feature in features() if feature.here == NOT_YET}
    here = [(feature.heading, feature.id) for feature in features() if feature.here != ABSENT]
    found = [(heading, id_) for heading, id_, _ in shown()]
    assert found == [each for each in here if each in found or each[1] not in later]
    assert [id_ for _, id_, tests in shown() if not tests] == []


def test_each_test_that_is_named_exists() -> None:
    named = [(id_, *test) for _, id_, tests in shown() for test in tests]
    assert [(id_, module, test) for id_, module, test in named if test not in known_in(module)] == []
    assert len(named) > 300


def test_nothing_else_in_the_pages_looks_like_a_test() -> None:
    assert TESTS.read_text().count("::") == sum(len(tests) for _, _, tests in shown())
    assert PAGE.read_text().count("::") == 0


def test_what_differs_or_is_not_here_is_explained_in_few_words() -> None:
    states = {*HERE, NOT_YET, ABSENT}
    assert [each.id for each in features() if each.here not in states or not each.name] == []
    assert [each.id for each in features() if each.here != "same" and not each.words] == []
    assert [each.id for each in features() if max(len(each.name), len(each.words)) > LONGEST_CELL] == []


def test_the_head_explains_each_state() -> None:
    explained = re.findall(r"^\| ([a-z ]+) \|", PAGE.read_text().split("\n## ")[0], re.MULTILINE)
    assert set(explained) == {*HERE, NOT_YET, ABSENT}
