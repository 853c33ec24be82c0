"""The loop of one beat: fire cron tickers, dispatch, sweep, give signs of life; and wait out what is away."""

import logging
import random
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

from celery import Celery

from tickerq_celery.beat.entry_reconciler import EntryKeeper
from tickerq_celery.beat.entry_rows import Entry
from tickerq_celery.beat.interruption import Interrupted, Interruption, within
from tickerq_celery.beat.sweeper import Sweeper
from tickerq_celery.broker.publisher import CeleryPublisher
from tickerq_celery.cron.firing import Firing
from tickerq_celery.enums import NodeKind
from tickerq_celery.errors import PublishError, SchemaError, StoreError
from tickerq_celery.runs.claimer import Claimer
from tickerq_celery.runs.dispatcher import Dispatcher
from tickerq_celery.runs.recorder import Recorder
from tickerq_celery.runtime.backoff import Backoff
from tickerq_celery.runtime.core import Core, new_identity
from tickerq_celery.runtime.node import NodeRegistration, profile
from tickerq_celery.store import cron_tickers, nodes, rates
from tickerq_celery.store.database.schema import verify
from tickerq_celery.store.database.transaction import Transaction

logger = logging.getLogger(__name__)
_CONNECT_TIMEOUT = 2.0
_ANSWER_TIMEOUT = 5.0
_LONGEST_PAUSE = 5.0
_SHORTEST_WAIT = timedelta(milliseconds=50)
# So many sweeps happen in the time after which an unpublished claim, or a silent node, is looked at again.
# With the default settings two sweeps are at most 10 / 8 * 1.25 = 1.6 s apart. Hence the batch of a killed
# beat is published 10 + 1.6 = 11.6 s after its claim at the latest. And a dead worker is found after
# 1.6 (its last heartbeat is seen) + 30 (the lease) + 1.6 = 33.2 s at the latest.
_SWEEPS = 8
_SHORTEST_SWEEP = timedelta(seconds=0.1)
_SWEEP_JITTER = 0.25
# For how many seconds a batch may put a signal off, and how many the farewells to the store and to the broker
# may take: less where something hangs, so that beat ends within 5 s also where both of them do.
_PATIENCE = 1.5
_LEAVING = 1.5
_LETTING_GO = 0.4


class BeatLoop:
    """One beat's work: fire crons, dispatch, sweep, give signs of life; and wait out what is away."""

    def __init__(self, app: Celery, shared: Core, entries: Sequence[Entry]) -> None:
        config = shared.config
        # A beat inside a worker is a process of its own, and so a node of its own.
        self._core = replace(shared, node=new_identity(config.node_identifier))
        self._publisher = CeleryPublisher(
            app, shared.codec, connect_timeout=_CONNECT_TIMEOUT, answer_timeout=_ANSWER_TIMEOUT
        )
        claimer = Claimer(self._core)
        self._interruption = Interruption(_PATIENCE)
        self._dispatcher = Dispatcher(
            self._core, claimer, self._publisher, must_stop=lambda: self._interruption.is_asked
        )
        self._firing = Firing(self._core)
        self._sweeper = Sweeper(
            self._core,
            claimer,
            self._dispatcher,
            Recorder(self._core),
            self._publisher,
        )
        self._keeper = EntryKeeper(self._core, entries)
        me = profile(self._core, NodeKind.BEAT, entries=self._keeper.keys)
        self._presence = NodeRegistration(me)
        self._sweep_every = max(min(config.publish_check, config.heartbeat) / _SWEEPS, _SHORTEST_SWEEP)
        self._sweep_at = 0.0
        self._beat_at = 0.0
        self._is_verified = False
        self._is_closed = False
        self._away: Exception | None = None
        self._backoff = Backoff(config.poll_interval.total_seconds(), _LONGEST_PAUSE)
        self._stuck_for = timedelta(0)

    def tick(self) -> float:
        poll = self._core.config.poll_interval.total_seconds()
        return self._interruption.run(self._tick, otherwise=poll)

    def _tick(self) -> float:
        try:
            seconds = self._step()
        except (StoreError, PublishError) as error:
            return self._wait_out(error)
        except SchemaError:
            raise
        except Exception:
            # Beat ends when a tick raises, and nothing would be scheduled any more.
            logger.exception("a tick failed")
            return self._core.config.poll_interval.total_seconds()
        if self._away is not None:
            logger.warning(
                "beat goes on: the %s answers again",
                "broker" if isinstance(self._away, PublishError) else "store",
            )
        self._away = None
        self._backoff.reset()
        return seconds

    def close(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        try:
            if self._is_verified:
                self._leave()
        finally:
            for let_go in (self._publisher.close, self._core.database.close):
                with suppress(Interrupted):
                    within(_LETTING_GO, let_go)

    def _leave(self) -> None:
        seconds = _LETTING_GO if self._interruption.had_to_force else _LEAVING
        try:
            within(seconds, self._remove_node)
        except (StoreError, Interrupted) as error:
            reason = error if isinstance(error, StoreError) else f"no answer in {seconds} s"
            logger.warning("could not remove this beat's row, another beat will: %s", reason)

    def _remove_node(self) -> None:
        self._core.write(nodes.remove, self._core.node.id)

    def _step(self) -> float:
        if not self._is_verified:
            verify(self._core.database)
            self._is_verified = True
        self._sign_of_life()
        if isinstance(self._away, PublishError):
            # A tick that has nothing to publish would not notice that the broker is still away.
            self._publisher.connect()
        # The sweep first: what it makes due is dispatched in the same tick.
        is_full = self._sweep_in_turn()
        wait = self._work()
        if is_full:
            return 0.0
        rest = self._sweep_at - self._core.clock.monotonic()
        return max(0.0, min(wait.total_seconds(), rest, self._core.config.poll_interval.total_seconds()))

    def _work(self) -> timedelta:
        """Fire and dispatch what is due; return how long there is nothing more to do."""
        due, wait = self._next_due()
        if wait > timedelta(0):
            self._stuck_for = timedelta(0)
            return wait
        is_full = self._fire()
        # Reach the broker first: the wait for it must not happen while the signals are kept off.
        self._publisher.connect()
        with self._interruption.put_off():
            is_full = self._dispatcher.dispatch(holder=self._core.node.name) or is_full
        still_due, wait = self._next_due()
        if is_full or wait > timedelta(0) or still_due != due:
            self._stuck_for = timedelta(0)
            return timedelta(0) if is_full else wait
        # What is due is locked elsewhere, or cannot be read: asking without a pause would not help.
        self._stuck_for = min(max(self._stuck_for * 2, _SHORTEST_WAIT), self._core.config.poll_interval)
        return self._stuck_for

    def _fire(self) -> bool:
        try:
            return self._firing.fire()
        except StoreError:
            raise
        except Exception:
            # What is due already must not wait for the cron tickers to be put right.
            logger.exception("cron tickers could not be fired")
            return False

    def _sign_of_life(self) -> None:
        now = self._core.clock.monotonic()
        if now < self._beat_at:
            return
        self._core.write(self._presence.beat)
        self._beat_at = now + self._core.config.heartbeat.total_seconds()

    def _sweep_in_turn(self) -> bool:
        """Sweep if it is time; say whether there is more to sweep at once."""
        now = self._core.clock.monotonic()
        if now < self._sweep_at:
            return False
        # Several beats should not sweep in step.
        jitter = random.uniform(1 - _SWEEP_JITTER, 1 + _SWEEP_JITTER)  # noqa: S311 - not a secret
        self._sweep_at = now + self._sweep_every.total_seconds() * jitter
        self._keeper.keep()
        self._publisher.connect()
        with self._interruption.put_off():
            is_full = self._sweeper.sweep()
        if is_full:
            self._sweep_at = now
        return is_full

    def _next_due(self) -> tuple[datetime | None, timedelta]:
        def look(tx: Transaction) -> tuple[datetime | None, timedelta]:
            moments = (cron_tickers.next_due(tx), rates.next_ready(tx))
            due = min((moment for moment in moments if moment is not None), default=None)
            if due is None:
                return None, self._core.config.poll_interval
            return due, due - tx.now

        return self._core.read(look)

    def _wait_out(self, error: Exception) -> float:
        if self._away is None:
            logger.error("beat waits: %s", error)
        self._away = error
        return self._backoff.next()
