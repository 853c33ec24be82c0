"""An operator undoes what operators did: a skip that is still to come, other times than the code's."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.inner import Core, new_id
from tests.integration.conftest import send
from tests.integration.cron.firing import fire
from tests.integration.cron.seeding import DAILY, HOURLY, seeded
from tests.integration.making import (
    at_once,
    cron_row_of,
    crons,
    enrolled,
    make_cron,
    occurrences_of,
    processes,
    runs,
)
from tests.manual_clock import START, ManualClock, at
from tests.thoroughness import in_verify
from tickerq_celery import CronTicker, TickerQ
from tickerq_celery.enums import Origin, TickerStatus
from tickerq_celery.errors import TickerChangedError, TickerNotFoundError, TickerStateError
from tickerq_celery.views import Actor

MakeCore = Callable[..., Core]
SKIPPED = TickerStatus.SKIPPED
# Where rows are locked one by one.
RACES = ["mariadb", in_verify("postgres"), in_verify("sqlite")]
NOTHING = "without a skipped instant that is to come: it cannot be unskipped"


def test_an_instant_whose_skip_is_undone_fires(core: Core, clock: ManualClock) -> None:
    enrolled(core)
    cron_id = make_cron(core)
    crons(core).skip_next(cron_id)
    (record,) = occurrences_of(core, cron_id)
    assert (record.status, record.origin) == (SKIPPED, Origin.SKIP.value)
    assert crons(core).unskip_next(str(cron_id), reason="no holiday", by="ann").next_run_at == at(13)
    assert occurrences_of(core, cron_id) == []
    clock.set(at(13))
    fire(core)
    (row,) = occurrences_of(core, cron_id)
    assert (row.instant, row.status) == (at(13), TickerStatus.IDLE)
    assert cron_row_of(core, cron_id).run_count == 1


def test_of_several_skips_the_last_is_undone_first(core: Core) -> None:
    cron_id = make_cron(core)
    for _ in range(2):
        crons(core).skip_next(cron_id)
    assert [crons(core).unskip_next(cron_id).next_run_at for _ in range(2)] == [at(14), at(13)]
    with pytest.raises(TickerStateError, match=NOTHING):
        crons(core).unskip_next(cron_id)
    assert cron_row_of(core, cron_id).next_run_at == at(13)


def test_a_skip_whose_instant_has_passed_stays(core: Core, clock: ManualClock) -> None:
    cron_id = make_cron(core)
    crons(core).skip_next(cron_id)
    clock.set(at(13))
    with pytest.raises(TickerStateError, match=NOTHING):
        crons(core).unskip_next(cron_id)
    assert [row.status for row in occurrences_of(core, cron_id)] == [SKIPPED]


def test_an_instant_after_an_undone_skip_fires_once_where_the_clock_was_set_back(
    core: Core, clock: ManualClock
) -> None:
    enrolled(core)
    cron_id = make_cron(core)
    crons(core).skip_next(cron_id)
    clock.set(at(14))
    fire(core)
    clock.set(at(12, 59))
    assert crons(core).unskip_next(cron_id).next_run_at == at(13)
    for hour in (13, 14, 15):
        clock.set(at(hour))
        fire(core)
    assert [row.instant for row in occurrences_of(core, cron_id)] == [at(13), at(14), at(15)]


def test_an_occurrence_that_a_backfill_has_made_is_not_unskipped(core: Core, clock: ManualClock) -> None:
    enrolled(core)
    cron_id = make_cron(core)
    clock.set(at(13) + timedelta(seconds=1))
    crons(core).backfill(cron_id, at(13), clock.now())
    crons(core).skip_next(cron_id)
    clock.set(at(12, 59))
    with pytest.raises(TickerStateError, match=NOTHING):
        crons(core).unskip_next(cron_id)
    (row,) = occurrences_of(core, cron_id)
    assert runs(core).retry(row.id).status is TickerStatus.IDLE


def test_what_was_retried_is_not_unskipped(core: Core) -> None:
    enrolled(core)
    cron_id = make_cron(core)
    crons(core).skip_next(cron_id)
    (record,) = occurrences_of(core, cron_id)
    runs(core).retry(record.id)
    with pytest.raises(TickerStateError, match=NOTHING):
        crons(core).unskip_next(cron_id)
    with pytest.raises(TickerNotFoundError):
        crons(core).unskip_next(record.id)


def test_in_a_pause_it_fires_once_that_is_over(core: Core, clock: ManualClock) -> None:
    cron_id = make_cron(core)
    crons(core).skip_next(cron_id)
    crons(core).pause(cron_id)
    assert crons(core).unskip_next(cron_id).next_run_at is None
    assert crons(core).resume(cron_id).next_run_at == at(13)


def test_in_a_pause_that_began_before_it_what_has_passed_is_still_recorded(
    core: Core, clock: ManualClock
) -> None:
    cron_id = make_cron(core)
    crons(core).skip_next(cron_id)
    crons(core).update(cron_id, expression="*/15 * * * *")
    crons(core).pause(cron_id)
    clock.set(at(12, 50))
    crons(core).unskip_next(cron_id)
    assert crons(core).resume(cron_id).next_run_at == at(13)
    (record,) = occurrences_of(core, cron_id)
    assert record.skipped_reason.startswith("Paused: 3 instants from")


def test_the_last_instant_of_all_comes_back(core: Core) -> None:
    cron_id = make_cron(core, end_at=at(13))
    assert crons(core).skip_next(cron_id).next_run_at is None
    assert crons(core).unskip_next(cron_id).next_run_at == at(13)
    crons(core).skip_next(cron_id)
    crons(core).pause(cron_id)
    crons(core).unskip_next(cron_id)
    assert crons(core).resume(cron_id).next_run_at == at(13)


@pytest.mark.parametrize(
    "changes", [{"expression": "30 * * * *"}, {"end_at": at(12, 30)}, {"exclude": [START.date()]}]
)
def test_an_instant_that_an_edit_has_taken_away_does_not_come_back(
    core: Core, changes: dict[str, object]
) -> None:
    cron_id = make_cron(core)
    crons(core).skip_next(cron_id)
    crons(core).update(cron_id, **changes)
    before = cron_row_of(core, cron_id).next_run_at
    with pytest.raises(TickerStateError, match=NOTHING):
        crons(core).unskip_next(cron_id)
    assert cron_row_of(core, cron_id).next_run_at == before


def test_a_cron_ticker_without_runs_left_gets_no_instant_back(core: Core, clock: ManualClock) -> None:
    cron_id = make_cron(core, max_runs=2)
    clock.set(at(13))
    fire(core)
    crons(core).skip_next(cron_id)
    crons(core).update(cron_id, max_runs=1)
    with pytest.raises(TickerStateError, match=NOTHING):
        crons(core).unskip_next(cron_id)
    assert cron_row_of(core, cron_id).next_run_at is None


def test_after_an_edit_that_keeps_the_instant_it_comes_back_in_its_order(core: Core) -> None:
    cron_id = make_cron(core)
    crons(core).skip_next(cron_id)
    crons(core).update(cron_id, expression="*/30 * * * *")
    assert crons(core).unskip_next(cron_id).next_run_at == at(12, 30)
    assert crons(core).upcoming(cron_id, count=2) == [at(12, 30), at(13)]


@pytest.mark.parametrize("store_url", RACES, indirect=True)
def test_skips_and_their_undoing_in_one_moment_leave_each_instant_with_one_fate(
    core: Core, clock: ManualClock
) -> None:
    enrolled(core)
    cron_id = make_cron(core)

    def unskip(process: Core) -> int:
        done = 0
        for _ in range(6):
            try:
                crons(process).unskip_next(cron_id)
                done += 1
            except TickerStateError:
                continue
        return done

    def skip(process: Core) -> int:
        for _ in range(6):
            crons(process).skip_next(cron_id)
        return 6

    with processes(core, 2) as (first, second):
        skips, undone = at_once(lambda: skip(first), lambda: unskip(second))
    records = occurrences_of(core, cron_id)
    assert len(records) == skips - undone
    upcoming = cron_row_of(core, cron_id).next_run_at
    # No instant to come is lost: each before the next one has its record.
    assert [row.instant for row in records] == [at(13 + n) for n in range(len(records))]
    assert upcoming == at(13 + len(records))


def test_an_operators_times_go_back_to_those_of_the_code(make_core: MakeCore, clock: ManualClock) -> None:
    core = make_core(send(cron=HOURLY, time_zone="Europe/Berlin"))
    cron_id = seeded(core).id
    crons(core).update(cron_id, expression="*/5 * * * *", time_zone="UTC", priority="low")
    clock.set(at(12, 7))
    cron = crons(core).revert_to_code(str(cron_id), reason="the sale is over", by="ann")
    assert (cron.expression, cron.time_zone, cron.next_run_at) == (HOURLY, "Europe/Berlin", at(13))
    assert cron.priority.name == "LOW"
    (record,) = occurrences_of(core, cron_id)
    assert record.skipped_reason.startswith("Edited: 1 instant ")


def test_what_was_reverted_follows_the_code_again(make_core: MakeCore) -> None:
    core = make_core(send(cron=HOURLY))
    cron_id = seeded(core).id
    crons(core).update(cron_id, expression="*/5 * * * *")
    crons(core).revert_to_code(cron_id)
    assert seeded(make_core(send(cron=DAILY))).expression == DAILY


def test_what_is_as_the_code_says_does_not_change(make_core: MakeCore, clock: ManualClock) -> None:
    core = make_core(send(cron=HOURLY))
    before = seeded(core)
    clock.advance(minutes=1)
    crons(core).revert_to_code(before.id)
    assert cron_row_of(core, before.id) == before


def test_what_no_code_defines_is_refused(core: Core) -> None:
    cron_id = make_cron(core)
    with pytest.raises(TickerStateError, match="defined by no code: it cannot be reverted to it"):
        crons(core).revert_to_code(cron_id)


def test_an_interval_of_the_code_counts_from_where_it_began(make_core: MakeCore, clock: ManualClock) -> None:
    core = make_core(send(every=timedelta(hours=2)))
    begun = seeded(core)
    crons(core).update(begun.id, expression="5 * * * *", jitter=timedelta(hours=3))
    clock.advance(minutes=10)
    cron = crons(core).revert_to_code(begun.id)
    assert (cron.expression, cron.next_run_at) == (begun.expression, begun.next_run_at)
    assert cron.jitter == timedelta(hours=2)


def test_who_undid_what_is_in_the_audit(tickerq: TickerQ) -> None:
    cron = tickerq.cron_tickers.add(CronTicker("Send", expression="0 * * * *"))
    skipped = tickerq.cron_tickers.skip_next(cron.id)
    acting = tickerq.acting_as(Actor("ana", operation_id=new_id()))
    first = acting.cron_tickers.unskip_next(cron.id, reason="no holiday", expected=skipped)
    assert acting.cron_tickers.unskip_next(cron.id, reason="no holiday", expected=skipped) == first
    entry = tickerq.audit.find(action="cron_tickers.unskip_next")[0]
    assert (entry.actor, entry.reason) == ("ana", "no holiday")
    assert entry.before == {"next_run_at": at(14).isoformat()}
    assert entry.after == {"next_run_at": at(13).isoformat()}


def test_a_cron_ticker_that_has_changed_since_it_was_seen_is_left(
    tickerq: TickerQ, clock: ManualClock
) -> None:
    seen = tickerq.cron_tickers.add(CronTicker("Send", expression="0 * * * *"))
    tickerq.cron_tickers.skip_next(seen.id)
    clock.advance(seconds=1)
    tickerq.cron_tickers.update(seen.id, description="another")
    for verb in (tickerq.cron_tickers.unskip_next, tickerq.cron_tickers.revert_to_code):
        with pytest.raises(TickerChangedError):
            verb(seen.id, expected=seen)
