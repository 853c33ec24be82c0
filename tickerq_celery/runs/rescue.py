"""Rescue a run whose worker is gone, and have the user's exception handler called for the attempt."""

import logging
from typing import Protocol

from tickerq_celery.enums import TickerStatus
from tickerq_celery.errors import PublishError
from tickerq_celery.failpoints import Place, failpoint
from tickerq_celery.runs.recorder import Recorder
from tickerq_celery.tickers.claims import Started
from tickerq_celery.tickers.lifecycle import Outcome

logger = logging.getLogger(__name__)


class LostCalls(Protocol):
    """Asks a worker to call the user's exception handler for an attempt that was lost."""

    def publish_lost(self, run: Started, message: str, *, was_cancelled: bool = False) -> None:
        """Send the call to a worker, or raise PublishError."""


def rescue(recorder: Recorder, calls: LostCalls, run: Started, message: str) -> None:
    """Rescue one run, and ask a worker to call the user's exception handler for the lost attempt."""
    outcome = recorder.rescue(run, message)
    if outcome is None:
        return
    failpoint(Place.RESCUED)
    log_lost(run, outcome, message)
    try:
        calls.publish_lost(run, message, was_cancelled=outcome.status is TickerStatus.CANCELLED)
    except PublishError as error:
        # At most once: the run is safe, only the handler does not hear of this attempt.
        logger.warning("the exception handler will not be called for run %s: %s", run.id, error)


def log_lost(run: Started, outcome: Outcome, message: str) -> None:
    """Tell the operator that an attempt was lost, and what becomes of its run."""
    logger.warning(
        "run %s of %s was lost and %s: %s", run.id, run.function,
        "starts again" if outcome.goes_on else f"ended {outcome.status.name}", message,
        extra={"ticker_id": str(run.id)},
    )  # fmt: skip
