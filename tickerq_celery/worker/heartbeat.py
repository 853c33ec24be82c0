"""Heartbeats of a worker, and the search for runs that its children lost."""

import logging
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from uuid import UUID

from tickerq_celery.broker.messages import task_id
from tickerq_celery.errors import ConfigError, StoreError
from tickerq_celery.runtime.backoff import Backoff
from tickerq_celery.runtime.core import Core
from tickerq_celery.runtime.node import NodeRegistration
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.nodes import nodes
from tickerq_celery.store.runs import starts
from tickerq_celery.tickers.claims import Started
from tickerq_celery.worker.fork_gate import fork_gate
from tickerq_celery.worker.signal_reports import Report

logger = logging.getLogger(__name__)
_AT_ONCE = 1_000
_SHORTEST_PAUSE, _LONGEST_PAUSE = 1.0, 5.0


@dataclass(frozen=True, slots=True)
class _Key:
    id: UUID
    claim_no: int


class Heartbeat:
    """Beats for one node, and finds the runs that are InProgress under it but that it does not execute.

    ``held_claims`` returns the Celery task ids of what this worker executes; ``on_missing`` is called for
    a run that was missing from them in two beats in a row, ``on_request`` in each beat for one that is to
    be cancelled.
    """

    def __init__(
        self,
        core: Core,
        registration: NodeRegistration,
        *,
        held_claims: Callable[[], Collection[str]],
        on_missing: Callable[[Started], None],
        on_request: Callable[[Started], None],
    ) -> None:
        self._core = core
        self._registration = registration
        self._held_claims = held_claims
        self._on_missing = on_missing
        self._on_request = on_request
        self._suspects: set[_Key] = set()

    def beat(self) -> None:
        """Beat once and compare; a node that was declared dead registers again.

        Raises:
            StoreError: The database cannot be reached.
        """
        self._registration.measure()
        if not self._core.write(self._registration.beat):
            name = self._registration.profile.name
            logger.warning("node %s had been declared dead, it registers again", name)
        self._compare()

    def stop(self) -> None:
        """Let the next beat say that the node takes no more runs."""
        self._registration.stop()

    def leave(self) -> None:
        """Remove the node's row, unless runs are still InProgress under it."""
        self._core.write(self._leave)

    def _compare(self) -> None:
        # Read the rows first: a run that ends in between is then missing from neither.
        rows = self._core.read(self._running)
        held = self._held_claims()
        missing = {
            _Key(run.id, run.claim_no): run for run in rows if task_id(run.id, run.claim_no) not in held
        }
        for key in self._suspects & missing.keys():
            self._on_missing(missing[key])
        self._suspects = set(missing)
        for run in rows:
            if run.cancel_request is not None:
                self._on_request(run)

    def _running(self, tx: Transaction) -> list[Started]:
        return starts.running_under(tx, self._registration.profile.id, limit=_AT_ONCE)

    def _leave(self, tx: Transaction) -> None:
        if not starts.running_under(tx, self._registration.profile.id, limit=1):
            nodes.remove(tx, self._registration.profile.id)


class HeartbeatThread(threading.Thread):
    """Enrols a worker, then beats every ``interval`` seconds and writes reports, until stopped.

    ``count`` is called after each beat, and once more at the end. An outage of the database is logged once,
    and waited out.
    """

    def __init__(
        self,
        heartbeat: Heartbeat,
        interval: float,
        *,
        enrol: Callable[[], None],
        reports: SimpleQueue[Report],
        handle: Callable[[Report], None],
        count: Callable[[], None],
        refused: Callable[[ConfigError], None],
    ) -> None:
        super().__init__(name="tickerq-heartbeat", daemon=True)
        self._heartbeat = heartbeat
        self._interval = interval
        self._enrol = enrol
        self._reports = reports
        self._handle_report = handle
        self._count = count
        self._refused = refused
        self._stopped = threading.Event()
        self._beat_at = 0.0
        self._is_paused = False
        self._backoff = Backoff(min(_SHORTEST_PAUSE, interval), min(_LONGEST_PAUSE, interval))

    def run(self) -> None:
        while not self._attempt(self._enrol):
            if self._stopped.wait(self._backoff.next()):
                return
        self._beat_at = time.monotonic() + self._interval
        while not self._stopped.is_set():
            self._write_next_report()
            if time.monotonic() >= self._beat_at:
                self._beat_and_schedule_next()

    def announce_stop(self) -> None:
        """Have the node's row say, by a beat at once, that it takes no more runs; the thread goes on."""
        self._heartbeat.stop()
        self._beat_at = 0.0

    def stop(self) -> None:
        """End the thread and remove the node's row."""
        self._stopped.set()
        self.join(timeout=self._interval + 5)
        self._attempt(self._leave)

    def _beat_and_schedule_next(self) -> None:
        self._beat_at = time.monotonic() + self._interval
        if not self._attempt(self._beat):
            # Beats count how long they saw nothing of this node: it makes up for it soon.
            self._beat_at = time.monotonic() + self._backoff.next()

    def _beat(self) -> None:
        self._heartbeat.beat()
        self._count()

    def _leave(self) -> None:
        self._heartbeat.leave()
        self._count()

    def _write_next_report(self) -> None:
        try:
            report = self._reports.get(timeout=max(0.0, min(self._beat_at - time.monotonic(), 0.5)))
        except Empty:
            return
        if not self._attempt(lambda: self._write(report)):
            self._stopped.wait(self._backoff.next())

    def _write(self, report: Report) -> None:
        try:
            self._handle_report(report)
        except StoreError:
            self._reports.put(report)
            raise

    def _attempt(self, step: Callable[[], None]) -> bool:
        try:
            with fork_gate().shut():
                step()
        except StoreError as error:
            if not self._is_paused:
                logger.error("worker paused: store unreachable (%s)", error)  # noqa: TRY400
            self._is_paused = True
            return False
        except ConfigError as error:
            self._refused(error)
            return False
        except Exception:
            # The thread must outlive whatever one step meets: without it the worker counts as dead.
            logger.exception("a heartbeat failed")
            return False
        if self._is_paused:
            logger.warning("worker resumed: store reachable")
        self._is_paused = False
        self._backoff.reset()
        return True
