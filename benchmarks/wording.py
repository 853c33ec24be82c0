"""How figures are written: three digits that matter, and their unit. Pure."""

from benchmarks.measured import Unit
from benchmarks.summary import Figure, Key, Spread

_DIGITS = 3


def number(value: float) -> str:
    """Return a number with three significant digits: 1,230 and 45.6 and 0.123."""
    if value == 0:
        return "0"
    rounded = float(f"{value:.{_DIGITS}g}")
    if abs(rounded) >= 10 ** (_DIGITS - 1):
        return f"{rounded:,.0f}"
    decimals = max(0, _DIGITS - 1 - _magnitude(rounded))
    return f"{rounded:.{decimals}f}"


def value_with_unit(value: float, unit: Unit) -> str:
    suffix = {Unit.PER_SECOND: "/s", Unit.COUNT: ""}.get(unit, f" {unit}")
    return f"{number(value)}{suffix}"


def spread_of_figure(figure: Figure) -> str:
    """Return the least and the greatest; nothing where there was one round."""
    spread = figure.spread
    return "" if spread.rounds == 1 else f"{number(spread.least)} to {number(spread.most)}"


def times(spread: Spread) -> str:
    """Return a ratio with its range: 2.5 × (2.1 to 2.8)."""
    shown = f"{number(spread.median)} ×"
    return shown if spread.rounds == 1 else f"{shown} ({number(spread.least)} to {number(spread.most)})"


def named(key: Key) -> str:
    """Return a subject with its case."""
    return f"{key.subject} ({key.case})" if key.case else key.subject


def _magnitude(value: float) -> int:
    return int(f"{value:e}".partition("e")[2])
