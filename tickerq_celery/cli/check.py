"""What `check` finds, in the order in which an operator would look: settings, store."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from tickerq_celery import settings
from tickerq_celery.broker.address import broker_address
from tickerq_celery.broker.celery_settings import control_warning, eager_warning, flaws
from tickerq_celery.broker.routes import queue_of
from tickerq_celery.errors import SchemaError, StoreError
from tickerq_celery.extension import TickerQ
from tickerq_celery.runtime.urls import shown_store
from tickerq_celery.store import nodes
from tickerq_celery.store.database.schema import verify
from tickerq_celery.store.nodes import Node


class Verdict(Enum):
    """What a finding means: a failure ends `check` with exit code 1."""

    OK = "ok"
    WARNING = "warning"
    FAILURE = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of what `check` prints."""

    verdict: Verdict
    text: str


def findings(tickerq: TickerQ) -> Iterator[Finding]:
    """Yield what there is to say of an application whose modules are imported."""
    yield from _of_settings(tickerq)
    store = _of_store(tickerq)
    yield store
    if store.verdict is Verdict.OK:
        yield from _of_namespaces(tickerq)


def _of_settings(tickerq: TickerQ) -> Iterator[Finding]:
    app, core, config = tickerq.app, tickerq.core, tickerq.config
    refused = list(flaws(app, core.queues, config.priority_queues.values()))
    for flaw in refused:
        yield Finding(Verdict.FAILURE, str(flaw))
    if not refused:
        yield Finding(Verdict.OK, f"settings, namespace {config.namespace!r}")
    for warning in (eager_warning(app), control_warning(app, config.heartbeat)):
        if warning is not None:
            yield Finding(Verdict.WARNING, warning)
    if not settings.has_broker(app):
        yield Finding(Verdict.WARNING, "no broker is set: Celery will look for RabbitMQ on this machine")


def _of_namespaces(tickerq: TickerQ) -> Iterator[Finding]:
    """Yield the queues that workers of other namespaces on this store and broker consume as well."""
    core = tickerq.core
    live = core.read(nodes.list_live, lease=core.config.lease)
    mine = _own_queues(tickerq, live)
    here = broker_address(tickerq.app)
    shared = {
        (queue, node.namespace)
        for node in live
        if node.namespace != core.config.namespace and node.broker == here
        for queue in mine.intersection(node.queues)
    }
    for queue, other in sorted(shared):
        yield Finding(
            Verdict.FAILURE,
            f"queue {queue}: workers of namespace {other!r} consume it as well as those of "
            f"{core.config.namespace!r}: give each namespace queues of its own, or one name to both",
        )


def _own_queues(tickerq: TickerQ, live: Sequence[Node]) -> set[str]:
    """Return the queues to which this application's runs go, and those that its live workers consume."""
    core = tickerq.core
    found = {queue_of(tickerq.app, function, queue) for function, queue in core.queues.items()}
    consumed = {queue for node in live if node.namespace == core.config.namespace for queue in node.queues}
    return consumed | {queue for queue in found if queue is not None}


def _of_store(tickerq: TickerQ) -> Finding:
    database = tickerq.core.database
    try:
        verify(database)
    except (SchemaError, StoreError) as error:
        return Finding(Verdict.FAILURE, str(error))
    return Finding(Verdict.OK, f"store {shown_store(database.url)}")
