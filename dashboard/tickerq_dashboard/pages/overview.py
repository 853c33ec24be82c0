"""The overview: is it well, six numbers, what ended, what failed, what comes next, who works."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from werkzeug.wrappers import Response

from tickerq_celery.views import EndCounts, NodeView
from tickerq_dashboard.filters import OverviewQuery
from tickerq_dashboard.reading.ends import Ends
from tickerq_dashboard.reading.overview import Overview, read_overview
from tickerq_dashboard.reading.windows import OF_ALL, WindowChoice
from tickerq_dashboard.show.charts.bars import KINDS, BarChart, Step, bar_chart, each_words
from tickerq_dashboard.show.charts.strip import spark_bars, spark_path
from tickerq_dashboard.show.moments import Clock
from tickerq_dashboard.show.words import percent
from tickerq_dashboard.visits import Visit

# Drawn for three widths, with so many bars at most in the second and in the third.
_WIDE, _MID, _NARROW = 1000, 640, 330
_MID_BARS, _NARROW_BARS = 31, 13
# Of a spark within a line.
_SPARK_BARS = 31


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """By how much a number differs from that of the span before, and what that was, both in words.

    ``sign`` is an arrow, empty where it is the same; ``is_worse`` is what asks for a look.
    """

    sign: str
    amount: str
    before: str
    is_worse: bool = False


def overview(visit: Visit, query: OverviewQuery) -> Response:
    """Show whether all is well, and what to look at."""
    window = OF_ALL[query.window]
    found = read_overview(visit.dashboard.reader, window)
    clock = visit.clock()
    steps = [] if found.ends is None else _steps(found.ends, window.step)
    return visit.page(
        "overview.html",
        clock=clock,
        o=found,
        windows=OF_ALL.values(),
        charts=_charts(steps, clock),
        steps=steps,
        changes=_changes(found.ends),
        sparks=_sparks(found),
        failed_when=_failed_when(window),
        failed_sparks=_failed_sparks(found),
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


def _charts(steps: Sequence[Step], clock: Clock) -> Sequence[BarChart]:
    if not steps:
        return ()
    return (
        bar_chart("wide", steps, clock, width=_WIDE, height=128),
        bar_chart("mid", joined(steps, _MID_BARS), clock, width=_MID, height=158),
        bar_chart("narrow", joined(steps, _NARROW_BARS), clock, width=_NARROW, height=150),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Slots:
    """How many runs the live workers execute, and how many they can execute at once."""

    taken: int
    there: int


def joined(steps: Sequence[Step], most: int) -> list[Step]:
    """Return at most so many steps, each of which is several of the given ones."""
    size = size_of(len(steps), most)
    groups = [steps[at : at + size] for at in range(0, len(steps), size)]
    return [
        Step(
            since=group[0].since,
            until=group[-1].until,
            counts={kind: sum(each.counts[kind] for each in group) for kind in KINDS},
        )
        for group in groups
    ]


def size_of(count: int, most: int) -> int:
    """Return how many of so many steps are joined, so that there are ``most``."""
    return -(-count // most)


def _changes(ends: Ends | None) -> Mapping[str, Change]:
    """Return the changes of figures by their names; none where nothing ended before."""
    if ends is None or not ends.before.ends:
        return {}
    now, before = ends.total, ends.before
    changes = {
        "failed": Change(
            sign=_sign(now.failed - before.failed),
            amount=f"{abs(now.failed - before.failed):,}",
            before=f"{before.failed:,}",
            is_worse=now.failed > before.failed,
        ),
        "done": Change(
            sign=_sign(now.succeeded - before.succeeded),
            amount=f"{abs(now.succeeded - before.succeeded):,}",
            before=f"{before.succeeded:,}",
        ),
    }
    if now.success_share is None or before.success_share is None:
        return changes
    points = round(100 * (now.success_share - before.success_share), 1)
    success = Change(
        sign=_sign(points),
        amount=f"{abs(points):g}",
        before=percent(before.success_share, 1),
        is_worse=points < 0,
    )
    return {**changes, "success": success}


def _sign(change: float) -> str:
    return "" if not change else "▲" if change > 0 else "▼"


def _failed_when(window: WindowChoice) -> str:
    """Return the head of the column of sparks: "By hour"."""
    steps = window.length // window.step + 1
    return each_words(window.step * size_of(steps, _SPARK_BARS)).replace("each", "By", 1)


def _failed_sparks(found: Overview) -> list[str]:
    """Return the spark of each exception, all drawn to its own highest bar."""
    sparks = []
    for each in found.failures or ():
        size = size_of(len(each.counts), _SPARK_BARS)
        sparks.append(
            spark_bars([sum(each.counts[at : at + size]) for at in range(0, len(each.counts), size)])
        )
    return sparks


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
