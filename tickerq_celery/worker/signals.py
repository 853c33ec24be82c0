"""Handle Celery's signals for tasks that crashed, timed out, were revoked or are unknown."""

import logging
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from queue import SimpleQueue
from typing import Any
from uuid import UUID

from billiard.exceptions import TimeLimitExceeded, WorkerLostError
from celery import signals
from celery.utils.dispatch import Signal

from tickerq_celery.broker.messages import parsed_task_id
from tickerq_celery.enums import DropReason, TickerStatus
from tickerq_celery.errors import PublishError
from tickerq_celery.runs.publisher import Publisher
from tickerq_celery.runs.recorder import Recorder
from tickerq_celery.runs.rescue import rescue
from tickerq_celery.runtime.core import Core
from tickerq_celery.store import publications, starts
from tickerq_celery.tickers.claims import Started
from tickerq_celery.tickers.lifecycle import Failure, cancelled, failed
from tickerq_celery.worker.drop_counts import DropCounter
from tickerq_celery.worker.misrouted import MisroutedLog
from tickerq_celery.worker.request import message_dropped

logger = logging.getLogger(__name__)


class SignalKind(Enum):
    """How a claim ended before its body did."""

    LOST = "lost"
    TIMED_OUT = "timed out"
    REVOKED = "revoked"
    UNKNOWN = "unknown function"


class SignalListener:
    """Connects to Celery's signals and queues what they report: the event loop must not wait for SQL."""

    def __init__(self, misrouted: MisroutedLog) -> None:
        self._misrouted = misrouted
        self.reports: SimpleQueue[SignalReport] = SimpleQueue()
        self.drops = DropCounter()
        self._receivers: tuple[tuple[Signal, Any], ...] = (
            (signals.task_failure, self._on_failure),
            (signals.task_revoked, self._on_revoked),
            (signals.task_unknown, self._on_unknown),
            (message_dropped, self._on_dropped),
        )

    def listen(self) -> None:
        """Connect to the signals of this process."""
        for signal, receiver in self._receivers:
            signal.connect(receiver, weak=False)

    def close(self) -> None:
        """Disconnect again."""
        for signal, receiver in self._receivers:
            signal.disconnect(receiver)

    def _on_failure(self, task_id: object = None, exception: object = None, **_: Any) -> None:
        if isinstance(exception, WorkerLostError):
            self._note(task_id, SignalKind.LOST, f"worker lost: {exception}")
        elif isinstance(exception, TimeLimitExceeded):
            self._note(task_id, SignalKind.TIMED_OUT, f"time limit exceeded: {exception}")

    def _on_revoked(self, request: Any = None, **_: Any) -> None:
        self._note(getattr(request, "id", None), SignalKind.REVOKED, "revoked")

    def _on_unknown(self, message: Any = None, id: object = None, name: object = None, **_: Any) -> None:
        queue = _queue_in(getattr(message, "delivery_info", None))
        self._note(id, SignalKind.UNKNOWN, f"this worker has no task {name}", queue)

    def _on_dropped(self, sender: Any, reason: DropReason, owner: str | None = None, **_: Any) -> None:
        self.drops.note(reason)
        if owner is not None:
            self._misrouted.note(owner, _queue_in(sender.delivery_info))

    def _note(self, task_id: object, kind: SignalKind, message: str, queue: str = "") -> None:
        try:
            ticker_id, claim_no = parsed_task_id(task_id)
        except ValueError:
            return  # not the task of a ticker
        report = SignalReport(ticker_id=ticker_id, claim_no=claim_no, kind=kind, message=message, queue=queue)
        self.reports.put(report)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalReport:
    """What a signal reported about one claim; ``queue`` is known of messages for an unknown task."""

    ticker_id: UUID
    claim_no: int
    kind: SignalKind
    message: str
    queue: str = ""


class SignalHandler:
    """Writes what the reports mean; each may come twice, and late."""

    def __init__(self, core: Core, recorder: Recorder, publisher: Publisher, misrouted: MisroutedLog) -> None:
        self._core = core
        self._misrouted = misrouted
        self._recorder = recorder
        self._publisher = publisher

    def handle(self, report: SignalReport) -> None:
        """Write what one report means.

        Raises:
            StoreError: The database cannot be reached.
        """
        if report.kind is SignalKind.UNKNOWN:
            self._postpone(report)
            return
        run = self._core.read(starts.running, report.ticker_id, report.claim_no)
        if run is None:
            self._end_waiting(report)
        elif report.kind is SignalKind.LOST:
            rescue(self._recorder, self._publisher, run, report.message)
        else:
            self._end(run, report)

    def lost(self, run: Started) -> None:
        """Rescue a run that two heartbeats in a row did not find among this worker's requests."""
        rescue(self._recorder, self._publisher, run, "worker lost: the process that ran it is gone")

    def _end(self, run: Started, report: SignalReport) -> None:
        if report.kind is SignalKind.TIMED_OUT:
            failure = Failure(type="billiard.exceptions.TimeLimitExceeded", message=report.message)
            outcome = failed(run.standing, failure)
        else:
            outcome = cancelled(run.standing, Failure(type="Revoked", message=report.message))
        written = self._recorder.finish(run, outcome, elapsed=None)
        if written is None:
            return
        try:
            self._publisher.publish_lost(run, report.message, status=written.status)
        except PublishError as error:
            logger.warning("the exception handler will not be called for run %s: %s", run.id, error)

    def _end_waiting(self, report: SignalReport) -> None:
        if report.kind is SignalKind.REVOKED:
            self._recorder.end_waiting(
                report.ticker_id, report.claim_no, status=TickerStatus.CANCELLED, reason=report.message
            )

    def _postpone(self, report: SignalReport) -> None:
        owner = self._recorder.return_misrouted(report.ticker_id, report.claim_no)
        if owner is not None:
            self._misrouted.note(owner, report.queue)
            return
        wait: timedelta = self._core.config.heartbeat
        postponed = self._core.write(publications.postpone, report.ticker_id, report.claim_no, wait)
        if postponed:
            logger.error("run %s waits for another worker: %s", report.ticker_id, report.message)


def _queue_in(delivery: Any) -> str:
    """Return the queue that a message came through: with Celery's own exchanges its routing key."""
    return str((delivery or {}).get("routing_key") or "")
