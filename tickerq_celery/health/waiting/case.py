"""A run that waits, with all that decides why: the store's facts, the settings, and what lies outside."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from tickerq_celery.enums import NodeKind
from tickerq_celery.health.routing import Route, Routes
from tickerq_celery.health.waiting.facts import WaitingFacts
from tickerq_celery.runtime.config import TickerConfig
from tickerq_celery.store.health.waiting import OtherRun, WaitingRun
from tickerq_celery.tickers.explanations import Wait, WaitCause
from tickerq_celery.tickers.node_views import NodeState, NodeView
from tickerq_celery.tickers.surroundings import BrokerState


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """What the store does not know; ``broker`` is None where it was not asked for.

    ``misfits`` are the fields of the stored request of a run that could be retried which its function does
    not take now, None where that is unknown here.
    """

    routes: Routes = field(default_factory=dict)
    broker: BrokerState | None = None
    broker_address: str | None = None
    is_locked: bool = False
    misfits: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingCase:
    """One run and what may hold it."""

    facts: WaitingFacts
    config: TickerConfig
    outside: Outside

    @property
    def run(self) -> WaitingRun:
        """The run."""
        return self.facts.run

    @property
    def at(self) -> datetime:
        """The moment of the facts."""
        return self.facts.at

    @property
    def workers(self) -> Sequence[NodeView]:
        """The live workers of the namespace."""
        return [node for node in self.facts.nodes if node.takes_runs]

    def nodes_of(self, kind: NodeKind, *states: NodeState) -> Sequence[NodeView]:
        """Return the nodes of a kind that are in one of the states."""
        return [node for node in self.facts.nodes if node.kind is kind and node.state in states]

    def consumers(self, queue: str | None) -> Sequence[NodeView]:
        """Return the live workers that consume a queue, or may, as they do not say or it has no name."""
        return [node for node in self.workers if queue is None or not node.queues or queue in node.queues]

    def route(self, run: OtherRun) -> Route:
        """Return where a run's messages go."""
        return self.outside.routes.get((run.function, run.queue), Route(queue=run.queue))


def holder_of(run: OtherRun) -> str:
    """Return the name of the node that has a run."""
    return run.lock_holder or "its node"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """A wait, and the few words for it in a line."""

    short: str
    wait: Wait


def reason(
    cause: WaitCause,
    short: str,
    text: str,
    *,
    until: datetime | None = None,
    remedy: str | None = None,
    error_head: str | None = None,
) -> Reason:
    """Return a wait with its few words."""
    wait = Wait(cause=cause, text=text, until=until, remedy=remedy, error_head=error_head)
    return Reason(short=short, wait=wait)
