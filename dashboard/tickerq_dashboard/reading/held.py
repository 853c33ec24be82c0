"""Which runs of a function are held: how many for each reason, and what holds the first of them."""

from dataclasses import dataclass

from tickerq_celery import TickerQ
from tickerq_celery.enums import HoldReason
from tickerq_celery.views import Count, FirstHeld, FunctionView

# Of so many reasons the first run is looked for, and explained.
MOST_EXPLAINED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldRuns:
    """How many runs of a function are held for a reason; ``first`` is that which comes first.

    It is None where that was not asked, or it has just gone on.
    """

    reason: HoldReason
    runs: Count
    first: FirstHeld | None = None


def held_of(tickerq: TickerQ, function: FunctionView) -> tuple[HeldRuns, ...]:
    """Return what of a function is held, the reason with the most runs first.

    Raises:
        QueryTooWideError: Reading it takes too long.
    """
    counts = sorted(function.active.held.items(), key=lambda each: -each[1].number)
    found = {reason: count for reason, count in counts if count.number}
    asked = list(found)[:MOST_EXPLAINED]
    firsts = tickerq.runs.explain_held(function.name, reasons=asked) if asked else ()
    first = {each.reason: each for each in firsts}
    return tuple(
        HeldRuns(reason=reason, runs=count, first=first.get(reason)) for reason, count in found.items()
    )
