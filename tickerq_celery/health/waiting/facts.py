"""All that the store knows about a run that waits, read at one moment."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from uuid import UUID

from tickerq_celery.enums import RETRIABLE, TERMINAL, HoldReason, NodeKind, TickerStatus, TickerType
from tickerq_celery.functions.limits import FunctionLimits
from tickerq_celery.store.cron import pauses
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.functions import functions
from tickerq_celery.store.health import wait_queues, waiting
from tickerq_celery.store.health.wait_queues import Counting, SlotHolders
from tickerq_celery.store.health.waiting import CronPause, OtherRun, Registered, WaitingRun
from tickerq_celery.store.nodes import lost_nodes
from tickerq_celery.store.nodes import nodes as node_rows
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
    tx: Transaction,
    ids: Collection[UUID],
    type: TickerType | None,
    *,
    most_queued: int,
    nodes: Sequence[NodeView] | None = None,
) -> list[WaitingFacts]:
    """Return what is known about those of some runs of this ``type`` that are there.

    A dozen statements at most for all of them, and three more for each that waits for a run or a slot; each
    reads few rows, of a queue no more than ``most_queued``. ``nodes`` are read where they are not given.
    """
    reading = _Reading(tx, waiting.find(tx, ids, type), most_queued=most_queued, nodes=nodes)
    facts = [reading.facts_of(run) for run in reading.runs]
    return [reading.with_counts(each) for each in facts]


def read_first_held(
    tx: Transaction, function: str, reasons: Collection[HoldReason], *, most_queued: int
) -> list[WaitingFacts]:
    """Return the same about the run of a function that comes first of those that are held for each reason."""
    return read(tx, waiting.first_held(tx, function, reasons), None, most_queued=most_queued)


class _Reading:
    """Reads what some runs wait for: once, and only where it matters, what they have in common."""

    def __init__(
        self,
        tx: Transaction,
        runs: Sequence[WaitingRun],
        *,
        most_queued: int,
        nodes: Sequence[NodeView] | None,
    ) -> None:
        self.runs = runs
        self._tx = tx
        self._most_queued = most_queued
        self._given = nodes
        self._first: dict[str, datetime | None] = {}
        self._counts: dict[tuple[UUID, str], Counting] = {}

    def facts_of(self, run: WaitingRun) -> WaitingFacts:
        """Return what is known about a run, but for what is counted."""
        facts = WaitingFacts(at=self._tx.now, run=run)
        if run.status in TERMINAL and run.status not in RETRIABLE:
            return facts
        facts = replace(facts, nodes=self._nodes_of(run))
        if not run.is_call:
            facts = self._with_function(facts)
        if run.status in RETRIABLE:
            return self._with_pauses(facts)
        if run.status is TickerStatus.IDLE:
            facts = self._with_holds(facts)
            is_claimed_next = facts.is_due or run.held_for in BY_CLAIM
            return self._with_limits(facts) if is_claimed_next else facts
        if run.status is TickerStatus.QUEUED and run.published_at is not None:
            self._count(run, "before", wait_queues.published_before(self._tx, run))
            return replace(facts, lost=self._lost)
        if run.status is TickerStatus.IN_PROGRESS and not _has_worker(run, facts.nodes):
            return replace(facts, lost=self._lost)
        return facts

    def with_counts(self, facts: WaitingFacts) -> WaitingFacts:
        """Return the same with what is counted of all of the runs by one statement."""
        queued, ahead, before = (
            self._counted.get((facts.run.id, each), 0) for each in ("queued", "ahead", "before")
        )
        return replace(facts, queued=queued, ahead=ahead, before=Count(before))

    @cached_property
    def _counted(self) -> Mapping[tuple[UUID, str], int]:
        return wait_queues.counted(self._tx, self._counts)

    def _count(self, run: WaitingRun, name: str, count: Counting) -> None:
        self._counts[run.id, name] = count

    def _nodes_of(self, run: WaitingRun) -> Sequence[NodeView]:
        given = self._given
        # The worker of one in progress may have come since those were read.
        is_known = run.status is not TickerStatus.IN_PROGRESS or given is None or _has_worker(run, given)
        return given if given is not None and is_known else self._nodes

    @cached_property
    def _nodes(self) -> Sequence[NodeView]:
        return node_views.find(self._tx, namespace=self._tx.namespace)

    @cached_property
    def _lost(self) -> Sequence[LostNode]:
        namespace = self._tx.namespace
        return lost_nodes.find(self._tx, namespace=namespace, kind=NodeKind.WORKER, limit=_MOST_LOST)

    @cached_property
    def _pauses(self) -> Sequence[Pause]:
        return pauses.list_pauses(self._tx)

    @cached_property
    def _cron_pauses(self) -> Mapping[UUID, CronPause]:
        ids = {run.cron_ticker_id for run in self.runs if run.cron_ticker_id is not None}
        return waiting.cron_pauses(self._tx, ids)

    @cached_property
    def _registered(self) -> Mapping[str, Registered]:
        return waiting.registered(self._tx, {run.function for run in self.runs if not run.is_call})

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(functions.some_names(self._tx))

    @cached_property
    def _limits(self) -> Sequence[Mapping[str, FunctionLimits]]:
        return node_rows.function_sets_of_workers(self._tx)

    def _with_function(self, facts: WaitingFacts) -> WaitingFacts:
        name = facts.run.function
        facts = replace(facts, registered=self._registered.get(name))
        if name in functions_there(facts.nodes):
            return facts
        return replace(facts, names=self._names, held_first=self._held_first(name), lost=self._lost)

    def _held_first(self, name: str) -> datetime | None:
        if name not in self._first:
            self._first[name] = waiting.held_first(self._tx, name)
        return self._first[name]

    def _with_pauses(self, facts: WaitingFacts) -> WaitingFacts:
        run = facts.run
        if run.is_manual:
            return facts
        covering = [each for each in self._pauses if each.covers(run.function, run.tags)]
        own = None if run.cron_ticker_id is None else self._cron_pauses.get(run.cron_ticker_id)
        return replace(facts, pauses=covering, cron_pause=own)

    def _with_holds(self, facts: WaitingFacts) -> WaitingFacts:
        run, facts = facts.run, self._with_pauses(facts)
        if run.held_for is HoldReason.PARENT:
            return replace(facts, parent=waiting.parent_of(self._tx, run))
        if run.held_for is HoldReason.OVERLAP and run.cron_ticker_id is not None:
            facts = replace(facts, lock_holder=waiting.lock_holder(self._tx, run.cron_ticker_id))
        if run.held_for in _IN_LINE:
            self._count(run, "before", wait_queues.held_before(self._tx, run))
        return facts

    def _with_limits(self, facts: WaitingFacts) -> WaitingFacts:
        tx, run = self._tx, facts.run
        self._count(run, "queued", wait_queues.queued_in(tx, run.queue, most=self._most_queued))
        if run.is_call:
            return facts
        if facts.is_due:
            self._count(run, "ahead", wait_queues.ahead_of(tx, run))
        limits = self._limits_of(run.function)
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

    def _limits_of(self, function: str) -> FunctionLimits | None:
        """Return the limits that claims keep to: the strictest of the workers; None where none has it."""
        strictest: FunctionLimits | None = None
        for limits_by_name in self._limits:
            limits = limits_by_name.get(function)
            if limits is not None:
                strictest = limits if strictest is None else limits.stricter(strictest)
        return strictest


def _has_worker(run: WaitingRun, nodes: Sequence[NodeView]) -> bool:
    return any(node.id == run.running_on for node in nodes)
