"""Long lists of ids and instants, a part of them in each statement."""

from collections.abc import Callable, Sequence
from typing import TypeVar

AT_ONCE = 500
_Item = TypeVar("_Item")
_Answer = TypeVar("_Answer")


def in_parts(items: Sequence[_Item], work: Callable[[Sequence[_Item]], Sequence[_Answer]]) -> list[_Answer]:
    """Do ``work`` on as many items at once as a statement should name; return all that it returned."""
    return [each for first in range(0, len(items), AT_ONCE) for each in work(items[first : first + AT_ONCE])]
