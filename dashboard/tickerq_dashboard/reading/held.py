"""Which runs of a function are held: how many for each reason, and what holds the first of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from tickerq_celery import TickerQ
from tickerq_celery.enums import HoldReason
from tickerq_celery.errors import TickerNotFoundError
from tickerq_celery.views import Count, FunctionView, RunExplanation, RunSummary

# Of so many reasons the first run is explained, which takes some twenty short reads.
MOST_EXPLAINED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldRuns:
    """How many runs of a function are held for a reason; ``first`` is that which comes first.

    ``explanation`` says what holds it; None where that was not asked, or it has just gone on.
    """

    reason: HoldReason
    runs: Count
    first: RunSummary | None = None
    explanation: RunExplanation | None = None


def held_of(tickerq: TickerQ, function: FunctionView) -> tuple[HeldRuns, ...]:
    """Return what of a function is held, the reason with the most runs first.

    Raises:
        QueryTooWideError: Reading it takes too long.
    """
    counts = sorted(function.active.held.items(), key=lambda each: -each[1].number)
    found = [(reason, count) for reason, count in counts if count.number]
    return tuple(_held(tickerq, function.name, found))


def _held(tickerq: TickerQ, name: str, found: list[tuple[HoldReason, Count]]) -> Iterator[HeldRuns]:
    for at, (reason, count) in enumerate(found):
        make = partial(HeldRuns, reason=reason, runs=count)
        page = () if at >= MOST_EXPLAINED else tickerq.runs.active(held_for=reason, function=name, limit=1)
        first = page[0] if page else None
        yield make(first=first, explanation=None if first is None else _explained(tickerq, first))


def _explained(tickerq: TickerQ, run: RunSummary) -> RunExplanation | None:
    try:
        return tickerq.runs.explain(run.id)
    except TickerNotFoundError:
        return None
