"""The page on parity: it has each feature of TickerQ once, and each test that it names exists."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.named_tests import NAMED, ROOT, known_in, named_in

PAGE = ROOT / "docs" / "parity.md"
# Under the page's headings, each id of the inventory that was made of TickerQ 10.3.
IDS = Path(__file__).with_name("parity_ids.txt")
ID = re.compile(r"[A-Z]{1,2}-\d\d")
HERE = {"same", "other way", "better"}
NOT_YET = "not yet"
ABSENT = "not here"


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """One row of the page, under its heading."""

    heading: str
    id: str
    name: str
    here: str
    text: str

    @property
    def tests(self) -> list[tuple[str, str]]:
        """The tests that the row names, each as its module and its name."""
        return named_in(self.text)

    @property
    def words(self) -> str:
        """What the row says besides."""
        return NAMED.sub("", self.text).strip(" ,")


def features() -> Iterator[Feature]:
    heading = ""
    for line in PAGE.read_text().splitlines():
        if line.startswith("## "):
            heading = line.removeprefix("## ")
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if ID.fullmatch(cells[0]):
            [id_, name, here, text] = cells
            yield Feature(heading=heading, id=id_, name=name, here=here, text=text)


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


def test_each_test_that_is_named_exists() -> None:
    named = [(feature.id, *test) for feature in features() for test in feature.tests]
    assert [(id_, module, test) for id_, module, test in named if test not in known_in(module)] == []
    assert len(named) > 300


def test_nothing_else_in_the_page_looks_like_a_test() -> None:
    named = sum(len(feature.tests) for feature in features())
    assert PAGE.read_text().count("::") == named


def test_what_is_here_is_shown_and_what_is_not_is_explained() -> None:
    states = {*HERE, NOT_YET, ABSENT}
    assert [each.id for each in features() if each.here not in states or not each.name] == []
    assert [each.id for each in features() if each.here in HERE and not each.tests] == []
    # What comes later may have its beginning, which then is shown.
    assert [each.id for each in features() if each.here == ABSENT and each.tests] == []
    assert [each.id for each in features() if each.here != "same" and not each.words] == []


def test_the_head_explains_each_state() -> None:
    explained = re.findall(r"^\| ([a-z ]+) \|", PAGE.read_text().split("\n## ")[0], re.MULTILINE)
    assert set(explained) == {*HERE, NOT_YET, ABSENT}
