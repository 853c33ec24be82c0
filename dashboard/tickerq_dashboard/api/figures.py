"""Figures: how it is, what ended, how long it took, what failed, what is to come."""

from collections.abc import Callable
from typing import Any

from flask import Response

from tickerq_celery.errors import TickerValidationError
from tickerq_celery.views import Count, Throughput, Timings
from tickerq_dashboard.api.answering import answered, may_see
from tickerq_dashboard.api.fields import Answer
from tickerq_dashboard.api.figure_answers import (
    Counted,
    ErrorsAnswer,
    OutlookAnswer,
    PulseAnswer,
    ThroughputAnswer,
    TimingsAnswer,
)
from tickerq_dashboard.api.queries import ErrorsAsked, FiguresAsked, UpcomingAsked
from tickerq_dashboard.api.system import UNKNOWN
from tickerq_dashboard.health import said
from tickerq_dashboard.problem_details import RefusedError
from tickerq_dashboard.reading.windows import WINDOWS, WindowChoice
from tickerq_dashboard.visits import Visit

_COUNTS = ("in_progress", "queued", "published", "due", "scheduled", "due_crons")


def pulse(visit: Visit) -> Response:
    """Return how it is, in a few numbers."""
    reader, report = visit.dashboard.reader, visit.dashboard.watch.ask().report
    counts = reader.cached("pulse", reader.tickerq.runs.counts, fresh=2.0)
    return answered(
        PulseAnswer(
            at=counts.at,
            due_since=counts.due_since,
            due_crons_since=counts.due_crons_since,
            lag=counts.lag,  # type: ignore[arg-type]  # in seconds
            held={reason.value: _counted(count) for reason, count in counts.held.items()},
            severity=UNKNOWN if report is None else report.severity.value,
            problems=() if report is None else tuple(map(said, report.problems)),
            **{name: _counted(getattr(counts, name)) for name in _COUNTS},
        )
    )


def charted(name: str, model: type[Answer]) -> Callable[[Visit, FiguresAsked], Response]:
    """Return what answers with one of the core's statistics."""

    def chart(visit: Visit, query: FiguresAsked) -> Response:
        """Return figures of a window, in all and step by step.

        Raises:
            RefusedError: The roll-up has more rows in the window than are read.
        """
        reader, window = visit.dashboard.reader, WINDOWS[query.window]
        since, function = window.since(reader.now()), query.function or None
        read: Callable[..., Throughput | Timings] = getattr(reader.tickerq.stats, name)

        def figures() -> Any:
            uncounted = reader.uncounted()
            return read(function=function, since=since, step=window.step, uncounted=uncounted)

        try:
            found = reader.cached((name, window.slug, function), figures, fresh=3.0)
        except TickerValidationError as error:
            if error.field != "since":
                raise
            # The address has no such field: it is the window's.
            raise _too_much(window, error) from error
        return answered(model.model_validate(found))

    return chart


throughput = charted("throughput", ThroughputAnswer)
durations = charted("durations", TimingsAnswer)
lag = charted("lag", TimingsAnswer)


def errors(visit: Visit, query: ErrorsAsked) -> Response:
    """Return the failures of a window, grouped by exception and function."""
    reader, window = visit.dashboard.reader, WINDOWS[query.window]
    read, since = reader.tickerq.errors.groups, window.since(reader.now())
    found = reader.cached(
        ("errors", window.slug, query.limit),
        lambda: read(since=since, limit=query.limit, uncounted=reader.uncounted()),
        fresh=3.0,
    )
    answer = ErrorsAnswer.model_validate(found)
    if not may_see(visit):
        groups = tuple(each.model_copy(update={"sample_head": None}) for each in answer.groups)
        answer = answer.model_copy(update={"groups": groups})
    return answered(answer)


def upcoming(visit: Visit, query: UpcomingAsked) -> Response:
    """Return what is to come, stored and computed."""
    found = visit.dashboard.reader.upcoming(query, query.limit)
    return answered(OutlookAnswer.model_validate(found))


def _too_much(window: WindowChoice, error: TickerValidationError) -> RefusedError:
    said = f"Of the last {window.said}, {error.reason}."
    return RefusedError(400, "This window is too much for one answer", said, {"window": said})


def _counted(count: Count) -> Counted:
    return Counted.model_validate(count)
