"""A text that a regular expression matches, of those that are made of characters, classes and repetitions."""

import re

from tickerq_celery.payload.schema_keywords import UnusablePatternError, matching

# What stands for one character, or for a place between two.
_ATOM = re.compile(
    r"\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\]|\\[pP](?:\{\w+\}|\w)|\\x[0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.|[^()|*+?{]",
    re.DOTALL,
)
_PLACES = frozenset({"^", "$", r"\b", r"\A", r"\Z", r"\z"})
_GROUP = re.compile(r"\((?:\?:|\?P?<\w+>)?(?!\?)")
_REPEATED = re.compile(r"(?:([*+?])|\{(\d+)(,)?(\d+)?\})[?+]?")
_BOUNDS = {"*": (0, None), "+": (1, None), "?": (0, 1)}
# Tried in this order where several would do.
_CHARACTERS = "".join(dict.fromkeys(["a", "1", "A", "-", *map(chr, range(33, 127)), " ", "é", "\n"]))
_LONGEST = 1_000


class HardPatternError(ValueError):
    """A pattern has what is not understood here, such as a look-around, or needs a long text."""


def text_for(pattern: str, *, repeated: int) -> str:
    """Return a text for a pattern, in which what may be repeated is ``repeated`` times, if it may.

    Raises:
        HardPatternError: There is none as far as is understood here.
    """
    reader = _Reader(pattern, repeated)
    text = reader.alternatives()
    if reader.rest or len(text) > _LONGEST:
        raise HardPatternError(pattern)
    return text


class _Reader:
    """Reads a pattern from the left, and makes a text for what it has read."""

    def __init__(self, pattern: str, repeated: int) -> None:
        self.rest = pattern
        self._repeated = repeated

    def alternatives(self) -> str:
        """Return a text for the first of the alternatives that are next, and pass the others."""
        text = self._sequence()
        while self.rest.startswith("|"):
            self.rest = self.rest[1:]
            self._sequence()
        return text

    def _sequence(self) -> str:
        text = ""
        while self.rest and self.rest[0] not in "|)":
            one = self._group() if self.rest[0] == "(" else _character_of(self._next(_ATOM)[0])
            text += one * self._times()
            if len(text) > _LONGEST:
                raise HardPatternError(self.rest)
        return text

    def _group(self) -> str:
        self._next(_GROUP)
        text = self.alternatives()
        if not self.rest.startswith(")"):
            raise HardPatternError(self.rest)
        self.rest = self.rest[1:]
        return text

    def _times(self) -> int:
        if _REPEATED.match(self.rest) is None:
            return 1
        found = self._next(_REPEATED)
        if found[1]:
            least, most = _BOUNDS[found[1]]
        else:
            least = int(found[2])
            most = int(found[4]) if found[4] else None if found[3] else least
        wanted = max(least, self._repeated)
        return min(wanted if most is None else min(wanted, most), _LONGEST + 1)

    def _next(self, what: re.Pattern[str]) -> re.Match[str]:
        found = what.match(self.rest)
        if found is None:
            raise HardPatternError(self.rest)
        self.rest = self.rest[found.end() :]
        return found


def _character_of(atom: str) -> str:
    if atom in _PLACES:
        return ""
    try:
        matches = matching(f"^(?:{atom})$")
    except UnusablePatternError as error:
        raise HardPatternError(atom) from error
    for each in _CHARACTERS:
        if matches(each):
            return each
    raise HardPatternError(atom)
