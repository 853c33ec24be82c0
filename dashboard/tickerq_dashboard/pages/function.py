"""The page of one function: its options, who has it, how its runs end, how long they take, which are held."""

from collections.abc import Sequence

from werkzeug.wrappers import Response

from tickerq_celery.enums import PauseKind
from tickerq_celery.errors import TickerNotFoundError
from tickerq_celery.views import SubjectKind, Throughput, Timings
from tickerq_dashboard.banner import Topic, topics_of
from tickerq_dashboard.filters import FiguresQuery
from tickerq_dashboard.pages.overview import counts_by_css, joined
from tickerq_dashboard.reading.reader import MOST_WAITING
from tickerq_dashboard.reading.shown import FunctionPage
from tickerq_dashboard.reading.windows import WINDOWS, WindowChoice
from tickerq_dashboard.show.charts.bars import BarChart, Step, bar_chart
from tickerq_dashboard.show.charts.histogram import Histogram, histogram
from tickerq_dashboard.show.durations import unmeasured_words
from tickerq_dashboard.show.moments import Clock
from tickerq_dashboard.visits import Visit

# Drawn for two widths; in the narrow one each bar is several steps.
_WIDE, _NARROW, _NARROW_BARS = 640, 330, 13


def function(visit: Visit, name: str, query: FiguresQuery) -> Response:
    """Show one function; of one that nothing registered, its runs."""
    window = WINDOWS[query.window]
    try:
        found = visit.dashboard.reader.function(name, window)
    except TickerNotFoundError:
        return _unregistered(visit, name)
    clock = visit.clock()
    steps = _steps(found.throughput, window)
    return visit.page(
        "function.html",
        clock=clock,
        topics=(Topic(SubjectKind.FUNCTION, name), *topics_of(found.function.pauses)),
        f=found.function,
        own_pause=any(each.kind is PauseKind.FUNCTION for each in found.function.pauses),
        crons=found.crons,
        held=found.held,
        window=window,
        windows=WINDOWS.values(),
        durations=found.durations,
        left_out=_left_out(found, window),
        histograms=_histograms(found.durations),
        throughput=found.throughput,
        charts=_charts(steps, clock),
        steps=steps,
    )


def _left_out(found: FunctionPage, window: WindowChoice) -> str:
    """Return which ends no duration is known of, but for what was skipped, of which nothing ran."""
    if found.throughput is None or found.durations is None:
        return ""
    ends, measured = found.throughput.total, found.durations.total.count
    unmeasured = ends.succeeded + ends.failed + ends.cancelled - measured
    return unmeasured_words(unmeasured, measured, window.said)


def _steps(throughput: Throughput | None, window: WindowChoice) -> list[Step]:
    if throughput is None:
        return []
    return [
        Step(
            since=each.at,
            until=min(each.at + window.step, throughput.until),
            counts=counts_by_css(each.counts),
        )
        for each in throughput.points
    ]


def _charts(steps: Sequence[Step], clock: Clock) -> list[BarChart]:
    if not steps:
        return []
    return [
        bar_chart("from-mid", steps, clock, width=_WIDE, height=150),
        bar_chart("narrow", joined(steps, _NARROW_BARS), clock, width=_NARROW, height=150),
    ]


def _histograms(durations: Timings | None) -> list[Histogram]:
    if durations is None:
        return []
    total = durations.total
    marks = (("p50", total.p50), ("p95", total.p95))
    drawn = (
        histogram(name, durations.buckets, marks, width=width, height=150)
        for name, width in (("from-mid", _WIDE), ("narrow", _NARROW))
    )
    return [each for each in drawn if each is not None]


def _unregistered(visit: Visit, name: str) -> Response:
    """Show how many runs wait for a function that no worker ever registered.

    Raises:
        TickerNotFoundError: No run of it waits.
    """
    waiting = visit.dashboard.reader.waiting_for(name)
    if not waiting:
        raise TickerNotFoundError("function", name)
    return visit.page(
        "unregistered.html",
        clock=visit.clock(),
        topics=(Topic(SubjectKind.FUNCTION, name),),
        name=name,
        waiting=waiting,
        most=MOST_WAITING,
    )
