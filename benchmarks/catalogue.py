"""All measures by name, in the order of the page."""

from benchmarks.beside_peers import BULK_ADD, DISPATCH, EXECUTE, IDLE_TICK
from benchmarks.ours_alone import (
    BULK_EDITS,
    CLAIMS,
    CLAIMS_BESIDE_MILLIONS,
    CRON_SEARCHES,
    DASHBOARD,
    FAIRNESS,
    FULL_QUEUE,
    MEMORY,
    OUTBOX,
    PRUNE,
    ROLLUP,
    SCALE,
    START_DELAY,
    WRITES,
)

BESIDE_PEERS = (DISPATCH, EXECUTE, FULL_QUEUE, BULK_ADD, IDLE_TICK)
OURS_ALONE = (
    START_DELAY,
    OUTBOX,
    FAIRNESS,
    CLAIMS,
    WRITES,
    MEMORY,
    BULK_EDITS,
    CRON_SEARCHES,
    CLAIMS_BESIDE_MILLIONS,
    ROLLUP,
    DASHBOARD,
    PRUNE,
    SCALE,
)
MEASURES = {each.name: each for each in (*BESIDE_PEERS, *OURS_ALONE)}
