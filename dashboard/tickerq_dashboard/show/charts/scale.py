"""Scales: round ends of axes, and where values and moments lie on them."""

import math
from collections.abc import Iterator
from datetime import datetime, timedelta

_ROUND = (1.0, 2.0, 2.5, 4.0, 5.0, 8.0, 10.0)
_STEPS = (
    *(timedelta(minutes=minutes) for minutes in (1, 5, 10, 15, 30)),
    *(timedelta(hours=hours) for hours in (1, 2, 3, 4, 6, 12, 24, 48, 120, 240)),
)


def round_top(value: int) -> int:
    """Return a round number that is not below ``value``, and divides by two."""
    if value <= 2:
        return 2
    size: int = 10 ** math.floor(math.log10(value))
    top = next(math.ceil(size * each) for each in _ROUND if size * each >= value)
    return top + top % 2


def px(value: float) -> str:
    """Return a length for SVG, to a tenth."""
    return f"{value:.1f}".removesuffix(".0")


def ticks(since: datetime, until: datetime, most: int) -> Iterator[datetime]:
    """Yield the round moments of a zone within a window, ``most`` at most; both ends are of that zone."""
    span = until - since
    step = next((each for each in _STEPS if span / each <= most), _STEPS[-1])
    midnight = since.replace(hour=0, minute=0, second=0, microsecond=0)
    at = midnight
    while at < until:
        if at > since:
            yield at
        at += step
