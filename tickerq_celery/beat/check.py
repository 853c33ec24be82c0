"""Log an error for a beat that runs another scheduler, and so dispatches no tickers."""

import logging
from typing import Any
from weakref import WeakSet

from celery import Celery, signals

logger = logging.getLogger(__name__)
_watched: "WeakSet[Celery]" = WeakSet()


def watch(app: Celery) -> None:
    """Log an error when a beat of this app starts with a scheduler that runs no tickers."""
    _watched.add(app)
    signals.beat_init.connect(check, weak=False, dispatch_uid="tickerq-beat-check")


def check(sender: Any, **_: Any) -> None:
    """Look at a beat that starts; ``sender`` is Celery's service."""
    scheduler = sender.scheduler
    if sender.app in _watched and not getattr(scheduler, "runs_tickers", False):
        logger.error(
            "this beat runs %s and starts no tickers: run another one with `-S tickerq`, or leave "
            "beat_scheduler unset",
            type(scheduler).__name__,
        )
