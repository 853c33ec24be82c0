"""All that the store knows about a run that waits, read at one moment."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from tickerq_celery.enums import RETRIABLE, TERMINAL, HoldReason, NodeKind, TickerStatus, TickerType
from tickerq_celery.functions.limits import FunctionLimits
from tickerq_celery.store.cron import pauses
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.functions import functions
from tickerq_celery.store.health import wait_queues, waiting
from tickerq_celery.store.health.wait_queues import SlotHolders
from tickerq_celery.store.health.waiting import CronPause, OtherRun, Registered, WaitingRun
from tickerq_celery.store.nodes import lost_nodes, nodes
from tickerq_celery.store.nodes import views as node_views
from tickerq_celery.store.runs.holds import BY_CLAIM
from tickerq_celery.tickers.claims import slot_of
from tickerq_celery.tickers.counts import Count
from tickerq_celery.tickers.node_views import LostNode, NodeView, functions_there
from tickerq_celery.tickers.pauses import Pause

_NONE = Count(0)
_MOST_LOST = 100
_IN_LINE = frozenset({HoldReason.LIMIT, HoldReason.KEY, HoldReason.RATE, HoldReason.OVERLAP})


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingFacts:
    """A run and what may hold it; what does not matter to it is not read, and empty here.

    ``limits`` are the strictest of the workers that have its function. ``pauses`` are those that cover it,
    ``names`` what its function may have been meant to be, ``lost`` the workers that were found dead last.
    ``queued`` counts the runs in its queue that no worker has started, ``ahead`` those of its function among
    them, ``before`` those that come before it where it waits in a queue.
    """

    at: datetime
    run: WaitingRun
    nodes: Sequence[NodeView] = ()
    lost: Sequence[LostNode] = ()
    registered: Registered | None = None
    names: frozenset[str] = frozenset()
    held_first: datetime | None = None
    limits: FunctionLimits | None = None
    of_function: SlotHolders | None = None
    of_key: SlotHolders | None = None
    pauses: Sequence[Pause] = ()
    cron_pause: CronPause | None = None
    parent: OtherRun | None = None
    lock_holder: OtherRun | None = None
    queued: int = 0
    ahead: int = 0
    before: Count = _NONE

    @property
    def is_due(self) -> bool:
        """Whether a claim may take it now, as far as its row says."""
        return self.run.due_at is not None and self.run.due_at <= self.at

    @property
    def slot_holders(self) -> Sequence[OtherRun]:
        """The runs that hold the slots it waits for, as far as they are shown."""
        return [each for some in (self.of_function, self.of_key) if some for each in some.shown]


def read(
    tx: Transaction, ticker_id: UUID, type: TickerType | None, *, most_queued: int
) -> WaitingFacts | None:
    """Return what is known about a run of this ``type``, or None where there is none.

    Some twenty statements at most, each of which reads few rows; of its queue no more than ``most_queued``.
    """
    run = waiting.find(tx, ticker_id, type)
    if run is None:
        return None
    facts = WaitingFacts(at=tx.now, run=run)
    if run.status in TERMINAL and run.status not in RETRIABLE:
        return facts
    facts = replace(facts, nodes=node_views.find(tx, namespace=tx.namespace))
    if not run.is_call:
        facts = _with_function(tx, facts)
    if run.status in RETRIABLE:
        return _with_pauses(tx, facts)
    if run.status is TickerStatus.IDLE:
        facts = _with_holds(tx, facts)
        is_claimed_next = facts.is_due or run.held_for in BY_CLAIM
        return _with_limits(tx, facts, most_queued) if is_claimed_next else facts
    if run.status is TickerStatus.QUEUED and run.published_at is not None:
        return replace(facts, before=wait_queues.published_before(tx, run), lost=_lost(tx))
    if run.status is TickerStatus.IN_PROGRESS and all(node.id != run.running_on for node in facts.nodes):
        return replace(facts, lost=_lost(tx))
    return facts


def _with_function(tx: Transaction, facts: WaitingFacts) -> WaitingFacts:
    name = facts.run.function
    facts = replace(facts, registered=waiting.registered(tx, name))
    if name in functions_there(facts.nodes):
        return facts
    facts = replace(facts, names=frozenset(functions.some_names(tx)), held_first=waiting.held_first(tx, name))
    return replace(facts, lost=_lost(tx))


def _lost(tx: Transaction) -> Sequence[LostNode]:
    return lost_nodes.find(tx, namespace=tx.namespace, kind=NodeKind.WORKER, limit=_MOST_LOST)


def _with_pauses(tx: Transaction, facts: WaitingFacts) -> WaitingFacts:
    run = facts.run
    if run.is_manual:
        return facts
    covering = [each for each in pauses.list_pauses(tx) if each.covers(run.function, run.tags)]
    cron_pause = None if run.cron_ticker_id is None else waiting.cron_pause(tx, run.cron_ticker_id)
    return replace(facts, pauses=covering, cron_pause=cron_pause)


def _with_holds(tx: Transaction, facts: WaitingFacts) -> WaitingFacts:
    run, facts = facts.run, _with_pauses(tx, facts)
    if run.held_for is HoldReason.PARENT:
        return replace(facts, parent=waiting.parent_of(tx, run))
    if run.held_for is HoldReason.OVERLAP and run.cron_ticker_id is not None:
        facts = replace(facts, lock_holder=waiting.lock_holder(tx, run.cron_ticker_id))
    if run.held_for in _IN_LINE:
        return replace(facts, before=wait_queues.held_before(tx, run))
    return facts


def _with_limits(tx: Transaction, facts: WaitingFacts, most_queued: int) -> WaitingFacts:
    run = facts.run
    facts = replace(facts, queued=wait_queues.queued_in(tx, run.queue, most=most_queued))
    if not run.is_call and facts.is_due:
        facts = replace(facts, ahead=wait_queues.ahead_of(tx, run))
    limits = None if run.is_call else _limits_of(tx, run.function)
    if limits is None:
        return facts
    slot = slot_of(run.function, run.concurrency_key)
    of_function = of_key = None
    most, per_key = limits.max_concurrency, limits.max_concurrency_per_key
    if most is not None:
        of_function = wait_queues.holders(tx, run.function, most=most)
    if slot is not None and per_key is not None:
        of_key = wait_queues.holders(tx, run.function, slot, most=per_key)
    return replace(facts, limits=limits, of_function=of_function, of_key=of_key)


def _limits_of(tx: Transaction, function: str) -> FunctionLimits | None:
    """Return the limits that claims keep to: the strictest of the workers, or None where none has it."""
    strictest: FunctionLimits | None = None
    for limits_by_name in nodes.function_sets(tx, nodes.worker_hashes(tx)).values():
        limits = limits_by_name.get(function)
        if limits is not None:
            strictest = limits if strictest is None else limits.stricter(strictest)
    return strictest
