"""Rescue a run whose worker is dead, and have the user's exception handler called for the attempt."""

import logging

from tickerq_celery.errors import PublishError
from tickerq_celery.failpoints import CrashPoint, failpoint
from tickerq_celery.runs.publisher import Publisher
from tickerq_celery.runs.recorder import Recorder
from tickerq_celery.tickers.claims import Started
from tickerq_celery.tickers.lifecycle import Outcome

logger = logging.getLogger(__name__)


def rescue(recorder: Recorder, publisher: Publisher, run: Started, message: str) -> None:
    """Rescue one run, and ask a worker to call the user's exception handler for a function's lost attempt."""
    outcome = recorder.rescue(run, message)
    if outcome is None:
        return
    failpoint(CrashPoint.RESCUED)
    log_lost(run, outcome, message)
    if run.is_call:
        return
    try:
        publisher.publish_lost(run, message, status=outcome.status)
    except PublishError as error:
        # At most once: the run is safe, only the handler is not called for this attempt.
        logger.warning("the exception handler will not be called for run %s: %s", run.id, error)


def log_lost(run: Started, outcome: Outcome, message: str) -> None:
    """Log that an attempt was lost, and what becomes of its run."""
    logger.warning(
        "run %s of %s was lost and %s: %s", run.id, run.function,
        "starts again" if outcome.goes_on else f"ended {outcome.status.name}", message,
        extra={"ticker_id": str(run.id)},
    )  # fmt: skip
