"""What a claimed run waits for: its publication, a consumer of its queue, its start, a report."""

from collections.abc import Iterator, Sequence

from tickerq_celery.health.phrases import before_it, listed
from tickerq_celery.health.waiting.case import Reason, WaitingCase, holder_of, reason
from tickerq_celery.health.waiting.for_functions import lost
from tickerq_celery.health.waiting.for_sweeps import SweepAct, still_to_come, swept
from tickerq_celery.store.runs.publications import NEVER
from tickerq_celery.tickers.explanations import WaitCause
from tickerq_celery.tickers.node_views import NodeView
from tickerq_celery.wording import moment

_PUBLISH = SweepAct(does="publishes it", was_to="publish it")
_PUBLISH_AGAIN = SweepAct(does="publishes it again", was_to="publish it again")
_END_UNREPORTED = SweepAct(
    does="ends it as Done, its outcome unknown,", was_to="end it as Done, its outcome unknown,"
)


def message(case: WaitingCase) -> Iterator[Reason]:
    """Yield what keeps a Queued run from its start."""
    run = case.run
    if run.published_at is None:
        yield _publication(case)
    elif run.is_call:
        yield _report(case)
    else:
        yield from _start(case)


def _publication(case: WaitingCase) -> Reason:
    run = case.run
    at = run.check_at
    since = "" if run.locked_at is None else f" {moment(run.locked_at)}"
    again = "" if at is None else f" {swept(case, at, _PUBLISH, unless='Unless that comes about')}"
    return reason(
        WaitCause.PUBLICATION,
        "its message to reach the broker",
        f"It was claimed by {holder_of(run)}{since}, and its message is not known to have reached the "
        f"broker.{again}",
        until=still_to_come(case, at),
    )


def _start(case: WaitingCase) -> Iterator[Reason]:
    run, route = case.run, case.route(case.run)
    if route.error is not None:
        yield reason(
            WaitCause.QUEUE,
            "a queue: its route is wrong",
            f"Where its messages go cannot be found out: {route.error}.",
            remedy="correct `task_routes` or the run's queue (`tickerq check`)",
        )
        return
    consumers = case.consumers(route.queue)
    if not consumers:
        yield _queue(case, route.queue or run.queue or "its queue")
        return
    on_other_broker = _on_another_broker(case, consumers)
    if on_other_broker is not None:
        yield on_other_broker
    if any(run.function in worker.functions for worker in consumers):
        yield _worker(case, route.queue, consumers)
    elif any(run.function in worker.functions for worker in case.workers):
        names = listed([worker.name for worker in consumers])
        yield reason(
            WaitCause.FUNCTION,
            f"a worker of queue {route.queue} that has {run.function}",
            f"No worker of queue {route.queue} has function {run.function}: {names} would return it.",
            remedy=f"start a worker that has {run.function} for queue {route.queue}",
        )


def _queue(case: WaitingCase, queue: str) -> Reason:
    nodes = [f"{worker.name} (queues {listed(worker.queues)})" for worker in case.workers]
    alive = f"Alive: {listed(nodes)}." if nodes else "No worker is alive."
    silent = [
        f"{node.name} (since {moment(node.seen_at)})"
        for node in case.facts.nodes
        if queue in node.queues and not node.takes_runs
    ]
    gone = [f"Silent or shutting down, of those that consume it: {listed(silent)}."] if silent else []
    others = " ".join([alive, *gone, *lost(case, queue)])
    return reason(
        WaitCause.QUEUE,
        f"a worker that consumes queue {queue}",
        f"It was published{_published(case)} to queue {queue}, which no live worker consumes. {others}",
        remedy=f"start a worker for it, `celery -A yourapp worker -Q {queue}`",
    )


def _worker(case: WaitingCase, queue: str | None, consumers: Sequence[NodeView]) -> Reason:
    run = case.run
    where = "its queue" if queue is None else f"queue {queue}"
    names = [f"{worker.name} ({_load(worker)})" for worker in consumers]
    before = before_it(case.facts.before, "unstarted run")
    again = "" if run.check_at is None else f" {swept(case, run.check_at, _PUBLISH_AGAIN)}"
    return reason(
        WaitCause.WORKER,
        f"a worker of {where} to start it",
        f"It was published{_published(case)} to {where}, and no worker has started it.{before} Live workers: "
        f"{listed(names)}. One may be busy, or keep it among its prefetched messages.{again}",
        until=still_to_come(case, run.check_at),
        remedy="start more workers for the queue, or lower `worker_prefetch_multiplier`",
    )


def _published(case: WaitingCase) -> str:
    at = case.run.published_at
    return "" if at is None else f" {moment(at)}"


def _load(worker: NodeView) -> str:
    size = "" if worker.concurrency is None else f" of {worker.concurrency}"
    return f"{worker.running}{size} in progress"


def _on_another_broker(case: WaitingCase, consumers: Sequence[NodeView]) -> Reason | None:
    """Return that those who consume the queue are on another broker than the process that published."""
    publisher = next((node for node in case.facts.nodes if node.name == case.run.lock_holder), None)
    here = case.outside.broker_address if publisher is None else publisher.broker
    if here is None or any(worker.broker in (None, here) for worker in consumers):
        return None
    names = [f"{worker.name} (broker {worker.broker})" for worker in consumers]
    return reason(
        WaitCause.BROKER,
        f"a consumer on broker {here}",
        f"It was published to broker {here}, and those that consume its queue are on another one: "
        f"{listed(names)}. Unless both are one broker, its message does not reach them.",
        remedy="give beats and workers one `broker_url`",
    )


def _report(case: WaitingCase) -> Reason:
    run = case.run
    consumers = [worker.name for worker in case.consumers(run.queue)]
    known = f"It is the call of a Celery task, published{_published(case)}"
    retried = f"; Celery retries its message (retry {run.retry_count})" if run.retry_count else ""
    if consumers:
        who = f"Live workers that may report it: {listed(consumers)}."
    else:
        queue = "its queue" if run.queue is None else f"queue {run.queue}"
        who = f"No live worker of this namespace consumes {queue} and would report it."
    is_kept = run.check_at is None or run.check_at >= NEVER
    until = None if is_kept else run.check_at
    end = (
        "Its children wait for that report, however long it takes."
        if until is None
        else swept(case, until, _END_UNREPORTED, unless="Unless one does")
    )
    return reason(
        WaitCause.REPORT,
        "a worker's report of its Celery task",
        f"{known}{retried}: what Celery says of it is all that is known. {who} {end}",
        until=still_to_come(case, until),
        remedy=f"start a worker with this TickerQ for its queue, or give it up, `tickerq cancel {run.id}`",
    )
