"""Standard ``logging`` inside a function, kept with its run where the setting ``capture_logs`` says so."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache

from tickerq_celery.progress import Report


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
        if current is None or record.levelno < current.level or record.name.startswith("tickerq_celery."):
            return
        try:
            current.report.log(self.format(record), record.levelname)
        except Exception:  # noqa: BLE001 - arguments that do not fit their message, as every handler has it
            self.handleError(record)


@cache
def _listen() -> None:
    logging.getLogger().addHandler(_Handler())
