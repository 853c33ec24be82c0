"""A limit that the bounded reads of one thread share, so that a page of many readings ends in time."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta

# What one read may take of what is left: the first that is too wide leaves time to those after it.
_PART = 3 / 4
_until: ContextVar[float | None] = ContextVar("tickerq_reads_until", default=None)


@contextmanager
def sharing(limit: timedelta) -> Iterator[None]:
    """Let the bounded reads of a block take ``limit`` together, or what an outer block has left."""
    outer, until = _until.get(), time.monotonic() + limit.total_seconds()
    token = _until.set(until if outer is None else min(outer, until))
    try:
        yield
    finally:
        _until.reset(token)


@contextmanager
def writing() -> Iterator[None]:
    """Let a block that writes be no part of a shared limit, neither its reads nor the time that it takes.

    Else what is read after a write that had to wait would fail, though the write is done.
    """
    until, begun = _until.get(), time.monotonic()
    token = _until.set(None)
    try:
        yield
    finally:
        _until.reset(token)
        if until is not None:
            _until.set(until + time.monotonic() - begun)


def part_of(seconds: float) -> float:
    """Return how many of its ``seconds`` a read has: all, or its part of what a shared limit has left."""
    until = _until.get()
    return seconds if until is None else min(seconds, (until - time.monotonic()) * _PART)
