"""Merge sources that are ordered by their moments, none of them further than the answer needs."""

import heapq
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import count
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")


class Bound(StrEnum):
    """What ends an answer before its time: enough items, or the time that it may take."""

    LIMIT = "limit"
    BUDGET = "budget"


class Step(NamedTuple, Generic[T]):
    """How far a source has come: nothing of it that is not returned yet lies before the ``moment``.

    There it has an ``item``, or None. ``opens`` is another source that has nothing before that moment.
    An answer takes thousands of them, and a tuple is made in a third of a frozen dataclass's time.
    """

    moment: datetime
    item: T | None = None
    opens: "Iterator[Step[T]] | None" = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged(Generic[T]):
    """The items in order: all that lie before ``complete_until``, and maybe more; ``stopped_by`` says why."""

    items: tuple[T, ...]
    complete_until: datetime
    stopped_by: Bound | None = None


def merge(
    sources: Iterable[Iterator[Step[T]]], *, until: datetime, limit: int, is_over: Callable[[], bool]
) -> Merged[T]:
    """Return up to ``limit`` items before ``until``; ``is_over`` is asked before each step but the first.

    The steps of each source have to be in order. None is taken that the answer does not need.
    """
    steps: _Steps[T] = _Steps(until)
    for each in sources:
        steps.follow(each)
    items: list[T] = []
    while steps:
        item, moment = steps.first.item, steps.first.moment
        if is_over():
            return Merged(items=tuple(items), complete_until=moment, stopped_by=Bound.BUDGET)
        if item is not None:
            if len(items) == limit:
                return Merged(items=tuple(items), complete_until=moment, stopped_by=Bound.LIMIT)
            items.append(item)
        steps.advance()
    return Merged(items=tuple(items), complete_until=until)


class _Steps(Generic[T]):
    """The next step of each source before a moment."""

    def __init__(self, until: datetime) -> None:
        self._until = until
        self._heap: list[tuple[datetime, int, Step[T], Iterator[Step[T]]]] = []
        self._numbers = count()

    def __bool__(self) -> bool:
        return bool(self._heap)

    @property
    def first(self) -> Step[T]:
        """The step with the earliest moment."""
        return self._heap[0][2]

    def follow(self, source: Iterator[Step[T]]) -> None:
        """Take the next step of a source."""
        step = next(source, None)
        if step is not None and step.moment < self._until:
            # The number decides between equal moments: steps cannot be compared.
            heapq.heappush(self._heap, (step.moment, next(self._numbers), step, source))

    def advance(self) -> None:
        """Replace the first step by the next one of its source, and of the source that it opens."""
        _, _, step, source = heapq.heappop(self._heap)
        self.follow(source)
        if step.opens is not None:
            self.follow(step.opens)
