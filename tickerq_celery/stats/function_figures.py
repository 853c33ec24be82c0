"""How functions do: their ends, failures and durations in a window, each function apart."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime

from tickerq_celery.enums import TickerStatus
from tickerq_celery.stats.reading import Answer, Question, ask
from tickerq_celery.stats.summaries import end_counts, timing_summary
from tickerq_celery.stats.windows import PeriodWindow, window_of
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.tickers.figures import FunctionFigures
from tickerq_celery.tickers.histograms import Spread
from tickerq_celery.tickers.tallies import Tally
from tickerq_celery.tickers.uncounted_ends import ReadEnds

_BY = ("function", "status")


def figures_of(
    tx: Transaction,
    functions: Collection[str] | None,
    *,
    since: datetime,
    until: datetime,
    uncounted: ReadEnds | None = None,
) -> Mapping[str, FunctionFigures]:
    """Return the figures of functions of the namespace, or of all, by name; none of one without an end.

    The window is of whole hours, as ``window_of`` makes it. Percentiles are within 20 %.

    Raises:
        TickerValidationError: ``since`` or ``until`` is invalid, or the roll-up has too many rows in it.
    """
    window = window_of(since, until, now=tx.now if uncounted is None else uncounted.at)
    question = Question(window=window, by=_BY, functions=functions, spread="durations")
    return by_function(ask(tx, question, uncounted))


def failing(
    tx: Transaction, window: PeriodWindow, limit: int, uncounted: ReadEnds | None
) -> tuple[Answer, tuple[FunctionFigures, ...]]:
    """Return the functions with the most failures, those first, and what the figures are made of.

    Their percentiles are None: those are read for some functions, not for all.
    """
    answer = ask(tx, Question(window=window, by=_BY), uncounted)
    found = [each for each in by_function(answer).values() if each.counts.failed]
    found.sort(key=lambda each: (-each.counts.failed, each.function))
    return answer, tuple(found[:limit])


def by_function(answer: Answer) -> Mapping[str, FunctionFigures]:
    """Return the figures of each function that an answer is about."""
    found: dict[str, list[tuple[TickerStatus, Tally]]] = defaultdict(list)
    for (function, status), tally in answer.groups.items():
        found[function].append((status, tally))
    return {function: _figures(function, ends) for function, ends in found.items()}


def without_ends(function: str) -> FunctionFigures:
    """Return the figures of a function of which no run ended."""
    return _figures(function, [])


def _figures(function: str, ends: list[tuple[TickerStatus, Tally]]) -> FunctionFigures:
    durations = Spread()
    for _, tally in ends:
        durations = durations.plus(tally.durations)
    failures = [tally.last_ended_at for status, tally in ends if status is TickerStatus.FAILED]
    return FunctionFigures(
        function=function,
        counts=end_counts(ends),
        durations=timing_summary(durations),
        last_failed_at=max(failures, default=None),
    )
