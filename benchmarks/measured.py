"""What one run of one subject measured: standard library only, since the peers' environments import it too.

A measure is a function ``measure(*, count, store_url, broker_url, …) -> tuple[Measured, …]``, called by
keyword in a process of its own (``benchmarks.one``). The database and the broker are new and empty.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Unit(StrEnum):
    """What a value counts."""

    PER_SECOND = "per second"
    MILLISECONDS = "ms"
    SECONDS = "s"
    MEGABYTES = "MB"
    COUNT = "count"

    @property
    def more_is_better(self) -> bool:
        """Whether the greater of two values is the better one."""
        return self is Unit.PER_SECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One quantity of one subject, from one run.

    ``case`` says under what circumstances, such as "beside 100,000 schedules": subjects are compared within a
    quantity and a case. ``count`` is how many things arrived and were counted for it, 0 if it is not a rate.
    """

    subject: str
    quantity: str
    value: float
    unit: Unit
    case: str = ""
    count: int = 0


def rate(subject: str, quantity: str, *, count: int, seconds: float, case: str = "") -> Measured:
    """Return how many things a second arrived; ``count`` is what was counted, not what was asked for."""
    value = count / seconds
    return Measured(
        subject=subject, quantity=quantity, value=value, unit=Unit.PER_SECOND, case=case, count=count
    )


def delays(subject: str, milliseconds: Sequence[float], *, case: str = "") -> tuple[Measured, ...]:
    """Return median, 99th percentile and maximum of delays, the percentiles by the nearest-rank method."""
    ordered = sorted(milliseconds)
    ranks = {"p50": 0.5, "p99": 0.99, "max": 1.0}
    return tuple(
        Measured(
            subject=subject,
            quantity=quantity,
            value=ordered[math.ceil(share * len(ordered)) - 1],
            unit=Unit.MILLISECONDS,
            case=case,
            count=len(ordered),
        )
        for quantity, share in ranks.items()
    )
