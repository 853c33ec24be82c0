"""Hours of the roll-up are counted anew from the runs that are there, and only where that can be right."""

from collections.abc import Callable
from datetime import timedelta
from random import Random

import pytest
from sqlalchemy import delete, update

from tests.inner import Core
from tests.integration.making import at_once, processes, storing
from tests.integration.stats.rolling import ended, random_ends, recount, roll_all, rolled_up, write
from tests.manual_clock import ManualClock
from tests.tables import rollups
from tickerq_celery.errors import TickerValidationError
from tickerq_celery.managers.audit import AuditManager
from tickerq_celery.managers.stats import StatsManager
from tickerq_celery.stats import rebuilding
from tickerq_celery.stats.rolling import roll_up
from tickerq_celery.tickers.tallies import HALF_HOURS
from tickerq_celery.views import RebuiltHour

HOUR = timedelta(hours=1)


def stats(core: Core) -> StatsManager:
    return StatsManager(storing(core))


@pytest.mark.every_database
def test_a_rebuild_makes_the_roll_up_what_the_rows_say(
    core: Core, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rebuilding, "_AT_ONCE", 13)
    first = clock.now()
    write(core, *random_ends(core, Random(2), first, 100))
    clock.advance(hours=4)
    roll_all(core)
    right = rolled_up(core)
    core.write(lambda tx: tx.execute(update(rollups).values(ends=7)))
    core.write(lambda tx: tx.execute(delete(rollups).where(rollups.c.begins_at == first + HOUR)))
    done = stats(core).rebuild(first, first + 3 * HOUR)
    own = core.config.namespace
    assert {key: each for key, each in rolled_up(core, HALF_HOURS).items() if key.namespace == own} == {
        key: each for key, each in recount(core, HALF_HOURS).items() if key.namespace == own
    }
    assert {key: each for key, each in rolled_up(core).items() if key.namespace == own} == {
        key: each for key, each in right.items() if key.namespace == own
    }
    assert (done.hours, len(done.changed), done.changed[1].ends_before) == (3, 3, 0)
    assert done.ends == sum(each.ends for key, each in right.items() if key.namespace == own)
    again = stats(core).rebuild(first)
    assert (again.ends, again.changed) == (done.ends, ())


def test_an_end_that_was_committed_too_late_is_found(core: Core, clock: ManualClock) -> None:
    at = clock.now()
    clock.advance(hours=2)
    roll_all(core)
    write(core, ended(core, at))
    assert stats(core).throughput().total.ends == 0
    assert stats(core).rebuild(at, at + HOUR).changed == (RebuiltHour(hour=at, ends_before=0, ends=1),)
    assert stats(core).throughput().total.ends == 1


def test_what_cannot_be_counted_anew_is_refused(
    make_core: Callable[..., Core], core: Core, clock: ManualClock
) -> None:
    at = clock.now()
    with pytest.raises(TickerValidationError, match=r"since: no end is counted yet"):
        stats(core).rebuild(at - HOUR)
    clock.advance(hours=2, minutes=1)
    roll_all(core)
    with pytest.raises(TickerValidationError, match=r"until: whole hours are counted up to .*13:00"):
        stats(core).rebuild(at, at + 2 * HOUR)
    with pytest.raises(TickerValidationError, match="since: must be before until"):
        stats(core).rebuild(at + HOUR)
    short = make_core(retention={"functions": {"Ping": 3_600}})
    with pytest.raises(TickerValidationError, match=r"since: retention may have deleted .*: pass a later"):
        stats(short).rebuild(at)
    assert stats(core).rebuild(at).hours == 1


def test_a_rebuild_is_in_the_audit(core: Core, clock: ManualClock) -> None:
    at = clock.now()
    clock.advance(hours=2)
    roll_all(core)
    stats(core).rebuild(at, at + HOUR, reason="late commits", by="ann")
    (entry,) = AuditManager(storing(core)).find(action="stats.rebuild")
    assert (entry.object_kind, entry.reason, entry.said_by) == ("rollup", "late commits", "ann")
    assert entry.after == {"since": at.isoformat(), "until": (at + HOUR).isoformat()}


@pytest.mark.row_locks
def test_two_rebuilds_at_once_count_each_end_once(core: Core, clock: ManualClock) -> None:
    first = clock.now()
    clock.advance(hours=12)
    roll_all(core)
    late = (ended(core, first + n * HOUR / 10, function=f"F{n % 7}") for n in range(110))
    write(core, *late)
    with processes(core, 2) as others:
        at_once(*(lambda each=each: stats(each).rebuild(first) for each in others))
    assert rolled_up(core) == recount(core)


@pytest.mark.row_locks
def test_a_rebuild_beside_a_beat_counts_nothing_twice(core: Core, clock: ManualClock) -> None:
    first = clock.now()
    write(core, *random_ends(core, Random(9), first, 200))
    clock.advance(hours=1, minutes=3)
    roll_all(core)
    clock.advance(hours=3)
    with processes(core, 2) as [beat, person]:
        at_once(lambda: roll_in_pieces(beat), lambda: rebuild_often(person, first))
    roll_all(core)
    assert rolled_up(core) == recount(core)


def roll_in_pieces(core: Core) -> None:
    for _ in range(20):
        core.write(roll_up, limit=10)


def rebuild_often(core: Core, first: object) -> None:
    for _ in range(5):
        stats(core).rebuild(first, first + HOUR)  # type: ignore[operator, arg-type]
