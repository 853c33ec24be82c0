"""Series over a window: a point for each step, also where nothing ended."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

from tickerq_celery.enums import TickerStatus
from tickerq_celery.stats.reading import Question, ask
from tickerq_celery.stats.summaries import buckets_of, end_counts, timing_summary
from tickerq_celery.stats.windows import PeriodWindow
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.tickers.figures import (
    Throughput,
    ThroughputPoint,
    TimingPoint,
    Timings,
)
from tickerq_celery.tickers.histograms import Spread
from tickerq_celery.tickers.tallies import SpreadName, Tally
from tickerq_celery.tickers.uncounted_ends import ReadEnds


def throughput(
    tx: Transaction,
    window: PeriodWindow,
    step: timedelta,
    function: str | None,
    uncounted: ReadEnds | None,
) -> Throughput:
    """Return how many runs ended in each step, and in all."""
    functions = None if function is None else {function}
    points = tuple(window.points(step))
    # One step needs no more rows than there are statuses.
    by = ("status",) if len(points) == 1 else ("begins_at", "status")
    answer = ask(tx, Question(window=window, by=by, functions=functions), uncounted)
    by_point: dict[datetime, list[tuple[TickerStatus, Tally]]] = defaultdict(list)
    for (*begin, status), tally in answer.groups.items():
        by_point[window.point_of(begin[0], step) if begin else window.since].append((status, tally))
    return Throughput(
        **answer.about(window),
        function=function,
        step=step,
        total=end_counts(each for found in by_point.values() for each in found),
        points=tuple(ThroughputPoint(at=at, counts=end_counts(by_point.get(at, ()))) for at in points),
    )


def timings(
    tx: Transaction,
    window: PeriodWindow,
    step: timedelta,
    function: str | None,
    uncounted: ReadEnds | None,
    *,
    of: SpreadName,
) -> Timings:
    """Return how long something took in each step, and in all.

    Raises:
        TickerValidationError: The roll-up has too many rows in the window.
    """
    functions = None if function is None else {function}
    question = Question(window=window, by=("begins_at",), functions=functions, spread=of)
    answer = ask(tx, question, uncounted)
    by_point: dict[datetime, Spread] = defaultdict(Spread)
    for (begin,), tally in answer.groups.items():
        at = window.point_of(begin, step)
        by_point[at] = by_point[at].plus(tally.spread(of))
    total = _sum(by_point.values())
    return Timings(
        **answer.about(window),
        function=function,
        step=step,
        total=timing_summary(total),
        buckets=buckets_of(total),
        points=tuple(
            TimingPoint(at=at, summary=timing_summary(by_point.get(at, Spread())))
            for at in window.points(step)
        ),
    )


def _sum(spreads: Iterable[Spread]) -> Spread:
    total = Spread()
    for each in spreads:
        total = total.plus(each)
    return total
