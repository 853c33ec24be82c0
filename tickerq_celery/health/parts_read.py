"""How long each part of a reading took: what is said of a store that is slow."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part, and how long it took, or has taken so far."""

    what: str
    took: timedelta


class PartsRead:
    """Notes when each part begins; another thread may ask which was the slowest while one still goes on."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._begun: list[tuple[str, float]] = []

    def read(self, what: str, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do the work of a part, and return what it found."""
        self._begun.append((what, self._monotonic()))
        return work(*args, **kwargs)

    def slowest(self) -> Part | None:
        """Return the part that took longest, the last one up to now; None where none has begun."""
        ends = [*self._begun, ("", self._monotonic())]
        took = [
            Part(what=what, took=timedelta(seconds=end - begin)) for (what, begin), (_, end) in pairwise(ends)
        ]
        return max(took, key=lambda part: part.took, default=None)
