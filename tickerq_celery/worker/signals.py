"""Handle Celery's signals for tasks that crashed, timed out, were revoked or are unknown."""

import logging
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import timedelta
from queue import SimpleQueue
from typing import Any
from uuid import UUID

from billiard.exceptions import TimeLimitExceeded, WorkerLostError
from celery import Celery, Task, signals
from celery.utils.dispatch import Signal

from tickerq_celery.broker.messages import execution_in, execution_of_request, parsed_task_id
from tickerq_celery.enums import TickerStatus
from tickerq_celery.errors import PublishError
from tickerq_celery.runs.publisher import Publisher
from tickerq_celery.runs.recorder import Recorder
from tickerq_celery.runs.rescue import rescue
from tickerq_celery.runs.revocations import left_to_the_sweep
from tickerq_celery.runs.revoker import Revoker
from tickerq_celery.runtime.core import Core
from tickerq_celery.store.runs import lost_messages, publications, starts
from tickerq_celery.tickers.claims import Started, TaskExecution
from tickerq_celery.tickers.drop_reasons import DropReason
from tickerq_celery.tickers.lifecycle import Failure, cancelled, failed
from tickerq_celery.worker.call_reports import CallReportHandler
from tickerq_celery.worker.drop_counts import DropCounter
from tickerq_celery.worker.followed_requests import FollowedRequests, execution_of
from tickerq_celery.worker.misrouted import MisroutedLog
from tickerq_celery.worker.request import message_dropped
from tickerq_celery.worker.revoke_listener import RevokeListener
from tickerq_celery.worker.signal_reports import Report, RevokeReport, SignalKind, SignalReport

logger = logging.getLogger(__name__)
_UNREPORTED = "its task's class executes messages by a strategy of its own, and no signal says how one ended"


class SignalListener:
    """Connects to Celery's signals and queues what they report: the event loop must not wait for SQL."""

    def __init__(self, app: Celery, misrouted: MisroutedLog) -> None:
        self._app = app
        self._misrouted = misrouted
        self.reports: SimpleQueue[Report] = SimpleQueue()
        self.drops = DropCounter()
        self._followed = FollowedRequests()
        self._revokes = RevokeListener(app, self._on_revoke_command)
        self._receivers: tuple[tuple[Signal, Any], ...] = (
            (signals.task_received, self._on_received),
            (signals.task_retry, self._on_retry),
            (signals.task_failure, self._on_failure),
            (signals.task_revoked, self._on_revoked),
            (signals.task_unknown, self._on_unknown),
            (message_dropped, self._on_dropped),
        )

    def listen(self) -> None:
        """Connect to the signals of this process."""
        for signal, receiver in self._receivers:
            signal.connect(receiver, weak=False)
        self._revokes.listen()

    def close(self) -> None:
        """Disconnect again."""
        for signal, receiver in self._receivers:
            signal.disconnect(receiver)
        self._revokes.close()

    def _on_received(self, sender: Any, request: Any = None, **_: Any) -> None:
        if sender.app is not self._app:
            return
        self._followed.add(request)
        call = execution_of(request)
        if call is not None and request.task.Strategy != Task.Strategy:
            self._note(request.id, SignalKind.UNREPORTED, _UNREPORTED, call=call)

    def _on_failure(
        self, task_id: object = None, exception: object = None, kwargs: object = None, **_: Any
    ) -> None:
        if isinstance(exception, WorkerLostError):
            self._note_failure(task_id, kwargs, SignalKind.LOST, f"worker lost: {exception}")
        elif isinstance(exception, TimeLimitExceeded):
            self._note_failure(task_id, kwargs, SignalKind.TIMED_OUT, f"time limit exceeded: {exception}")

    def _on_retry(self, sender: Any, request: Any = None, reason: Any = None, **_: Any) -> None:
        # The main process sends it for a lost child with `retry_on_worker_lost`, and a body for itself.
        if isinstance(getattr(reason, "exc", None), WorkerLostError):
            call = self._call(sender, execution_of_request(request))
            message = f"worker lost: {reason.exc}"
            self._note(request.id, SignalKind.RETRIED, message, call=call, wait=_wait_of(reason))

    def _on_revoked(
        self, sender: Any, request: Any = None, terminated: object = False, expired: object = False, **_: Any
    ) -> None:
        call = self._call(sender, execution_of_request(request))
        kind = SignalKind.TERMINATED if call is not None and terminated else SignalKind.REVOKED
        message = "expired" if call is not None and expired else kind.value
        self._note(getattr(request, "id", None), kind, message, call=call)

    def _on_unknown(
        self, sender: Any, message: Any = None, id: object = None, name: object = None, **_: Any
    ) -> None:
        headers = getattr(message, "headers", None) or {}
        call = self._call(sender, execution_in(headers, headers.get("retries")))
        queue = _queue_in(getattr(message, "delivery_info", None))
        self._note(id, SignalKind.UNKNOWN, f"this worker has no task {name}", queue, call=call)

    def _on_dropped(self, sender: Any, reason: DropReason, owner: str | None = None, **_: Any) -> None:
        self.drops.note(reason)
        if owner is not None:
            self._misrouted.note(owner, _queue_in(sender.delivery_info))

    def _on_revoke_command(self, task_ids: Collection[str]) -> None:
        self.reports.put(RevokeReport(task_ids=tuple(task_ids)))

    def _call(self, sender: Any, execution: TaskExecution | None) -> TaskExecution | None:
        # Of two apps in one process each reports its own tasks.
        return execution if getattr(sender, "app", None) is self._app else None

    def _note_failure(self, task_id: object, kwargs: object, kind: SignalKind, message: str) -> None:
        self._note(task_id, kind, message, call=self._followed.accepted_with(kwargs))

    def _note(
        self,
        task_id: object,
        kind: SignalKind,
        message: str,
        queue: str = "",
        *,
        call: TaskExecution | None = None,
        wait: timedelta = timedelta(0),
    ) -> None:
        try:
            ticker_id, claim_no = (call.id, call.claim_no) if call else parsed_task_id(task_id)
        except ValueError:
            return  # not the task of a ticker
        self.reports.put(
            SignalReport(
                ticker_id=ticker_id,
                claim_no=claim_no,
                kind=kind,
                message=message,
                queue=queue,
                call=call,
                wait=wait,
            )
        )


class SignalHandler:
    """Writes what the reports mean; each may come twice, and late."""

    def __init__(
        self,
        core: Core,
        recorder: Recorder,
        publisher: Publisher,
        misrouted: MisroutedLog,
        tell: Callable[[Collection[UUID]], None] = left_to_the_sweep,
    ) -> None:
        self._core = core
        self._misrouted = misrouted
        self._recorder = recorder
        self._publisher = publisher
        self._calls = CallReportHandler(core, recorder, publisher)
        self._revoker = Revoker(core.write, tell=tell)

    def handle(self, report: Report) -> None:
        """Write what one report means.

        Raises:
            StoreError: The database cannot be reached.
        """
        if isinstance(report, RevokeReport):
            self._revoker.revoke(report.task_ids)
            return
        report = replace(report, message=self._core.redact(report.message))
        if report.call is not None:
            self._calls.handle(report, report.call)
            return
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
        elif report.kind is SignalKind.LOST:
            # A child died with the message, before its run had started.
            self._core.write(lost_messages.miss, report.ticker_id, report.claim_no)

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


def _wait_of(reason: Any) -> timedelta:
    """Return after how many seconds Celery's main process retries a task."""
    return timedelta(seconds=reason.when if isinstance(reason.when, int | float) else 0)
