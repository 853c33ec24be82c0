"""Findings about what is late: due and not published, published and not started, due and not fired."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

from tickerq_celery.enums import HoldReason
from tickerq_celery.health.findings import failure, fine, first_since, is_or_are, warning
from tickerq_celery.health.phrases import counted, listed, span
from tickerq_celery.store.health.backlog import Late, Overdue
from tickerq_celery.tickers.counts import Count, RunCounts
from tickerq_celery.tickers.health import Finding, FindingCode
from tickerq_celery.tickers.node_views import NodeView, functions_there

_NO_BEAT = "a live beat publishes and fires what is due: see the findings about beats, and beat's log"
_BEATS_WELL = (
    "beats complete their ticks: their log says what keeps them from it, such as a broker that takes no "
    "messages, and `tickerq explain ID` what one of these waits for"
)
_REFUSED = "the broker does not take what beats publish: see the finding about that"
_OF_WORKERS = "see the findings about workers and queues; where there are none, add workers"
_HELD_FOR = {
    HoldReason.PAUSED: "held by a pause",
    HoldReason.FUNCTION: "held for want of a function",
    HoldReason.LIMIT: "held for a limit",
    HoldReason.KEY: "held for a concurrency key",
    HoldReason.RATE: "held for a rate",
    HoldReason.OVERLAP: "held for an occurrence before them",
    HoldReason.PARENT: "held for their parents",
}


def awaited(overdue: Overdue, nodes: Sequence[NodeView]) -> dict[str, Late]:
    """Return the functions of overdue runs that no live worker has; none where no worker is alive at all."""
    if not any(node.takes_runs for node in nodes):
        return {}
    there = functions_there(nodes)
    return {name: late for name, late in overdue.runs.items() if name not in there}


def of_overdue(
    overdue: Overdue,
    counts: RunCounts,
    *,
    unstarted: Late,
    awaited: Collection[str],
    beats_tick: bool,
    is_refused: bool = False,
    due_for: timedelta,
    queued_for: timedelta,
) -> Iterator[Finding]:
    """Yield what is late; or that nothing is, with what is active and what that waits for.

    ``unstarted`` are those of the overdue queued runs of which no other finding names the cause, ``awaited``
    the functions of due ones that another one names. Where ``beats_tick``, none waits for want of a beat;
    where it ``is_refused``, what beats publish.
    """
    overdue_elsewhere = bool(awaited) or overdue.queued.count.number > unstarted.count.number
    overdue = replace(overdue, queued=unstarted)
    due = Late.sum([overdue.calls, *(its for name, its in overdue.runs.items() if name not in awaited)])
    remedy = _BEATS_WELL if beats_tick else _REFUSED if is_refused else _NO_BEAT
    late = [
        *_not_published(due, overdue.crons, due_for, remedy),
        *_not_started(overdue, queued_for),
    ]
    yield from late
    if not late and not overdue_elsewhere:
        yield fine(FindingCode.BACKLOG, _on_time(counts))


def _on_time(counts: RunCounts) -> str:
    """Return what is active, and what each part of it waits for, so that no wait is hidden by the answer."""
    due = f"due (the first for {span(counts.lag)})"
    held = {what: counts.held.get(reason, Count(0)) for reason, what in _HELD_FOR.items()}
    parts = {"in progress": counts.in_progress, "queued": counts.queued, due: counts.due, **held}
    there = {what: count for what, count in parts.items() if count.number}
    total = Count(sum(map(int, there.values())), is_partial=any(count.or_more for count in there.values()))
    later = f"; {counts.scheduled} to come" if counts.scheduled.number else ""
    if not there:
        return f"no run is active, and none waits{later}"
    shown = listed([f"{count} {what}" for what, count in there.items()])
    return f"no run is overdue; {total} {is_or_are(total)} active: {shown}{later}"


def _not_published(due: Late, crons: Late, limit: timedelta, remedy: str) -> Iterator[Finding]:
    if due.count.number:
        what = f"{_overdue(due, 'run', limit)} due and not published"
        yield _failed(FindingCode.OVERDUE_RUNS, due, what, remedy)
    if crons.count.number:
        what = f"{_overdue(crons, 'cron ticker', limit)} due and not fired"
        yield _failed(FindingCode.OVERDUE_CRONS, crons, what, remedy)


def _not_started(overdue: Overdue, queued_for: timedelta) -> Iterator[Finding]:
    if overdue.queued.count.number:
        what = f"{_overdue(overdue.queued, 'run', queued_for)} published and not started by a worker"
        yield _failed(FindingCode.UNSTARTED_RUNS, overdue.queued, what, _OF_WORKERS)
    if overdue.unreported.count.number:
        count = overdue.unreported.count
        yield warning(
            FindingCode.UNREPORTED_CALLS,
            f"{counted(count, 'run')} of Celery tasks {is_or_are(count)} published and reported by no worker"
            f"{first_since(overdue.unreported.since)}",
            since=overdue.unreported.since,
            remedy="start a worker that has this TickerQ: the children of these runs wait for its report",
        )


def _failed(code: FindingCode, late: Late, what: str, remedy: str) -> Finding:
    return failure(code, f"{what}{first_since(late.since)}", since=late.since, remedy=remedy)


def _overdue(late: Late, what: str, limit: timedelta) -> str:
    count = late.count
    return f"{counted(count, what)} {is_or_are(count)} overdue: for more than {span(limit)}"
