"""Which tests run when: each file in one part of `make verify`, and as CONTRIBUTING says."""

from fractions import Fraction

import pytest

from tests import parts, thoroughness
from tests.pages import section


def test_each_test_file_is_in_one_part_and_one_part_takes_as_long_as_another() -> None:
    files = {path.relative_to(parts.TESTS).as_posix() for path in parts.TESTS.rglob("test_*.py")}
    seconds = parts.measured()
    part_of = parts.parts_below(parts.TESTS)
    assert set(part_of) == files
    assert set(seconds) <= files, "make measure-parts measures anew"
    sums = [sum(seconds[file] for file in seconds if part_of[file] == part) for part in (1, 2, 3)]
    assert max(sums) < 1.1 * min(sums)


@pytest.mark.parametrize("number", ["0", "4", "1/3", " 1", ""])
def test_what_is_no_part_is_refused_by_name(number: str) -> None:
    with pytest.raises(pytest.UsageError, match=f"TICKERQ_PART is '{number}': it must be 1, 2 or 3"):
        parts.part_called(number)


def test_the_tracked_part_is_one() -> None:
    assert parts.part_called((parts.TESTS.parent / ".ci" / "part").read_text().rstrip("\n")) in {1, 2, 3}


def test_contributing_says_how_many_tests_are_left_out() -> None:
    share = Fraction(thoroughness.SHARES["sqlite"], sum(thoroughness.SHARES.values()))
    text = section("CONTRIBUTING.md", "### Which tests run when")
    assert f"SQLite in {share.numerator} of {share.denominator} tests" in " ".join(text.split())
    assert (thoroughness._MOST_CASES, thoroughness._FEWER_EXAMPLES) == (1, 8)
    assert "an eighth in `make test`" in text
    assert "* one case of a table outside of `tests/unit`" in section("CONTRIBUTING.md", "## Tests")
