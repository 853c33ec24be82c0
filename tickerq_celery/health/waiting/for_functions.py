"""Whether a live worker has a run's function, and what is known of it where none has."""

from collections.abc import Iterator
from datetime import timedelta

from tickerq_celery.enums import TERMINAL, NodeKind
from tickerq_celery.health.phrases import listed
from tickerq_celery.health.waiting.case import Reason, WaitingCase, reason
from tickerq_celery.tickers.explanations import WaitCause
from tickerq_celery.tickers.node_views import NodeState, functions_there
from tickerq_celery.wording import meant_by, moment, most_like

_A_DAY = timedelta(days=1)


def function(case: WaitingCase) -> Iterator[Reason]:
    """Yield that no live worker has the function; a Celery task's is not known here."""
    run = case.run
    if run.is_call or any(run.function in worker.functions for worker in case.workers):
        return
    give_up = "" if run.status in TERMINAL else f", or give it up, `tickerq cancel {run.id}`"
    yield reason(
        WaitCause.FUNCTION,
        f"a worker that has {run.function}",
        " ".join([_since(case), _registered(case), *_workers(case)]),
        remedy=f"start a worker whose code registers {run.function}, `celery -A yourapp worker`{give_up}",
    )


def _since(case: WaitingCase) -> str:
    first = case.facts.held_first
    since = "" if first is None else f", and its runs are held since {moment(first)}"
    return f"No live worker has function {case.run.function}{since}."


def _registered(case: WaitingCase) -> str:
    known = case.facts.registered
    theirs = functions_there(case.workers)
    if known is not None:
        present = most_like(case.run.function, theirs)
        renamed = "" if present is None else f" Live workers have {present}: it may have been renamed."
        return f"A worker first registered it at {moment(known.registered_at)}.{renamed}"
    names = case.facts.names | theirs
    meant = meant_by(case.run.function, names)
    return f"No worker ever registered it{meant}" + ("" if meant else ".")


def _workers(case: WaitingCase) -> Iterator[str]:
    name = case.run.function
    gone = case.nodes_of(NodeKind.WORKER, NodeState.SILENT, NodeState.DEAD)
    silent = [f"{node.name} (since {moment(node.seen_at)})" for node in gone if name in node.functions]
    if silent:
        yield f"Workers that have it are silent: {listed(silent)}."
    leaving = case.nodes_of(NodeKind.WORKER, NodeState.STOPPING)
    stopping = [node.name for node in leaving if name in node.functions]
    if stopping:
        yield f"Workers that have it shut down: {listed(stopping)}."
    yield from lost(case)
    names = [worker.name for worker in case.workers]
    yield f"Alive without it: {listed(names)}." if names else "No worker is alive."
    broker = case.outside.broker
    if broker is not None and broker.error is not None:
        yield f"The broker {broker.address}, on which one would start, {broker.error}."


def lost(case: WaitingCase, queue: str | None = None) -> Iterator[str]:
    """Yield which workers were found dead in the last day, of one ``queue`` or of any, and are not back."""
    gone = [
        f"{node.name} (last heartbeat {moment(node.seen_at)})"
        for node in case.facts.lost
        if case.at - node.found_at < _A_DAY
        and node.returned_at is None
        and (queue is None or queue in node.queues)
    ]
    if gone:
        yield f"Found dead in the last day: {listed(gone)}."
