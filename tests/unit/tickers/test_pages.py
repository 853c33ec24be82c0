"""A page is a sequence of what it lists, and a walk reads one page after the other."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickerq_celery.tickers.pages import Page, Walk

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


def test_a_walk_goes_on_where_a_read_has_failed() -> None:
    listing = Listing(3, size=2)
    walk = Walk(listing.page_after)
    assert [next(walk), next(walk)] == [0, 1]
    listing.failures = 1
    with pytest.raises(ConnectionError):
        next(walk)
    assert list(walk) == [2]
    assert list(walk) == []
