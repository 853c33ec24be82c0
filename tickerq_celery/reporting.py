"""Writes what running functions report: at most once a second, and never in their way."""

import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from tickerq_celery.core import Core
from tickerq_celery.errors import StoreError
from tickerq_celery.log_capture import captured
from tickerq_celery.progress import Report
from tickerq_celery.store import logs
from tickerq_celery.store.claims import Started

logger = logging.getLogger(__name__)
_PAUSE = 1.0


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
        return Report(self._core.clock.now, partial(self._has_changed, run))

    @contextmanager
    def during(self, report: Report) -> Iterator[None]:
        """Hand captured log records of the block to ``report``, which tells nobody any more afterwards."""
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
                self._core.database.write(partial(logs.write, run=run, pending=pending))
            except StoreError as error:
                logger.debug("the progress of run %s waits: %s", run.id, error)
                self._has_changed(run, report)
            else:
                report.have_been_written(pending)

    def _has_changed(self, run: Started, report: Report) -> None:
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
