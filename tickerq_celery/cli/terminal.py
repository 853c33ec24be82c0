"""Texts as a terminal may be given them: what was stored steers no reader's screen."""

import io
import re
import sys
from typing import IO

# Control characters but tabs and line breaks, and what reorders or breaks lines invisibly.
_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def harmless(text: str) -> str:
    """Return a text in which what would steer a terminal is shown as its escape sequence."""
    return _STEERING.sub(_escaped, text.replace("\r\n", "\n"))


def show_what_cannot_be_encoded() -> None:
    """Let standard output show the escape sequence of a character that its encoding does not have."""
    # A caller within a process may have put another kind of stream there.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def standard_output_for_data() -> IO[str]:
    """Return standard output in UTF-8, whatever the locale: for data in a format that says so."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="strict")
    return sys.stdout


def _escaped(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode()
