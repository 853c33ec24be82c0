"""Beat's part in the roll-up: ends are counted beside its loop, by whichever beat comes first."""

import logging
import random
import time
from datetime import timedelta

from tickerq_celery.failpoints import CrashPoint, failpoint
from tickerq_celery.runtime.core import Core
from tickerq_celery.stats import rolling

logger = logging.getLogger(__name__)
_IDLE = timedelta(seconds=20)
_JITTER = 0.25
# Worth a line: so many ends had waited, for instance while no beat ran.
_MANY = 10_000


class RollupJob:
    """Counts what has ended every 20 s or so, and never for more than half of the time."""

    name = "roll-up"

    def __init__(self, core: Core) -> None:
        self._core = core
        self._counted = 0

    def step(self) -> timedelta:
        """Count the next ends; return how long there is nothing more to do.

        Raises:
            StoreError: The database is unreachable.
        """
        began = time.monotonic()
        rolled = self._core.write(rolling.roll_up)
        if rolled is not None:
            failpoint(CrashPoint.ROLLED_UP)
            self._counted += rolled.ends
            if not rolled.is_last:
                # As long as it took: what runs goes on in between.
                return timedelta(seconds=time.monotonic() - began)
        if self._counted >= _MANY:
            logger.info("counted %s ends into the roll-up", f"{self._counted:,}")
        self._counted = 0
        return _IDLE * random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311 - not a secret
