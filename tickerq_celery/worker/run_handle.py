"""What a context is given to speak about its run: completion, reports and control, behind one handle."""

from tickerq_celery.tickers.progress import Report
from tickerq_celery.tickers.sessions import SessionLike
from tickerq_celery.worker.completion import Completion
from tickerq_celery.worker.run_control import RunControl


class ExecutingRun:
    """The ``RunHandle`` of an attempt that a worker executes."""

    def __init__(self, completion: Completion, report: Report, control: RunControl) -> None:
        self._completion = completion
        self._report = report
        self._control = control

    def complete_in(self, session: SessionLike, *, result: object) -> None:
        self._completion.complete_in(session, result=result)

    def report_progress(self, fraction: float, message: str | None) -> None:
        self._report.progress(fraction, message)

    def log(self, text: str, level: str) -> None:
        self._report.log(text, level)

    def is_cancellation_requested(self) -> bool:
        return self._control.is_requested()

    def request_cancellation(self) -> None:
        self._control.request()

    def ensure_owned(self) -> None:
        self._control.ensure_owned()

    def skip_if_already_running(self) -> None:
        self._control.skip_if_already_running()
