"""Answers kept for a moment: however many tabs ask for the same, the store is asked once."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from tickerq_celery.errors import QueryTooWideError

ValueT = TypeVar("ValueT")
# In seconds, and how many answers are kept: a page of runs has about 50 KB.
FRESH, MOST, WAIT_TIMEOUT = 1.0, 64, 5.0


class _Flight:
    """One reading that may be asked for by many at once."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self.value: Any = None
        self.error: Exception | None = None
        self.at = 0.0


class MomentCache:
    """The latest answers by their keys; ``fresh`` is how many seconds one is good for."""

    def __init__(self, *, fresh: float = FRESH, clock: Callable[[], float] = time.monotonic) -> None:
        self._fresh, self._clock = fresh, clock
        self._lock = threading.Lock()
        self._flights: OrderedDict[Hashable, _Flight] = OrderedDict()
        self._followed: OrderedDict[Hashable, None] = OrderedDict()

    def get(self, key: Hashable, read: Callable[[], ValueT], *, fresh: float | None = None) -> ValueT:
        """Return what ``read`` returned for this key a moment ago, or returns now; an error is not kept.

        Who waits for the reading of another one that runs out of time reads as well: each has its own time.
        """
        with self._lock:
            flight = self._flights.get(key)
            is_ours = flight is None or (flight.done.is_set() and self._is_old(flight, fresh))
            if is_ours:
                flight = self._flights[key] = _Flight()
                self._flights.move_to_end(key)
                while len(self._flights) > MOST:
                    self._flights.popitem(last=False)
        assert flight is not None  # noqa: S101  # for the type checker
        if is_ours:
            self._fly(flight, read)
        elif not flight.done.wait(WAIT_TIMEOUT) or isinstance(flight.error, QueryTooWideError):
            return read()
        if flight.error is not None:
            raise flight.error
        value: ValueT = flight.value
        return value

    def follow(self, change: Hashable) -> bool:
        """Drop all answers, the first time that this ``change`` is heard of; return whether that was now."""
        with self._lock:
            if change in self._followed:
                return False
            self._flights.clear()
            self._followed[change] = None
            while len(self._followed) > MOST:
                self._followed.popitem(last=False)
        return True

    def _is_old(self, flight: _Flight, fresh: float | None) -> bool:
        return flight.error is not None or self._clock() - flight.at > (
            self._fresh if fresh is None else fresh
        )

    def _fly(self, flight: _Flight, read: Callable[[], Any]) -> None:
        try:
            flight.value = read()
        except Exception as error:  # noqa: BLE001  # raised to those that wait, too
            flight.error = error
        flight.at = self._clock()
        flight.done.set()
