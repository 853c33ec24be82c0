"""What was stored steers no terminal."""

import pytest

from tickerq_celery.cli.terminal import harmless


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ("plain, ünïcödé 日本 😀\tand\nlines", "plain, ünïcödé 日本 😀\tand\nlines"),
        ("\x1b[2J", "\\x1b[2J"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("over\rwritten", "over\\rwritten"),
        ("of Windows\r\nlines", "of Windows\nlines"),
        ("\x9b31m\x7f", "\\x9b31m\\x7f"),
        ("\u202eexe.txt", "\\u202eexe.txt"),
        ("a\u2028b", "a\\u2028b"),
    ],
)
def test_what_would_steer_a_terminal_is_shown_as_its_escape_sequence(stored: str, shown: str) -> None:
    assert harmless(stored) == shown
