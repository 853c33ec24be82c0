"""The page on the dashboard's security: each promise is shown by tests that exist."""

from tests.named_tests import ROOT, known_in, named_in

PAGE = (ROOT / "docs" / "dashboard-security.md").read_text()
PROMISES = {
    cells[1].strip(): "|".join(cells[2:])
    for line in PAGE.splitlines()
    if (cells := line.split("|"))[1:] and cells[1].strip().startswith("S")
}
# What there is none of cannot be tested.
ABSENT = {"S28"}


def test_each_promise_stands_there_once_in_its_order() -> None:
    assert list(PROMISES) == [f"S{number}" for number in range(1, 32)]
    assert PAGE.count("\n| S") == 31


def test_each_promise_names_tests_and_each_exists() -> None:
    tests = {number: named_in(text) for number, text in PROMISES.items()}
    assert {number for number, named in tests.items() if not named} == ABSENT
    missing = [each for named in tests.values() for each in named if each[1] not in known_in(each[0])]
    assert missing == []
    assert PAGE.count("::") == sum(map(len, tests.values()))
