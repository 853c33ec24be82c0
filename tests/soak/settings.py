"""The settings of a soak, and the times that follow from them."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from tests.soak.workload import LONGEST_BODY

NAMESPACE = "soak"
LEASE_SECONDS = 2.0
_REPUBLISH_SECONDS = 5.0
# Short, so that what is lost is found within seconds, and a minute holds many recoveries.
TICKERQ: Mapping[str, Any] = {
    "namespace": NAMESPACE,
    "poll_interval": 0.3,
    "heartbeat": 0.5,
    "lease": LEASE_SECONDS,
    "publish_check": 1.5,
    "republish_after": _REPUBLISH_SECONDS,
    "late_after": 1.5,
    # A run that is hit again and again shall start again, and not be given up.
    "max_rescues": 1_000,
}
_PREFETCHED = 4
# Celery believes only after so many seconds that a child is lost.
CELERY: Mapping[str, object] = {
    "worker_lost_wait": 1.0,
    "worker_prefetch_multiplier": _PREFETCHED,
    "broker_connection_retry_on_startup": True,
}
# How long a run may be stalled once the faults have ended, and its message, if it was lost before that, has
# been missed: 2 x (2 + 5) + 5 + 4 x 8 = 51 s. Bodies that kill their worker by plan go on. So twice a dead
# worker is found after a lease, and twice a message that died with one is missed after republish_after, which
# doubles for the second time. And Celery fetches four messages for each process of a pool, of which the last
# waits for the bodies of all the others.
LONGEST_WAIT = timedelta(
    seconds=2 * (LEASE_SECONDS + _REPUBLISH_SECONDS) + _REPUBLISH_SECONDS + _PREFETCHED * LONGEST_BODY
)
# Longer than that, so that what is slow is distinguished from what is lost.
STALL_LIMIT = LONGEST_WAIT * 1.5
LONGEST_SETTLE = timedelta(minutes=10)
