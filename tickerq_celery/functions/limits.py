"""How many of a function's runs may be active, and how often they may start."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from tickerq_celery.errors import TickerValidationError

_SYNTAX = re.compile(r"(?P<count>[1-9][0-9]{0,6})/(?P<unit>[smhd])")
_PERIODS = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}
# Beat wakes up so often that it can keep to this; what is faster is claimed in groups.
_SHORTEST_WAIT = timedelta(milliseconds=50)
# The coarsest clock of the databases, SQLite's.
_STEP = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """At most ``count`` claims in any ``period``: a group of ``size`` at once, then a ``wait``.

    A slow rate has groups of one. Groups keep their distance from the last claim of the one before, so no
    period sees more than ``count`` claims, wherever it begins; rounding can only make it fewer.
    """

    count: int
    unit: str

    @classmethod
    def parse(cls, text: object) -> "Rate":
        """Return the rate that ``"10/m"`` stands for; the units are s, m, h and d.

        Raises:
            TickerValidationError: It is none.
        """
        match = _SYNTAX.fullmatch(text) if isinstance(text, str) else None
        if match is None:
            raise TickerValidationError("rate_limit", text, 'pass how many per s, m, h or d, such as "10/m"')
        return cls(count=int(match["count"]), unit=match["unit"])

    def __str__(self) -> str:
        return f"{self.count}/{self.unit}"

    @property
    def period(self) -> timedelta:
        """The time in which ``count`` runs may be claimed."""
        return _PERIODS[self.unit]

    @property
    def size(self) -> int:
        """How many runs may be claimed at once."""
        most_groups = self.period // _SHORTEST_WAIT
        return -(-self.count // most_groups)

    @property
    def wait(self) -> timedelta:
        """How long after one group the next may be claimed."""
        groups = self.count // self.size
        return -(-self.period // (groups * _STEP)) * _STEP


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionLimits:
    """The limits of one function, counted over all workers; None is no limit.

    ``max_concurrency_per_key`` is for runs that name the same concurrency key.
    """

    max_concurrency: int | None = None
    max_concurrency_per_key: int | None = 1
    rate: Rate | None = None

    def stricter(self, other: "FunctionLimits") -> "FunctionLimits":
        """Return the stricter of two in each respect: workers differ while a new version is rolled out."""
        return FunctionLimits(
            max_concurrency=_fewer(self.max_concurrency, other.max_concurrency),
            max_concurrency_per_key=_fewer(self.max_concurrency_per_key, other.max_concurrency_per_key),
            rate=slower(self.rate, other.rate),
        )

    def bounds(self, concurrency_key: str | None) -> bool:
        """Whether they may hold a run with this key, or without one."""
        is_keyed = concurrency_key is not None and self.max_concurrency_per_key is not None
        return is_keyed or self.max_concurrency is not None or self.rate is not None

    def as_json(self) -> dict[str, object]:
        """Return what a worker's node row holds."""
        return {
            "max_concurrency": self.max_concurrency,
            "max_concurrency_per_key": self.max_concurrency_per_key,
            "rate_limit": None if self.rate is None else str(self.rate),
        }


def limits_from(stored: Mapping[str, Any]) -> FunctionLimits:
    """Return the limits that a worker's node row holds."""
    rate = stored["rate_limit"]
    return FunctionLimits(
        max_concurrency=stored["max_concurrency"],
        max_concurrency_per_key=stored["max_concurrency_per_key"],
        rate=None if rate is None else Rate.parse(rate),
    )


def _fewer(one: int | None, other: int | None) -> int | None:
    return min((each for each in (one, other) if each is not None), default=None)


def slower(one: Rate | None, other: Rate | None) -> Rate | None:
    """Return the rate that lets fewer runs through; None lets all."""
    rates = [rate for rate in (one, other) if rate is not None]
    return min(rates, key=lambda rate: rate.count / rate.period.total_seconds(), default=None)
