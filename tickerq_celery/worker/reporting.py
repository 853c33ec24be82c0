"""Progress and log lines of running functions, written at most once a second."""

import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache, partial

from tickerq_celery.errors import RefusedValueError, StoreError
from tickerq_celery.payload.text_redaction import is_redacting
from tickerq_celery.runtime.core import Core
from tickerq_celery.store.runs import logs
from tickerq_celery.tickers.claims import Started
from tickerq_celery.tickers.progress import Report

logger = logging.getLogger(__name__)
_PAUSE = 1.0


@dataclass(frozen=True, slots=True)
class _Capture:
    report: Report
    level: int


# A context variable, since it follows a body into its coroutines, and threads run several bodies at once.
_CURRENT: ContextVar[_Capture | None] = ContextVar("tickerq_capture", default=None)


@contextmanager
def captured(report: Report, level: str | None) -> Iterator[None]:
    """Hand what the block logs, from ``level`` on, to ``report`` as well; None captures nothing."""
    if level is None:
        yield
        return
    _listen()
    token = _CURRENT.set(_Capture(report, logging.getLevelNamesMapping()[level]))
    try:
        yield
    finally:
        _CURRENT.reset(token)


class _Handler(logging.Handler):
    """Belongs to the process, and does nothing outside of a function."""

    def emit(self, record: logging.LogRecord) -> None:
        current = _CURRENT.get()
        if (
            is_redacting()
            or current is None
            or record.levelno < current.level
            or record.name.startswith("tickerq_celery.")
        ):
            return
        try:
            current.report.log(self.format(record), record.levelname)
        except Exception:  # noqa: BLE001 - arguments that do not fit their message, as every handler has it
            self.handleError(record)


@cache
def _listen() -> None:
    logging.getLogger().addHandler(_Handler())


class Reporting:
    """Opens a report for each attempt, and writes those that changed from a thread of this process."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._mutex = threading.Lock()
        self._changed: dict[Report, Started] = {}
        self._wake = threading.Event()
        self._thread_of = 0

    def begin(self, run: Started) -> Report:
        """Return the report of an attempt."""
        core = self._core
        return Report(core.clock.now, partial(self._note_change, run), redact=core.redact)

    @contextmanager
    def during(self, report: Report) -> Iterator[None]:
        """Hand captured log records of the block to ``report``, and close it afterwards."""
        try:
            with captured(report, self._core.config.capture_logs):
                yield
        finally:
            report.close()

    def flush(self) -> None:
        """Write what changed; what the store does not take now is tried again in the next round."""
        with self._mutex:
            changed, self._changed = self._changed, {}
        for report, run in changed.items():
            pending = report.pending()
            try:
                self._core.write(logs.write, run=run, pending=pending)
            except StoreError as error:
                logger.debug("the progress of run %s waits: %s", run.id, error)
                self._note_change(run, report)
            except RefusedValueError as error:
                logger.error("the progress of run %s is not recorded: %s", run.id, error)  # noqa: TRY400
                report.forget_written(pending)
            else:
                report.forget_written(pending)

    def _note_change(self, run: Started, report: Report) -> None:
        with self._mutex:
            self._changed[report] = run
            if self._thread_of != os.getpid():
                self._thread_of = os.getpid()
                threading.Thread(target=self._live, name="tickerq-progress", daemon=True).start()
        self._wake.set()

    def _live(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            try:
                self.flush()
            except Exception:
                # A report is worth less than the run that it is about, and the thread serves all of them.
                logger.exception("progress could not be written")
            time.sleep(_PAUSE)
