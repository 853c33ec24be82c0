"""Pages of a listing: a page is a sequence, and a walk is all of them, one after the other."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar, overload

ItemT_co = TypeVar("ItemT_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Page(Sequence[ItemT_co]):
    """Part of a listing, as a sequence; ``next_cursor`` asks for what follows, and is None at the end.

    Two pages are equal if they hold the same and go on alike. A slice is a tuple.
    """

    _items: tuple[ItemT_co, ...]
    next_cursor: str | None

    def __len__(self) -> int:
        return len(self._items)

    @overload
    def __getitem__(self, index: int) -> ItemT_co: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[ItemT_co, ...]: ...

    def __getitem__(self, index: int | slice) -> ItemT_co | tuple[ItemT_co, ...]:
        return self._items[index]

    def __iter__(self) -> Iterator[ItemT_co]:
        return iter(self._items)

    def __repr__(self) -> str:
        return f"Page({list(self._items)!r}, next_cursor={self.next_cursor!r})"


class Walk(Iterator[ItemT_co]):
    """All items of a listing: a page is read when its first item is wanted, and replaces the one before."""

    def __init__(self, page_after: Callable[[str | None], Page[ItemT_co]]) -> None:
        self.page_after = page_after
        self._items: Iterator[ItemT_co] = iter(())
        self._cursor: str | None = None
        self._is_last = False

    def __next__(self) -> ItemT_co:
        while True:
            for item in self._items:
                return item
            if self._is_last:
                raise StopIteration
            page = self.page_after(self._cursor)
            self._items, self._cursor, self._is_last = iter(page), page.next_cursor, page.next_cursor is None


class AsyncWalk(AsyncIterator[ItemT_co]):
    """A walk whose pages are read in a thread; one that was cancelled meanwhile goes on where it was."""

    def __init__(self, walk: Walk[ItemT_co]) -> None:
        self._page_after = walk.page_after
        self._items: Iterator[ItemT_co] = iter(())
        self._cursor: str | None = None
        self._is_last = False

    async def __anext__(self) -> ItemT_co:
        while True:
            for item in self._items:
                return item
            if self._is_last:
                raise StopAsyncIteration
            page = await asyncio.to_thread(self._page_after, self._cursor)
            self._items, self._cursor, self._is_last = iter(page), page.next_cursor, page.next_cursor is None
