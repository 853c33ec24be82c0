"""Published runs that no worker has started: whether a live worker takes them from their queue."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from tickerq_celery import TickerStatus
from tickerq_celery.enums import TickerKind
from tickerq_celery.views import NodeView, RunSummary
from tickerq_dashboard.reading.reader import SLOW, Reader, or_none

# A function, and the queue of a run's own.
Flow = tuple[str, str | None]


def queue_words(reader: Reader, runs: Iterable[RunSummary]) -> Mapping[UUID, str]:
    """Return what those runs of functions wait for that are in a queue, by their ids."""
    queued = [
        each
        for each in runs
        if each.status is TickerStatus.QUEUED
        and each.kind is TickerKind.FUNCTION
        and each.published_at is not None
    ]
    nodes = or_none(reader.nodes) if queued else None
    if nodes is None:
        return {}
    workers = [each for each in nodes if each.takes_runs]
    queues = _queues(reader, frozenset(map(_flow, queued)))
    return {each.id: _waits_for(each, queues[_flow(each)], workers) for each in queued}


def _queues(reader: Reader, flows: frozenset[Flow]) -> Mapping[Flow, str | None]:
    # Routers are the user's, and may be slow: a page that is looked at again asks none.
    ask = reader.tickerq.functions.queue_of
    return reader.cached(("queues", flows), lambda: {flow: ask(*flow) for flow in flows}, fresh=SLOW)


def _flow(run: RunSummary) -> Flow:
    return run.function, run.queue


def _waits_for(run: RunSummary, queue: str | None, workers: Sequence[NodeView]) -> str:
    where = "In its queue" if queue is None else f"In queue {queue}"
    if not workers:
        return f"{where}: no worker is alive"
    takers = [each for each in workers if queue is None or not each.queues or queue in each.queues]
    if not takers:
        return f"{where}, which no live worker consumes"
    if not any(run.function in each.functions for each in takers):
        return f"{where}: no live worker on it has its function"
    return f"{where}, for a worker to start it"
