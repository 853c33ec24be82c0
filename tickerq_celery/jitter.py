"""Jitter: a delay that spreads runs, and is the same whoever works it out."""

import hashlib
from datetime import UTC, datetime, timedelta
from uuid import UUID

_MILLISECOND = timedelta(milliseconds=1)


def delay_of(cron_ticker_id: UUID, instant: datetime, jitter: timedelta) -> timedelta:
    """Return how much later than its instant an occurrence runs: from 0 to ``jitter``, in milliseconds.

    It depends on nothing but the arguments, so that two beats, or one after a restart, agree.
    """
    seed = f"{cron_ticker_id} {instant.astimezone(UTC).isoformat()}".encode()
    number = int.from_bytes(hashlib.sha256(seed).digest()[:8])
    return number % (jitter // _MILLISECOND + 1) * _MILLISECOND
