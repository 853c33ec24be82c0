"""Spans of time as people read them."""

from datetime import timedelta
from itertools import pairwise

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
_TWO_MINUTES, _NEARLY_A_MINUTE, _TEN_MINUTES = 120.0, 99.5, 600.0
THIN = "\N{NARROW NO-BREAK SPACE}"


def brief(span: timedelta | None) -> str:
    """Return a span in one unit, as lists show it: 88 ms, 0.4 s, 2.5 min, 5 h, 3 d; nothing for None."""
    if span is None:
        return ""
    seconds = max(0.0, span.total_seconds())
    if seconds < 0.001:
        return f"<{THIN}1{THIN}ms"
    if seconds < 0.0995:
        return f"{seconds * 1000:.0f}{THIN}ms"
    if seconds < _NEARLY_A_MINUTE:
        return f"{_figure(seconds)}{THIN}s"
    return _larger(seconds)


def _larger(seconds: float) -> str:
    for size, unit in _UNITS[:3]:
        if seconds >= 2 * size or (size == 60 and seconds >= _NEARLY_A_MINUTE):
            return f"{_figure(seconds / size)}{THIN}{unit}"
    return f"{_figure(seconds / 60)}{THIN}min"


def _figure(number: float) -> str:
    return (
        f"{number:.0f}"
        if (number >= 9.95 and number == round(number)) or number >= 19.95
        else f"{number:.1f}".removesuffix(".0")
    )


def age(span: timedelta) -> str:
    """Return how old something is, in one whole unit: 12 s, 9 min, 5 h, 3 d."""
    seconds = max(0, int(span.total_seconds()))
    for size, unit in _UNITS[:3]:
        if seconds >= 2 * size:
            return f"{seconds // size}{THIN}{unit}"
    return f"{seconds}{THIN}s" if seconds < _TWO_MINUTES else f"{seconds // 60}{THIN}min"


def full(span: timedelta | None) -> str:
    """Return a span in its two largest units, as the page of an object shows it: 2 min 31 s."""
    if span is None:
        return ""
    seconds = span.total_seconds()
    if seconds < 60:
        return brief(span)
    whole = round(seconds)
    for (size, unit), (smaller, small) in pairwise(_UNITS):
        if whole >= size:
            first, rest = divmod(whole, size)
            second = rest // smaller
            return f"{first}{THIN}{unit}" + (f" {second}{THIN}{small}" if second else "")
    return brief(span)


def exact(span: timedelta) -> str:
    """Return a span as one types it, in all of its units and without loss: 1 h 30 min 0.5 s."""
    left, parts = span // timedelta(microseconds=1), []
    for size, unit in _UNITS[:3]:
        count, left = divmod(left, size * 1_000_000)
        if count:
            parts.append(f"{count} {unit}")
    if left or not parts:
        parts.append(f"{left / 1_000_000:.6f}".rstrip("0").rstrip(".") + " s")
    return " ".join(parts)
