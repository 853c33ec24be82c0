"""A page is a sequence of what it lists, and a walk reads one page after the other."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from weakref import WeakSet

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickerq_celery.tickers.pages import AsyncWalk, Page, Walk

PAGE = Page(("first", "second", "third"), next_cursor="more")


class Listing:
    """Numbers in pages, which fails to be read as often as it is told to."""

    def __init__(self, count: int, *, size: int) -> None:
        self.count = count
        self.size = size
        self.reads = 0
        self.failures = 0

    def page_after(self, cursor: str | None) -> Page[int]:
        self.reads += 1
        if self.failures:
            self.failures -= 1
            raise ConnectionError
        first = 0 if cursor is None else int(cursor)
        last = min(first + self.size, self.count)
        return Page(tuple(range(first, last)), next_cursor=str(last) if last < self.count else None)


def test_a_page_is_a_sequence() -> None:
    assert isinstance(PAGE, Sequence)
    assert list(PAGE) == ["first", "second", "third"]
    assert (len(PAGE), PAGE[0], PAGE[-1], PAGE.index("second"), PAGE.count("third")) == (
        3, "first", "third", 1, 1,
    )  # fmt: skip
    assert "second" in PAGE
    assert list(reversed(PAGE)) == ["third", "second", "first"]
    with pytest.raises(IndexError):
        PAGE[3]


def test_a_slice_of_a_page_is_a_tuple() -> None:
    assert PAGE[1:] == ("second", "third")
    assert PAGE[::2] == ("first", "third")


def test_an_empty_page_is_false() -> None:
    assert PAGE
    assert not Page((), next_cursor=None)


def test_pages_are_equal_that_hold_the_same_and_go_on_alike() -> None:
    assert Page(("first", "second", "third"), next_cursor="more") == PAGE
    assert hash(Page(("first", "second", "third"), next_cursor="more")) == hash(PAGE)
    assert Page(("first", "second", "third"), next_cursor=None) != PAGE
    assert Page(("first", "second"), next_cursor="more") != PAGE


def test_a_page_shows_what_it_holds() -> None:
    assert repr(PAGE) == "Page(['first', 'second', 'third'], next_cursor='more')"


@given(count=st.integers(0, 30), size=st.integers(1, 12))
def test_a_walk_has_every_item_once_and_in_order(count: int, size: int) -> None:
    listing = Listing(count, size=size)
    assert list(Walk(listing.page_after)) == list(range(count))
    assert listing.reads == max(1, -(-count // size))


def test_a_walk_reads_a_page_when_its_first_item_is_asked_for() -> None:
    listing = Listing(5, size=2)
    walk = Walk(listing.page_after)
    reads = [listing.reads]
    for _ in range(5):
        next(walk)
        reads.append(listing.reads)
    assert reads == [0, 1, 1, 2, 2, 3]


class Item:
    """Something that can be looked for after a page was left."""


class Freed:
    """Pages of two items, of each of which it is known whether anything keeps it."""

    def __init__(self, pages: int) -> None:
        self._last = pages
        self._made: WeakSet[Item] = WeakSet()

    def page_after(self, cursor: str | None) -> Page[Item]:
        number = 1 if cursor is None else int(cursor) + 1
        items = Item(), Item()
        self._made.update(items)
        return Page(items, next_cursor=None if number == self._last else str(number))

    def kept(self) -> int:
        return len(self._made)


def test_a_walk_keeps_one_page_at_a_time() -> None:
    listing = Freed(20)
    walk = Walk(listing.page_after)
    assert max(listing.kept() for _ in walk) == 2


def test_an_asynchronous_walk_keeps_one_page_at_a_time() -> None:
    async def most() -> int:
        # A thread lets a result go shortly after handing it over; its own next read comes later than that.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
        return max([listing.kept() async for _ in AsyncWalk(Walk(listing.page_after))])

    listing = Freed(20)
    assert asyncio.run(most()) == 2


def test_a_walk_goes_on_where_a_read_has_failed() -> None:
    listing = Listing(3, size=2)
    walk = Walk(listing.page_after)
    assert [next(walk), next(walk)] == [0, 1]
    listing.failures = 1
    with pytest.raises(ConnectionError):
        next(walk)
    assert list(walk) == [2]
    assert list(walk) == []
