"""Findings about queues that no live worker consumes, and functions whose runs cannot be published."""

import shlex
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from tickerq_celery.health.findings import capped, failure, warning
from tickerq_celery.health.phrases import counted, listed
from tickerq_celery.store.health.backlog import Late
from tickerq_celery.tickers.counts import Count
from tickerq_celery.tickers.health import Finding, FindingCode, Subject, SubjectKind
from tickerq_celery.tickers.node_views import LostNode, NodeView, consumed_queues
from tickerq_celery.wording import moment


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueUse:
    """A queue that a function's runs go to: how many wait for it, and since when; 0 where none does.

    So many of them are ``due``, not claimed yet, and ``unstarted``: published for longer than a message may
    take. They are ``routed`` where they have no queue of their own, so that the router sends them there.
    The ``queue`` is None where a route names an exchange only, or where the router raised an ``error``.
    """

    function: str
    queue: str | None
    runs: int
    unstarted: int
    since: datetime | None
    error: str | None
    due: int = 0
    routed: bool = False


def unstarted_elsewhere(late: Late, uses: Sequence[QueueUse], nodes: Sequence[NodeView]) -> Late:
    """Return what is unstarted for another cause than that no live worker consumes its queue."""
    consumed = consumed_queues(nodes)
    if not consumed:
        return late
    waits = [use for use in uses if use.unstarted]
    stranded = [use for use in waits if use.queue is not None and use.queue not in consumed]
    if not stranded:
        return late
    number = max(0, late.count.number - sum(use.unstarted for use in stranded))
    others = [use.since for use in waits if use not in stranded and use.since is not None]
    return Late(count=Count(number, is_partial=late.count.or_more), since=min(others, default=None))


def of_routes(uses: Sequence[QueueUse]) -> Iterator[Finding]:
    """Yield the functions for whose runs the application's router has no queue."""
    errors = {use.function: use.error for use in uses if use.error is not None}
    found = [
        failure(
            FindingCode.NO_ROUTE,
            f"runs of {function} cannot be published: {error}",
            subject=Subject(SubjectKind.FUNCTION, function),
            remedy="correct task_routes or task_queues",
        )
        for function, error in sorted(errors.items())
    ]
    yield from capped(found, "functions without a queue")


def of_queues(
    uses: Sequence[QueueUse], nodes: Sequence[NodeView], lost: Sequence[LostNode]
) -> Iterator[Finding]:
    """Yield the queues that are used and not consumed.

    One in which runs wait is a failure. One that is empty is a warning: its workers may be started when there
    is work. Where no worker is alive at all, nothing is said of queues.
    """
    consumed = consumed_queues(nodes)
    if not consumed:
        return
    by_queue: dict[str, list[QueueUse]] = defaultdict(list)
    for use in uses:
        if use.queue is not None and use.queue not in consumed:
            by_queue[use.queue].append(use)
    waiting = [queue for queue, its in by_queue.items() if any(use.runs for use in its)]
    empty = [queue for queue in by_queue if queue not in waiting]
    found = [
        *(_waiting(queue, by_queue[queue], lost) for queue in sorted(waiting)),
        *(_empty(queue, by_queue[queue]) for queue in sorted(empty)),
    ]
    yield from capped(found, "queues that no live worker consumes")


def _waiting(queue: str, uses: Sequence[QueueUse], lost: Sequence[LostNode]) -> Finding:
    runs = sum(use.runs for use in uses)
    since = min((use.since for use in uses if use.since is not None), default=None)
    functions = listed(sorted({use.function for use in uses if use.runs}))
    text = f"queue {queue}: no live worker consumes it, and {counted(runs, 'run')} of {functions} "
    text += "waits in it" if runs == 1 else "wait in it"
    due = sum(use.due for use in uses)
    text += f" ({due:,} due and not published yet)" if due else ""
    text += "" if since is None else f", the first since {moment(since)}"
    return failure(
        FindingCode.NO_CONSUMER,
        text + _last(queue, lost),
        subject=Subject(SubjectKind.QUEUE, queue),
        since=since,
        remedy=_start(queue),
        functions=tuple(sorted({use.function for use in uses if use.runs and use.routed})),
    )


def _empty(queue: str, uses: Sequence[QueueUse]) -> Finding:
    functions = listed(sorted({use.function for use in uses}))
    return warning(
        FindingCode.NO_CONSUMER,
        f"queue {queue}: no live worker consumes it, and runs of {functions} go to it",
        subject=Subject(SubjectKind.QUEUE, queue),
        remedy=_start(queue),
    )


def _last(queue: str, lost: Sequence[LostNode]) -> str:
    had = [node for node in lost if queue in node.queues]
    if not had:
        return ""
    last = max(had, key=lambda node: node.seen_at)
    return f"; the last one that did, {last.name}, was last seen at {moment(last.seen_at)}"


def _start(queue: str) -> str:
    return f"start a worker for it, `celery -A yourapp worker -Q {shlex.quote(queue)}`"
