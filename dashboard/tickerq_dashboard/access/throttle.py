"""How often a password may be tried from one network address."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

from tickerq_dashboard.access.refusals import TooManyFailuresError

# After so many failures there are waits, in seconds: the first, doubled each time up to the longest. After
# the window without a failure, all is forgotten.
FREE_FAILURES = 5
FIRST_WAIT, LONGEST_WAIT, WINDOW = 30.0, 300.0, 900.0
MOST_ADDRESSES = 4096


@dataclass(slots=True)
class Failures:
    """The failures from one address; those under trial count until they succeed."""

    count: int = 0
    last: float = 0.0


class Throttle:
    """Counts failures by address, of the latest addresses only; an IPv6 network of 64 bits counts as one."""

    def __init__(
        self, *, limit: int = MOST_ADDRESSES, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._limit = limit
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._failures: dict[str, Failures] = {}

    def begin(self, address: str | None) -> float:
        """Count a trial as a failure until it succeeds, and return how long others have to wait after it.

        Raises:
            TooManyFailuresError: There were too many before.
        """
        key, now = network_of(address), self._monotonic()
        with self._lock:
            # Taken out and put in again, so that the first is the one whose last failure is the oldest.
            known = self._failures.pop(key, None)
            if known is None or now - known.last > WINDOW:
                known = Failures()
            self._failures[key] = known
            left = known.last + wait_after(known.count) - now
            if left > 0:
                raise TooManyFailuresError(left)
            known.count += 1
            known.last = now
            while len(self._failures) > self._limit:
                del self._failures[next(iter(self._failures))]
            return wait_after(known.count)

    def succeed(self, address: str | None) -> None:
        """Take back a trial: it was right, or has not been made."""
        with self._lock:
            known = self._failures.get(network_of(address))
            if known is not None:
                known.count = max(0, known.count - 1)

    def __len__(self) -> int:
        return len(self._failures)


def wait_after(failures: int) -> float:
    """Return how many seconds must pass after so many failures."""
    if failures < FREE_FAILURES:
        return 0.0
    # The exponent is bounded: a count of years would overflow a float.
    return min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(failures - FREE_FAILURES, 16))


def network_of(address: str | None) -> str:
    """Return what counts as one address: of IPv6 the network of 64 bits, which one customer has alone."""
    try:
        parsed = ip_address(address or "")
    except ValueError:
        return address or ""
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return f"{IPv6Address(int(parsed) >> 64 << 64)}/64"
