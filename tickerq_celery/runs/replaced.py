"""Revoke calls of Celery tasks that a later occurrence of their cron ticker has replaced."""

import logging
from collections.abc import Sequence

from tickerq_celery.errors import PublishError
from tickerq_celery.runs.publisher import Publisher
from tickerq_celery.tickers.claims import Started

logger = logging.getLogger(__name__)


def revoke(publisher: Publisher, calls: Sequence[Started]) -> None:
    """Have workers discard the messages of cancelled calls, and end the processes that execute them.

    One that had not begun when it was cancelled may have begun since.
    """
    for number, run in enumerate(calls):
        try:
            publisher.publish_cancel(run, terminate=True)
        except PublishError as error:
            left = len(calls) - number
            logger.warning("could not revoke %d calls that later occurrences replace: %s", left, error)
            return
