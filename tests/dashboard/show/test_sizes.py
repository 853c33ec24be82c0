"""How much room something takes, in words."""

import pytest

from tickerq_dashboard.show.words import size


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 kB"),
        (14_500, "14 kB"),
        (1024 * 1024 - 1, "1.0 MB"),
        (5 * 1024**3, "5.0 GB"),
        (3_000 * 1024**4, "3,000.0 TB"),
    ],
)
def test_bytes_are_said_with_few_digits(number: int, words: str) -> None:
    assert size(number) == words
