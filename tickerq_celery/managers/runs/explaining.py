"""Explain why a run does not run: what the store knows, and what Celery and the broker say."""

from collections.abc import Collection
from uuid import UUID

from tickerq_celery import validation
from tickerq_celery.enums import HoldReason, TickerKind, TickerStatus, TickerType
from tickerq_celery.errors import StoreError, TickerNotFoundError
from tickerq_celery.health.routing import Routes, route_of
from tickerq_celery.health.waiting import facts as waiting_facts
from tickerq_celery.health.waiting.case import Outside, WaitingCase
from tickerq_celery.health.waiting.explaining import explained
from tickerq_celery.health.waiting.facts import WaitingFacts
from tickerq_celery.managers.operations import KIND_NAMES
from tickerq_celery.runtime.core import Core
from tickerq_celery.store.health import waiting
from tickerq_celery.store.health.waiting import OtherRun
from tickerq_celery.tickers.explanations import RunExplanation
from tickerq_celery.tickers.surroundings import Surroundings


class RunExplaining:
    """What a run of one ``kind``, or of both, waits for."""

    _core: Core
    _kind: TickerType | None
    _surroundings: Surroundings

    def explain(self, ticker_id: UUID | str) -> RunExplanation:
        """Return why a run does not run: all that it waits for, in words, and who or what changes that.

        One that is in progress or has ended waits for nothing; its explanation says where, since when, and
        how it ended. The broker is asked only for a run that should have been published by now, or that is
        held as no worker has its function.

        Raises:
            TickerNotFoundError: There is no such run.
        """
        ticker_id = validation.identifier(ticker_id)
        core = self._core
        most_queued = core.config.max_queued
        facts = core.read_bounded(waiting_facts.read, ticker_id, self._kind, most_queued=most_queued)
        if facts is None:
            raise TickerNotFoundError(KIND_NAMES[self._kind], ticker_id)
        return explained(WaitingCase(facts=facts, config=core.config, outside=self._outside(facts)))

    def _outside(self, facts: WaitingFacts) -> Outside:
        run = facts.run
        routes = self._routes([run, *facts.slot_holders])
        if run.held_for is HoldReason.FUNCTION:
            return Outside(routes=routes, broker=self._surroundings.broker_state())
        if run.status not in {TickerStatus.IDLE, TickerStatus.QUEUED} or not self._is_overdue(facts):
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
