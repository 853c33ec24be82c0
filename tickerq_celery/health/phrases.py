"""Moments, spans, counts and lists, as sentences for operators show them."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from tickerq_celery.tickers.counts import Count
from tickerq_celery.wording import in_units, moment

# As many as a person reads.
MOST_LISTED = 12
_LONGEST_ERROR = 200


def span(length: timedelta) -> str:
    """Return a length to the second, in its two largest units, such as ``3 min 20 s``."""
    seconds = round(length.total_seconds())
    return in_units(timedelta(seconds=seconds)) if seconds > 0 else "less than 1 s"


def comes(at: datetime, now: datetime) -> str:
    """Return a moment to come and how far away it is: ``at 2026-03-01 09:00:00Z, in 20 s``."""
    return f"at {moment(at)}, in {span(at - now)}"


def listed(items: Sequence[str], count: int | None = None) -> str:
    """Return a dozen of ``items`` in a row, and how many more there are; ``count`` is of all."""
    shown = items[:MOST_LISTED]
    more = max(len(items), count or 0) - len(shown)
    if more > 0:
        return f"{', '.join(shown)} and {more:,} more"
    return ", ".join(shown[:-1]) + (" and " if len(shown) > 1 else "") + (shown[-1] if shown else "")


def in_line(text: str, longest: int = _LONGEST_ERROR) -> str:
    """Return a text in one line, cut so that a sentence about it stays readable."""
    line = " ".join(text.split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def counted(count: int | Count, what: str) -> str:
    """Return a number and what there is of it, in the plural where it is not 1."""
    shown = f"{count:,}" if isinstance(count, int) else str(count)
    return f"{shown} {what}" if int(count) == 1 else f"{shown} {what}s"


def before_it(count: Count, what: str) -> str:
    """Return how many come before a run in its wait queue, with a space before; nothing where none does."""
    if not int(count):
        return ""
    verb = "comes" if int(count) == 1 else "come"
    return f" {counted(count, what)} {verb} before it."
