"""What is read of the store, in one transaction that only reads, to judge whether all is well."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tickerq_celery.enums import HoldReason
from tickerq_celery.functions.retention import rules_of
from tickerq_celery.health import failures
from tickerq_celery.health.failures import FailureShare
from tickerq_celery.health.housekeeping import RETENTION_GRACE
from tickerq_celery.health.parts_read import PartsRead
from tickerq_celery.health.past_faults import LATELY
from tickerq_celery.runtime.core import Core
from tickerq_celery.store.cron import cron_pauses, pauses
from tickerq_celery.store.cron.cron_pauses import PausedCron
from tickerq_celery.store.database.schema import verify_on
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.functions import functions
from tickerq_celery.store.health import (
    backlog,
    full_limits,
    held_runs,
    orphans,
    past_faults,
    unheeded_cancels,
)
from tickerq_celery.store.health.backlog import Overdue, Waiting
from tickerq_celery.store.health.full_limits import FullLimit
from tickerq_celery.store.health.held_runs import Held
from tickerq_celery.store.health.orphans import RunningOn
from tickerq_celery.store.health.past_faults import LostEnds, MissedRecord
from tickerq_celery.store.health.unheeded_cancels import UnheededCancel
from tickerq_celery.store.nodes import lost_nodes
from tickerq_celery.store.nodes import views as node_views
from tickerq_celery.store.nodes.views import DefinitionSet
from tickerq_celery.store.records import past_runs
from tickerq_celery.store.runs import counts as run_counts
from tickerq_celery.store.runs import drops
from tickerq_celery.store.stats import rollup_state
from tickerq_celery.tickers.counts import RunCounts
from tickerq_celery.tickers.flows import FunctionQueue
from tickerq_celery.tickers.node_views import LostNode, NodeState, NodeView, functions_there
from tickerq_celery.tickers.pauses import Pause

# As many as a person may still look through; findings name ten.
_MOST_LOST, _MOST_HELD, _MOST_CRONS, _MOST_UNHEEDED = 50, 20, 20, 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """Beats and workers at one moment, those of the namespace in each state, and the last that were lost."""

    at: datetime
    nodes: Sequence[NodeView]
    lost: Sequence[LostNode]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that the store says of how it is at one moment.

    ``others`` are live nodes of other namespaces. ``queues`` are the functions that this process or a live
    worker has, each with the queue that it names. ``past_since`` is when the first run ended that retention
    should have deleted long ago, ``uncounted_since`` when the first one did that the roll-up has not counted.
    ``unknown_names`` are functions that only the setting of retention names. ``running`` are the nodes
    that give no sign of life, and on which runs are in progress; ``unheeded`` are runs in progress elsewhere
    that were asked to end.
    """

    fleet: Fleet
    others: Sequence[NodeView]
    definitions: Sequence[DefinitionSet]
    overdue: Overdue
    counts: RunCounts
    waiting: Sequence[Waiting]
    queues: Mapping[str, str | None]
    held: Sequence[Held]
    full_limits: Mapping[str, FullLimit]
    running: Sequence[RunningOn]
    unheeded: Sequence[UnheededCancel]
    lost_ends: Sequence[LostEnds]
    missed: Sequence[MissedRecord]
    failures: Sequence[FailureShare]
    pauses: Sequence[Pause]
    paused_crons: Sequence[PausedCron]
    past_since: datetime | None
    uncounted_since: datetime | None
    unknown_names: Collection[str]
    dropped: Mapping[str, int]


def read_fleet(tx: Transaction) -> Fleet:
    """Return what a probe of a beat or worker needs."""
    return Fleet(
        at=tx.now,
        nodes=node_views.find(tx, namespace=tx.namespace),
        lost=_lost(tx),
    )


def read(tx: Transaction, core: Core, parts: PartsRead) -> Facts:
    """Return what a whole report needs, part by part.

    Raises:
        SchemaError: The tables are missing, or those of another version.
    """
    read, config = parts.read, core.config
    read("the schema", verify_on, tx.connection)
    every = read("beats and workers", node_views.find, tx, namespace=None)
    own = [node for node in every if node.namespace == tx.namespace]
    waiting = read("what waits", backlog.waiting, tx, queued_for=config.republish_after)
    # Claims older than a lease take no capacity: the next ones follow with a poll of a beat.
    for_capacity = backlog.for_capacity(waiting, claimed_since=tx.now - 2 * config.lease)
    present = {node.id for node in own if node.is_present}
    takes_runs = [node.id for node in own if node.takes_runs]
    held = [*read("what is held", _held, tx), *map(held_runs.held_for_capacity, for_capacity)]
    return Facts(
        fleet=Fleet(at=tx.now, nodes=own, lost=read("lost nodes", _lost, tx)),
        others=[node for node in every if node.namespace != tx.namespace and node.state is NodeState.ALIVE],
        definitions=read("functions' settings", node_views.definition_sets, tx, takes_runs),
        overdue=read("what is overdue", _overdue, tx, core, [each.flow for each in for_capacity]),
        counts=read("the counts of runs", run_counts.counts, tx),
        waiting=waiting,
        queues=read("queues", _queues, tx, core, own),
        held=held,
        full_limits=read("full limits", full_limits.find, tx, held, longer_than=config.lease),
        running=read("what runs", orphans.running_on, tx, present=present, most=_MOST_LOST),
        unheeded=read("cancellations", _unheeded, tx, core, present),
        lost_ends=read("lost attempts", past_faults.lost, tx, within=LATELY),
        missed=read("missed instants", past_faults.missed, tx, within=LATELY),
        failures=read("failures", failures.read, tx),
        pauses=read("pauses", pauses.list_pauses, tx),
        paused_crons=read("paused cron tickers", cron_pauses.paused, tx, most=_MOST_CRONS),
        past_since=read("the history", _past_since, tx, core),
        uncounted_since=read("the roll-up", rollup_state.uncounted_since, tx),
        unknown_names=read("the names that retention has", _unknown_names, tx, core),
        dropped=read("dropped messages", drops.recent, tx, within=drops.RECENT),
    )


def _overdue(tx: Transaction, core: Core, without: Sequence[FunctionQueue]) -> Overdue:
    config = core.config
    return backlog.overdue(tx, due_for=config.lease, queued_for=config.republish_after, without=without)


def _unheeded(tx: Transaction, core: Core, present: Collection[UUID]) -> Sequence[UnheededCancel]:
    asked_for = core.config.republish_after
    return unheeded_cancels.find(tx, present=present, asked_for=asked_for, most=_MOST_UNHEEDED)


def _held(tx: Transaction) -> list[Held]:
    few = (HoldReason.FUNCTION, HoldReason.LIMIT, HoldReason.PAUSED)
    under_keys = [each for reason in few for each in held_runs.held_under_keys(tx, reason, most=_MOST_HELD)]
    return [*under_keys, *held_runs.held_for_slots(tx)]


def _lost(tx: Transaction) -> list[LostNode]:
    found = lost_nodes.find(tx, namespace=tx.namespace, limit=_MOST_LOST)
    return [node for node in found if node.returned_at is None]


def _queues(tx: Transaction, core: Core, own: Sequence[NodeView]) -> Mapping[str, str | None]:
    """Return the functions that this process or a live worker has, with the queue that each names."""
    elsewhere = functions_there(own) - core.queues.keys()
    return {name: record.queue for name, record in functions.find(tx, elsewhere).items()} | core.queues


def _past_since(tx: Transaction, core: Core) -> datetime | None:
    if not core.config.auto_prune:
        return None
    return past_runs.overdue_since(tx, list(rules_of(core.config.retention)), by=RETENTION_GRACE)


def _unknown_names(tx: Transaction, core: Core) -> set[str]:
    """Return the names in the setting `retention` under which nothing was ever registered, or has run."""
    named = core.config.retention.functions.keys() - core.queues.keys()
    named -= functions.find(tx, named).keys()
    return {name for name in named if not past_runs.has_any(tx, name) and not pauses.is_named(tx, name)}
