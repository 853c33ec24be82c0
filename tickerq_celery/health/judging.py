"""All findings of one report, causes before what follows from them."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from tickerq_celery.enums import NodeKind
from tickerq_celery.health import (
    backlog,
    failures,
    held,
    housekeeping,
    limits,
    nodes,
    orphans,
    past_faults,
    queues,
    refusals,
    skew,
    unheeded,
)
from tickerq_celery.health.facts import Facts, Fleet
from tickerq_celery.health.findings import failure, fine
from tickerq_celery.health.queues import QueueUse
from tickerq_celery.runtime.config import TickerConfig
from tickerq_celery.tickers.health import Finding, FindingCode, Severity, Subject, SubjectKind
from tickerq_celery.tickers.node_views import NodeView, consumed_queues
from tickerq_celery.tickers.surroundings import BrokerState


def of_broker(broker: BrokerState, beats: Sequence[NodeView]) -> Iterator[Finding]:
    """Yield that the broker answers, and what beats say of it; or why it cannot be used."""
    yield broker_found(broker)
    if broker.error is None:
        yield from refusals.of_refusals(beats)


def broker_found(broker: BrokerState) -> Finding:
    """Return that the broker answers, or why it cannot be used."""
    subject = Subject(SubjectKind.BROKER, broker.address)
    if broker.error is None:
        return fine(FindingCode.BROKER, f"broker {broker.address}", subject=subject)
    return failure(
        FindingCode.BROKER,
        f"broker {broker.address} {broker.error}",
        subject=subject,
        remedy="bring it back, or correct `broker_url`; nothing is lost: runs that are due wait in the store",
    )


def of_probe(fleet: Fleet, kind: NodeKind, config: TickerConfig, *, host: str | None) -> Iterator[Finding]:
    """Yield what a probe of beats or of workers is about, and nothing else.

    What the broker refuses is a warning: no restart of a beat would help.
    """
    yield from _of_kind(kind, fleet, config, host)
    if kind is NodeKind.BEAT:
        for each in refusals.of_refusals(fleet.nodes, host=host):
            yield replace(each, severity=Severity.WARNING)


def _of_kind(
    kind: NodeKind, fleet: Fleet, config: TickerConfig, host: str | None = None
) -> Iterator[Finding]:
    return nodes.of_kind(kind, fleet.nodes, fleet.lost, at=fleet.at, late_after=config.lease, host=host)


def of_facts(
    facts: Facts, config: TickerConfig, uses: Sequence[QueueUse], *, here: str | None
) -> Iterator[Finding]:
    """Yield what follows from the facts; ``here`` is this application's broker in the form of node rows."""
    fleet, at = facts.fleet, facts.fleet.at
    present = [node for node in fleet.nodes if node.is_present]
    for kind in NodeKind:
        yield from _of_kind(kind, fleet, config)
    yield from held.of_pauses(facts.pauses, facts.paused_crons, facts.held)
    yield from skew.of_brokers(present, here)
    mine = (consumed_queues(fleet.nodes) or frozenset()).union(_queues_of(uses))
    yield from skew.of_namespaces(config.namespace, mine, facts.others, here)
    yield from queues.of_routes(uses)
    yield from queues.of_queues(uses, fleet.nodes, fleet.lost)
    beats_tick = nodes.beats_tick(fleet.nodes, at=at, late_after=config.lease)
    yield from orphans.of_orphans(
        facts.running, fleet.nodes, fleet.lost, at=at, beats_tick=beats_tick, lease=config.lease
    )
    awaited = backlog.awaited(facts.overdue, fleet.nodes)
    yield from backlog.of_overdue(
        facts.overdue,
        facts.counts,
        unstarted=queues.unstarted_elsewhere(facts.overdue.queued, uses, fleet.nodes),
        awaited=awaited,
        beats_tick=beats_tick,
        is_refused=any(node.is_refused for node in fleet.nodes),
        due_for=config.lease,
        queued_for=config.republish_after,
    )
    yield from held.of_functions(facts.held, awaited, fleet.nodes)
    yield from limits.of_limits(
        facts.held, facts.full_limits, at=at, soon=config.lease, long=config.republish_after
    )
    yield from unheeded.of_cancels(facts.unheeded)
    yield from past_faults.of_lost(facts.lost_ends)
    yield from past_faults.of_missed(facts.missed)
    yield from failures.of_failures(facts.failures)
    yield from skew.of_clocks(present)
    yield from skew.of_versions(present)
    yield from skew.of_definitions(facts.definitions, fleet.nodes)
    yield from housekeeping.of_retention(facts.past_since, at=at)
    yield from housekeeping.of_roll_up(facts.uncounted_since, at=at)
    yield from housekeeping.of_retention_names(facts.unknown_names, facts.queues)
    yield from housekeeping.of_drops(facts.dropped)


def _queues_of(uses: Sequence[QueueUse]) -> set[str]:
    return {use.queue for use in uses if use.queue is not None}
