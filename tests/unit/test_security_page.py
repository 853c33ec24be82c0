"""The page on the dashboard's security: each promise is shown by tests that exist."""

from tests.named_tests import known_in, named_in
from tests.pages import section, table, text_of

PAGE = "docs/operations/dashboard-security.md"
# What there is none of cannot be tested.
ABSENT = "S28"
LONGEST_CELL = 180


def shown() -> dict[str, list[tuple[str, str]]]:
    """Return the tests of each promise by its number."""
    entries = section(PAGE, "## Tests").split("\n* ")[1:]
    return {number: named_in(text) for number, _, text in (entry.partition(":") for entry in entries)}


def test_each_promise_stands_there_once_in_its_order_and_in_few_words() -> None:
    rows = table(text_of(PAGE))
    assert [number for number, _ in rows] == [f"S{number}" for number in range(1, 32)]
    assert [number for number, promise in rows if not 0 < len(promise) <= LONGEST_CELL] == []


def test_each_promise_names_tests_and_each_exists() -> None:
    tests = shown()
    assert [*tests] == [f"S{number}" for number in range(1, 32) if f"S{number}" != ABSENT]
    assert [number for number, named in tests.items() if not named] == []
    missing = [each for named in tests.values() for each in named if each[1] not in known_in(each[0])]
    assert missing == []
    assert text_of(PAGE).count("::") == sum(map(len, tests.values()))
