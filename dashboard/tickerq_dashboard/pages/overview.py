"""The overview: is it well, six numbers, what ended, what failed, what comes next, who works."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from werkzeug.wrappers import Response

from tickerq_celery.views import EndCounts, NodeView
from tickerq_dashboard.filters import OverviewQuery
from tickerq_dashboard.reading.overview import Ends, Overview, read_overview
from tickerq_dashboard.reading.windows import WINDOWS
from tickerq_dashboard.show.charts.bars import KINDS, BarChart, Step, bar_chart
from tickerq_dashboard.show.charts.strip import spark_path
from tickerq_dashboard.show.moments import Clock
from tickerq_dashboard.visits import Visit

# Drawn for three widths; from the second on, fewer bars.
_WIDE, _MID, _NARROW = 1000, 640, 330


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """How a number differs from that of the window before; ``is_worse`` is what asks for a look."""

    amount: int
    before: int
    is_worse: bool


def overview(visit: Visit, query: OverviewQuery) -> Response:
    """Show whether all is well, and what to look at."""
    window = WINDOWS[query.window]
    found = read_overview(visit.dashboard.reader, window)
    clock = visit.clock()
    return visit.page(
        "overview.html",
        clock=clock,
        o=found,
        windows=WINDOWS.values(),
        charts=_charts(found.ends, clock),
        steps=[] if found.ends is None else _steps(found.ends, window.step),
        failed_change=None if found.ends is None else _change(found.ends),
        sparks=_sparks(found),
        slots=_slots(found.nodes),
    )


def counts_by_css(counts: EndCounts) -> Mapping[str, int]:
    """Return counts by the css of their statuses."""
    return {kind: getattr(counts, kind.replace("-", "_")) for kind in KINDS}


def _steps(ends: Ends, step: timedelta) -> list[Step]:
    return [
        Step(since=each.at, until=min(each.at + step, ends.until), counts=counts_by_css(each.counts))
        for each in ends.points
    ]


def _charts(ends: Ends | None, clock: Clock) -> Sequence[BarChart]:
    if ends is None or not ends.points:
        return ()
    step = ends.points[1].at - ends.points[0].at if len(ends.points) > 1 else timedelta(hours=1)
    steps = _steps(ends, step)
    return (
        bar_chart("wide", steps, clock, width=_WIDE, height=128),
        bar_chart("mid", steps, clock, width=_MID, height=158),
        bar_chart("narrow", joined(steps, 13), clock, width=_NARROW, height=150),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Slots:
    """How many runs the live workers execute, and how many they can execute at once."""

    taken: int
    there: int


def joined(steps: Sequence[Step], most: int) -> list[Step]:
    """Return at most so many steps, each of which is several of the given ones."""
    size = -(-len(steps) // most)
    groups = [steps[at : at + size] for at in range(0, len(steps), size)]
    return [
        Step(
            since=group[0].since,
            until=group[-1].until,
            counts={kind: sum(each.counts[kind] for each in group) for kind in KINDS},
        )
        for group in groups
    ]


def _change(ends: Ends) -> Change:
    now, before = ends.total.failed, ends.before.failed
    return Change(amount=now - before, before=before, is_worse=now > before)


def _sparks(found: Overview) -> Mapping[str, str]:
    points = [] if found.ends is None else [each.counts for each in found.ends.points]
    lags = [] if found.lag is None else [each.summary.p95 for each in found.lag.points]
    shares = [each.success_share for each in points]
    return {
        "failed": spark_path([each.failed for each in points]) if any(each.failed for each in points) else "",
        "done": spark_path([each.succeeded for each in points]),
        "success": spark_path([1.0 if share is None else share for share in shares]) if any(shares) else "",
        "lag": spark_path([0.0 if each is None else each.total_seconds() for each in lags])
        if any(lags)
        else "",
    }


def _slots(nodes: Sequence[NodeView]) -> Slots | None:
    """Return how busy the live workers are; None where there is none, or one does not say its slots."""
    live = [each for each in nodes if each.takes_runs]
    if not live or any(each.concurrency is None for each in live):
        return None
    return Slots(taken=sum(each.running for each in live), there=sum(each.concurrency or 0 for each in live))
