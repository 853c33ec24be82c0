"""Explain why a run does not run: what the store knows, and what Celery and the broker say."""

from collections.abc import Collection, Sequence
from uuid import UUID

from tickerq_celery.enums import (
    RETRIABLE,
    UNSTARTED,
    HoldReason,
    TickerKind,
    TickerStatus,
    TickerType,
)
from tickerq_celery.errors import StoreError, TickerNotFoundError
from tickerq_celery.health.routing import Routes, route_of
from tickerq_celery.health.waiting import facts as waiting_facts
from tickerq_celery.health.waiting.case import Outside, WaitingCase
from tickerq_celery.health.waiting.explaining import explained
from tickerq_celery.health.waiting.facts import WaitingFacts
from tickerq_celery.managers.operations import KIND_NAMES
from tickerq_celery.managers.request_checks import misfits_of_waiting
from tickerq_celery.runtime.core import Core
from tickerq_celery.store.health import waiting
from tickerq_celery.store.health.waiting import OtherRun
from tickerq_celery.tickers.explanations import FirstHeld, RunExplanation
from tickerq_celery.tickers.node_views import NodeView
from tickerq_celery.tickers.surroundings import Surroundings


class RunExplainer:
    """Says what a run of one ``kind``, or of both, waits for."""

    def __init__(self, core: Core, surroundings: Surroundings, kind: TickerType | None) -> None:
        self._core = core
        self._surroundings = surroundings
        self._kind = kind

    def explain(self, ticker_id: UUID, nodes: Sequence[NodeView] | None) -> RunExplanation:
        """Return why a run does not run; does and raises what ``runs.explain`` does."""
        core = self._core
        found = core.read_bounded(
            waiting_facts.read, [ticker_id], self._kind, most_queued=core.config.max_queued, nodes=nodes
        )
        if not found:
            raise TickerNotFoundError(KIND_NAMES[self._kind], ticker_id)
        return self._explained(found[0])

    def explain_held(self, function: str, reasons: Collection[HoldReason]) -> tuple[FirstHeld, ...]:
        """Return why the first held runs of a function wait; does what ``runs.explain_held`` does."""
        core = self._core
        found = core.read_bounded(
            waiting_facts.read_first_held, function, reasons, most_queued=core.config.max_queued
        )
        return tuple(
            FirstHeld(
                reason=facts.run.held_for,
                held_since=facts.run.held_since,
                cron_ticker_id=facts.run.cron_ticker_id,
                explanation=self._explained(facts),
            )
            for facts in found
            # It may have gone on meanwhile.
            if facts.run.held_for is not None
        )

    def _explained(self, facts: WaitingFacts) -> RunExplanation:
        return explained(WaitingCase(facts=facts, config=self._core.config, outside=self._outside(facts)))

    def _outside(self, facts: WaitingFacts) -> Outside:
        run = facts.run
        routes = self._routes([run, *facts.slot_holders])
        if run.status in RETRIABLE and not run.is_call:
            return Outside(routes=routes, misfits=misfits_of_waiting(self._core, run, facts.registered))
        if run.held_for is HoldReason.FUNCTION:
            return Outside(routes=routes, broker=self._surroundings.broker_state())
        if run.status not in UNSTARTED or not self._is_overdue(facts):
            return Outside(routes=routes)
        is_unpublished = run.status is TickerStatus.IDLE or run.published_at is None
        return Outside(
            routes=routes,
            broker=self._surroundings.broker_state() if is_unpublished else None,
            broker_address=None if is_unpublished else self._surroundings.broker_address(),
            is_locked=self._is_locked(run.id),
        )

    def _is_overdue(self, facts: WaitingFacts) -> bool:
        """Whether a run should have been claimed, published or started by now."""
        run = facts.run
        since = run.due_at if run.status is TickerStatus.IDLE else run.locked_at
        return since is not None and facts.at - since > self._core.config.late_after

    def _is_locked(self, ticker_id: UUID) -> bool:
        # Not within the bounded read, whose transaction can take no lock.
        try:
            return self._core.read(waiting.is_locked, ticker_id)
        except StoreError:
            return False

    def _routes(self, runs: Collection[OtherRun]) -> Routes:
        asked = {(run.function, run.queue) for run in runs if run.kind is TickerKind.FUNCTION}
        return {(name, queue): route_of(self._surroundings, name, queue) for name, queue in asked}
