"""Count hours of the roll-up anew from the runs that are there, an hour at a time."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from tickerq_celery import validation
from tickerq_celery.errors import TickerValidationError
from tickerq_celery.functions.retention import Kept
from tickerq_celery.stats.windows import PeriodWindow, window_of
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.stats import counted_ends, rollup_state, rollups
from tickerq_celery.tickers.figures import Rebuild, RebuiltHour
from tickerq_celery.tickers.tallies import HOUR, HOURS, Tally, TallyKey, hour_of, kept_tallies
from tickerq_celery.tickers.uncounted_ends import EndPosition
from tickerq_celery.wording import moment

_AT_ONCE = 2_000


def window_to_rebuild(tx: Transaction, since: object, until: object, *, kept: Kept) -> PeriodWindow:
    """Return the hours that are asked for, if all of their runs are there and counted.

    Every run is ``kept`` for so long. Without ``until`` they go up to the last hour that is counted.

    Raises:
        TickerValidationError: It is no window, too old, or too new.
    """
    counted = rollup_state.position(tx).ended_at
    if counted == rollup_state.START.ended_at:
        raise TickerValidationError("since", since, "no end is counted yet: a beat has to run first")
    last = hour_of(counted)
    end = last if until is None else validation.moment("until", until)
    if end > last:
        reason = f"whole hours are counted up to {moment(last)}: pass an earlier hour"
        raise TickerValidationError("until", until, reason)
    window = window_of(validation.moment("since", since), end, now=tx.now)
    if kept is not None and window.since < tx.now - kept:
        oldest = moment(tx.now - kept)
        reason = f"retention may have deleted runs that ended before {oldest}: pass a later hour"
        raise TickerValidationError("since", since, reason)
    return window


@dataclass(frozen=True, slots=True, kw_only=True)
class RecountedHour:
    """How many ends an hour has, and what of it changed."""

    ends: int
    changed: RebuiltHour | None


def rebuild(
    write: Callable[[Callable[[Transaction], RecountedHour]], RecountedHour], window: PeriodWindow
) -> Rebuild:
    """Count the ends of the window's hours anew, each in a transaction of ``write``."""
    hours = [write(partial(_recount_hour, hour=hour)) for hour in window.points(HOUR)]
    return Rebuild(
        since=window.since,
        until=window.until,
        hours=len(hours),
        ends=sum(each.ends for each in hours),
        changed=tuple(each.changed for each in hours if each.changed is not None),
    )


def _recount_hour(tx: Transaction, hour: datetime) -> RecountedHour:
    # Another rebuild of the hour waits; beats count later hours only.
    rollup_state.lock(tx, wait=True)
    counted = _recounted(tx, hour)
    ends = sum(tally.ends for key, tally in counted.items() if key.minutes == HOURS.minutes)
    before = rollups.replace_hour(tx, hour, counted)
    changed = None if before is None else RebuiltHour(hour=hour, ends_before=before, ends=ends)
    return RecountedHour(ends=ends, changed=changed)


def _recounted(tx: Transaction, hour: datetime) -> Mapping[TallyKey, Tally]:
    found: dict[TallyKey, Tally] = {}
    after, is_last = rollup_state.position_at(hour), False
    while not is_last:
        ends = counted_ends.between(tx, after, hour + HOUR, limit=_AT_ONCE, own=True)
        for key, tally in kept_tallies(ends, tx.now).items():
            found[key] = found[key].plus(tally) if key in found else tally
        is_last = len(ends) < _AT_ONCE
        if ends:
            after = EndPosition(ended_at=ends[-1].ended_at, id=ends[-1].id)
    return found
