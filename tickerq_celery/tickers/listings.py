"""Ordered lists that go both ways, and what their cursors stand for."""

import binascii
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

from tickerq_celery.errors import TickerValidationError
from tickerq_celery.tickers.pages import Page

ItemT_co = TypeVar("ItemT_co", covariant=True)
# What an order's columns hold.
KeyPart = datetime | UUID | str | int
_LONGEST_CURSOR = 2_000
_LONGEST_WORD = 300
_MOST = 2**31
_ADVICE = "pass the next_cursor or previous_cursor of a page of this list with the same filters"


@dataclass(frozen=True, slots=True)
class Listing(Page[ItemT_co]):
    """Part of an ordered list, as a sequence; its cursors ask for what follows and for what stands before.

    ``looked_back_to`` is None, unless the page ended before it was full, as too few of the rows that it
    looked at meet the filters: then it is the moment of the last of those, ``looked_at`` how many they
    were, and a cursor goes on from there.
    """

    previous_cursor: str | None = None
    looked_back_to: datetime | None = None
    looked_at: int = 0

    def __repr__(self) -> str:
        cursors = f"next_cursor={self.next_cursor!r}, previous_cursor={self.previous_cursor!r}"
        return f"Listing({list(self)!r}, {cursors}, looked_back_to={self.looked_back_to!r})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where a page begins: beyond a row of a ``stage`` of the list, or at it, and which way it goes."""

    stage: str
    key: tuple[KeyPart, ...]
    is_backward: bool = False
    is_inclusive: bool = False

    @property
    def reversed(self) -> "Position":
        """Where the page begins that goes the other way, over all that this one leaves."""
        return replace(self, is_backward=not self.is_backward, is_inclusive=not self.is_inclusive)

    def cursor(self, listing: str, fingerprint: str) -> str:
        """Return the text that stands for it, in the list of that name with the filters of that print."""
        words = {
            "l": listing,
            "f": fingerprint,
            "s": self.stage,
            "k": [_written(each) for each in self.key],
            "b": self.is_backward,
            "i": self.is_inclusive,
        }
        return urlsafe_b64encode(json.dumps(words, separators=(",", ":")).encode()).decode().rstrip("=")


def position_in(
    cursor: object, *, listing: str, fingerprint: str, stages: Mapping[str, Sequence[type[KeyPart]]]
) -> Position:
    """Return what a cursor of this list stands for; ``stages`` are the types of their orders' columns.

    Raises:
        TickerValidationError: It is another list's, or of other filters, or no cursor at all.
    """
    words = _words_of(cursor)
    try:
        if (words["l"], words["f"]) != (listing, fingerprint):
            raise TickerValidationError(
                "cursor", cursor, f"it is of another list or other filters: {_ADVICE}"
            )
        types = stages[words["s"]]
        key = tuple(_read(kind, each) for kind, each in zip(types, words["k"], strict=True))
        ways = (words["b"], words["i"])
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        if isinstance(error, TickerValidationError):
            raise
        raise _broken(cursor) from error
    if {type(each) for each in ways} != {bool}:
        raise _broken(cursor)
    return Position(stage=words["s"], key=key, is_backward=ways[0], is_inclusive=ways[1])


def _words_of(cursor: object) -> dict[str, Any]:
    if not isinstance(cursor, str) or len(cursor) > _LONGEST_CURSOR:
        raise _broken(cursor)
    try:
        words = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, RecursionError, binascii.Error) as error:
        raise _broken(cursor) from error
    if not isinstance(words, dict):
        raise _broken(cursor)
    return words


def _broken(cursor: object) -> TickerValidationError:
    return TickerValidationError("cursor", cursor, _ADVICE)


def _written(part: KeyPart) -> str | int:
    if isinstance(part, datetime):
        return part.isoformat()
    return part if isinstance(part, int) else str(part)


def _read(kind: type[KeyPart], written: object) -> KeyPart:
    if kind is int and type(written) is int and abs(written) < _MOST:
        return written
    if kind is int or not isinstance(written, str):
        raise ValueError(written)
    if kind is datetime:
        return datetime.fromisoformat(written).astimezone(UTC)
    if kind is UUID:
        return UUID(written)
    # What no database takes, no row has.
    if "\0" in written or len(written) > _LONGEST_WORD:
        raise ValueError(written)
    written.encode()
    return written
