"""Record what a worker's main process learns of Celery tasks: lost, timed out, revoked, unknown."""

from tickerq_celery.enums import TickerStatus
from tickerq_celery.runs.executions import ExecutionRecorder
from tickerq_celery.runs.publisher import Publisher
from tickerq_celery.runs.recorder import Recorder
from tickerq_celery.runs.rescue import rescue
from tickerq_celery.runtime.core import Core
from tickerq_celery.store.calls import executions
from tickerq_celery.tickers.claims import Started, TaskExecution
from tickerq_celery.tickers.lifecycle import LOST, Failure, Outcome, cancelled, rejected, retried_by_celery
from tickerq_celery.worker.signal_reports import SignalKind, SignalReport

_DISCARDED = {
    SignalKind.REVOKED: TickerStatus.CANCELLED,
    SignalKind.TERMINATED: TickerStatus.CANCELLED,
    SignalKind.UNKNOWN: TickerStatus.FAILED,
}
# As which exception the end is shown that children wait for in vain.
_UNREPORTED = "OutcomeUnknown"


class CallReportHandler:
    """Writes what reports about executions mean; each may come twice, and late."""

    def __init__(self, core: Core, recorder: Recorder, publisher: Publisher) -> None:
        self._core = core
        self._recorder = recorder
        self._publisher = publisher
        self._executions = ExecutionRecorder(core, recorder)

    def handle(self, report: SignalReport, execution: TaskExecution) -> None:
        """Write what one report means.

        Raises:
            StoreError: The database cannot be reached.
        """
        if report.kind is SignalKind.UNREPORTED:
            self._executions.end_unreported(execution, Failure(type=_UNREPORTED, message=report.message))
            return
        # What was revoked without its process, or is unknown, has not begun: another message of it may have.
        may_run = report.kind not in (SignalKind.REVOKED, SignalKind.UNKNOWN)
        run = self._core.read(executions.running, execution) if may_run else None
        if run is None:
            self._discard(report, execution)
        elif report.kind is SignalKind.LOST:
            rescue(self._recorder, self._publisher, run, report.message)
        else:
            self._executions.finish(run, _outcome(run, report), elapsed=None)

    def _discard(self, report: SignalReport, execution: TaskExecution) -> None:
        status = _DISCARDED.get(report.kind)
        if status is TickerStatus.CANCELLED:
            self._executions.end_unstarted(execution, status, reason=report.message)
        elif status is not None:
            unknown = Failure(type="celery.exceptions.NotRegistered", message=report.message)
            self._executions.end_unstarted(execution, status, failure=unknown)


def _outcome(run: Started, report: SignalReport) -> Outcome:
    if report.kind is SignalKind.TIMED_OUT:
        failure = Failure(type="billiard.exceptions.TimeLimitExceeded", message=report.message)
        return rejected(run.standing, failure)
    if report.kind is SignalKind.RETRIED:
        return retried_by_celery(run.standing, Failure(type=LOST, message=report.message), report.wait)
    return cancelled(run.standing, Failure(type="Terminated", message=report.message))
