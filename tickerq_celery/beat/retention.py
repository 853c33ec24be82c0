"""Beat's part in retention: rounds of pruning, beside its loop."""

import logging
import random
import time
from collections.abc import Callable
from datetime import timedelta

from tickerq_celery.runs.pruner import Pruner

logger = logging.getLogger(__name__)
_ROUND = timedelta(minutes=1)
_JITTER = 0.25
# What another beat left undone when it died is found so much later at the latest.
_WHOLE_ROUND = timedelta(days=1)


class RetentionJob:
    """Prunes a little every minute, and never for more than half of the time.

    The first round begins at random within a minute: beats that start together do not begin together.
    ``on_round`` is called at the end of each with how many rows it has deleted.
    """

    name = "retention"

    def __init__(self, pruner: Pruner, on_round: Callable[[int], None]) -> None:
        self._pruner = pruner
        self._on_round = on_round
        self._has_begun = False
        self._deleted = 0
        self._whole_at = time.monotonic() + _WHOLE_ROUND.total_seconds()

    def step(self) -> timedelta:
        """Do one piece of a round, or say when the next begins."""
        if not self._has_begun:
            self._has_begun = True
            return _ROUND * random.random()  # noqa: S311 - not a secret
        began = time.monotonic()
        piece = self._pruner.step()
        self._deleted += piece.deleted
        if piece.is_last:
            self._end_round()
            self._begin_again_if_due(began)
            return _ROUND * random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311 - not a secret
        # As long as it took: what runs goes on in between.
        return timedelta(seconds=time.monotonic() - began)

    def _end_round(self) -> None:
        self._on_round(self._deleted)
        if self._deleted:
            logger.info("deleted %s expired rows of history", f"{self._deleted:,}")
        self._deleted = 0

    def _begin_again_if_due(self, now: float) -> None:
        if now >= self._whole_at:
            self._pruner.begin_again()
            self._whole_at = now + _WHOLE_ROUND.total_seconds()
