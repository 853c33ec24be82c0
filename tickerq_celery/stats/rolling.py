"""Count the ends of runs into the roll-up, each exactly once, a bounded piece after the other."""

from dataclasses import dataclass
from datetime import timedelta

from tickerq_celery.failpoints import CrashPoint, failpoint
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.stats import counted_ends, rollup_state, rollups
from tickerq_celery.tickers.tallies import kept_tallies
from tickerq_celery.tickers.uncounted_ends import EndPosition

# An end is stored with the moment of its statement, and seen when it is committed: so much later at most.
HELD_BACK = timedelta(minutes=2)
# On SQLite, others wait for so many to be counted before they write.
AT_ONCE = 1_000
# Where nothing ends, the watermark follows the clock in steps of so much.
_STEP = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class RolledUp:
    """How many ends one transaction has counted, and whether these were the last."""

    ends: int
    is_last: bool


def roll_up(tx: Transaction, *, held_back: timedelta = HELD_BACK, limit: int = AT_ONCE) -> RolledUp | None:
    """Count the next ends of the store, in one transaction; or return None where another process does so.

    The rows and the watermark are committed together: what is after the watermark is in no row, whatever
    ends this process.
    """
    before = rollup_state.lock(tx, wait=False)
    if before is None:
        return None
    horizon = tx.now - held_back
    ends = counted_ends.between(tx, before, horizon, limit=limit)
    rollups.add(tx, kept_tallies(ends, tx.now))
    if ends:
        rollups.remove_old(tx, {each.namespace for each in ends})
    failpoint(CrashPoint.ROLLUP_COUNTED)
    is_last = len(ends) < limit
    if not is_last:
        after = EndPosition(ended_at=ends[-1].ended_at, id=ends[-1].id)
    else:
        after = rollup_state.position_at(horizon)
    if ends or after.ended_at >= before.ended_at + _STEP:
        rollup_state.move(tx, before, after)
    failpoint(CrashPoint.ROLLUP_UNCOMMITTED)
    return RolledUp(ends=len(ends), is_last=is_last)
