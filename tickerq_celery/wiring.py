"""The composition root: every part of a TickerQ, made when it is first asked for."""

import logging
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from celery import Celery

from tickerq_celery.beat import check
from tickerq_celery.broker.durable_eta import DurableSend, Keeping
from tickerq_celery.broker.embedded import transport
from tickerq_celery.broker.publisher import CeleryPublisher
from tickerq_celery.broker.revoke_watch import watch_revokes
from tickerq_celery.deferred import Deferred
from tickerq_celery.errors import TickerError, TickerValidationError
from tickerq_celery.managers.acting import Managers, entered
from tickerq_celery.managers.unit_of_work import UnitOfWork
from tickerq_celery.runs.publisher import Publisher
from tickerq_celery.runtime.urls import shown_broker
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.tickers.actor import Actor
from tickerq_celery.tickers.durable_calls import DurableCall
from tickerq_celery.tickers.surroundings import Surroundings
from tickerq_celery.worker.parts import ProcessParts, WorkerParts
from tickerq_celery.worker.step import NodeStep

if TYPE_CHECKING:
    from tickerq_celery.broker.surroundings import CelerySurroundings
    from tickerq_celery.cron.seeding import seed
    from tickerq_celery.managers.durable_calls import DurableCalls, Writes
    from tickerq_celery.managers.outbox_block import entered_block
    from tickerq_celery.runs.cancelling import Canceller
    from tickerq_celery.runs.revoker import Revoker
    from tickerq_celery.runtime.bounded_writes import BoundedWrites
else:
    seed = Deferred("tickerq_celery.cron.seeding", "seed")
    CelerySurroundings = Deferred("tickerq_celery.broker.surroundings", "CelerySurroundings")
    DurableCalls = Deferred("tickerq_celery.managers.durable_calls", "DurableCalls")
    entered_block = Deferred("tickerq_celery.managers.outbox_block", "entered_block")
    Canceller = Deferred("tickerq_celery.runs.cancelling", "Canceller")
    Revoker = Deferred("tickerq_celery.runs.revoker", "Revoker")
    BoundedWrites = Deferred("tickerq_celery.runtime.bounded_writes", "BoundedWrites")

logger = logging.getLogger(__name__)
T = TypeVar("T")
# How many seconds a cancel may wait for a broker, twice: to connect, and for an answer.
_NOTIFY_TIMEOUT = 0.5


class Parts(WorkerParts):
    """What a worker uses, and the managers: they share how they store, dispatch and cancel."""

    @cached_property
    def managers(self) -> Managers:
        """The managers, without an actor."""
        return self._managers_of(None)

    @property
    def entered(self) -> Managers:
        """The managers of the actor whose ``with`` block this context is in; else those without an actor."""
        return entered(self.managers, self.acting_as)

    def acting_as(self, actor: Actor | str) -> Managers:
        """Return managers whose verbs are an actor's.

        Raises:
            TickerValidationError: It is neither an Actor nor the name of one.
        """
        if isinstance(actor, str):
            actor = Actor(actor)
        if not isinstance(actor, Actor):
            raise TickerValidationError("actor", actor, "pass a name, or an Actor of tickerq_celery.views")
        return self._managers_of(actor)

    def _managers_of(self, actor: Actor | None) -> Managers:
        storing = UnitOfWork(
            self.core,
            self.immediate.dispatch,
            self.known_tasks,
            dispatch_calls=self.immediate.dispatch_calls,
            actor=actor,
        )
        return Managers(storing, self._canceller, self.surroundings)

    @cached_property
    def surroundings(self) -> Surroundings:
        """What the broker and Celery's router say."""
        core, conf = self.core, self.app.conf
        address = shown_broker(conf.broker_write_url or conf.broker_url or "of Celery's default")
        return CelerySurroundings(self.app, codec=core.codec, lease=core.config.lease, address=address)

    @cached_property
    def durable_calls(self) -> "DurableCalls":
        """Keeps calls of Celery tasks until they are due."""
        return DurableCalls(self.core, self._bounded_writes)

    def seed(self) -> None:
        """Store the cron tickers that this process's functions define."""
        seed(self.core)

    def close(self) -> None:
        """Close this process's connections to the store and the broker."""
        self._bounded_writes.close()
        super().close()
        self._notifier.close()

    @cached_property
    def revoker(self) -> "Revoker":
        """Cancels calls whose messages this process revokes."""
        return Revoker(self._write_in_time, self.immediate.dispatch, self.revocations.tell)

    def _write_in_time(self, work: Callable[[Transaction], T]) -> T:
        # A revocation that comes late is one all the same.
        return self._bounded_writes.write(work, undo=lambda tx: None)

    @cached_property
    def _bounded_writes(self) -> "Writes":
        config = self.core.config
        return BoundedWrites(
            self.core, config.durable_eta_timeout, connect_limit=config.durable_eta_connect_timeout
        )

    @cached_property
    def _canceller(self) -> "Canceller":
        return Canceller(self.core, self._notifier, self.immediate.dispatch, self.revocations.tell)

    @cached_property
    def _notifier(self) -> Publisher:
        core = self.core
        return CeleryPublisher(self.app, core.codec, lease=core.config.lease, connect_timeout=_NOTIFY_TIMEOUT)


def extend(app: Celery, process: ProcessParts[Parts], *, durable_eta: Callable[[], timedelta | None]) -> None:
    """Add to an app what its workers, its beats and its calls of tasks have of a TickerQ.

    ``durable_eta`` reads the setting, when a call is made.
    """
    transport.register()
    check.watch(app)
    _keep_later_calls(app, process, durable_eta)
    _cancel_revoked_calls(app, process)
    app.steps["worker"].add(type("TickerQNode", (NodeStep,), {"process": process}))


def _keep_later_calls(
    app: Celery, process: ProcessParts[Parts], after: Callable[[], timedelta | None]
) -> None:
    """Let an app's ``send_task`` keep calls of an outbox, and those later than ``durable_eta`` from now."""

    def keep(call: DurableCall) -> None:
        process.get().durable_calls.keep(call)

    def now() -> datetime:
        return process.get().core.clock.now()

    def falls_back() -> bool:
        return process.get().core.config.durable_eta_fallback is not None

    def outbox() -> Callable[[DurableCall], None] | None:
        block = entered_block(lambda: process.get().core)
        return None if block is None else block.keep

    keeping = Keeping(after=after, now=now, keep=keep, falls_back=falls_back, outbox=outbox)
    any_app: Any = app
    # Of this app alone, whatever its class.
    any_app.send_task = DurableSend(app, keeping)


def _cancel_revoked_calls(app: Celery, process: ProcessParts[Parts]) -> None:
    """Let what an app's control revokes be cancelled where it waits in the store."""

    def revoked(task_ids: Collection[str]) -> None:
        try:
            process.get().revoker.revoke(task_ids)
        except TickerError as error:
            logger.warning(
                "calls that wait in the store may not be revoked (%s): %s", ", ".join(task_ids), error
            )

    watch_revokes(app, revoked)
