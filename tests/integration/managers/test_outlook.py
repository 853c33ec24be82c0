"""What is to come: stored runs and computed instants in one order, held and skipped ones, and its bounds."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, select, update

from tests.inner import Core, Transaction, new_id
from tests.integration.making import (
    another_node,
    claim,
    crons,
    edit_cron,
    enrolled,
    fail,
    make_cron,
    make_run,
    started,
    storing,
)
from tests.manual_clock import START, ManualClock
from tests.plans.explaining import queries
from tests.statements import outlook as outlook_reads
from tests.tables import cron_tickers, tickers
from tickerq_celery.errors import TickerValidationError
from tickerq_celery.managers.outlook import OutlookManager
from tickerq_celery.schedule.timetable import Timetable
from tickerq_celery.store.database.batches import insert_rows
from tickerq_celery.store.outlook import rows as outlook_rows
from tickerq_celery.tickers.outlook_items import CRON_PAUSED, NO_WORKER, OVERDUE, UNCLAIMED, OutlookCron
from tickerq_celery.typing import PauseManager
from tickerq_celery.views import Bound, Outlook

HOUR, MINUTE, DAY = timedelta(hours=1), timedelta(minutes=1), timedelta(days=1)


def outlook(core: Core) -> OutlookManager:
    return OutlookManager(storing(core))


def pauses(core: Core) -> PauseManager:
    return PauseManager(storing(core))


def _multiply_crons(tx: Transaction, times: int) -> None:
    """Store so many of each cron ticker, those that there are included."""
    rows = tx.execute(select(cron_tickers)).mappings().all()
    copies = [{**row, "id": new_id(), "seed_key": None} for row in rows for _ in range(times - 1)]
    insert_rows(tx, cron_tickers, copies)


def hours(found: Outlook) -> list[float]:
    """Return how many hours from the start each item lies."""
    return [(item.moment - START) / HOUR for item in found]


@pytest.mark.every_database
def test_stored_runs_and_computed_instants_come_in_one_order(core: Core) -> None:
    cron_id = make_cron(core, "0 */6 * * *")
    later, first, _ = (
        make_run(core, execution_time=START + each * HOUR, description="mail") for each in (7, 1, 30)
    )
    found = outlook(core).upcoming()
    assert hours(found) == [1, 6, 7, 12, 18]
    assert [item.run_id for item in found] == [first, None, later, None, None]
    assert [item.cron_ticker_id for item in found if item.is_computed] == [cron_id] * 3
    assert {item.description for item in found if not item.is_computed} == {"mail"}
    assert (found.truncated, found.complete_until, found.leaves_out_held) == (None, START + DAY, False)
    assert hours(outlook(core).upcoming(START + 8 * HOUR, since=START + 6 * HOUR)) == [6, 7]


@pytest.mark.every_database
def test_retries_and_what_is_due_already_are_to_come(core: Core, clock: ManualClock) -> None:
    enrolled(core)
    retried = make_run(core, retries=1, retry_intervals=[3600])
    assert fail(core, started(core, retried))
    due = make_run(core, execution_time=START + MINUTE)
    clock.advance(minutes=10)
    found = outlook(core).upcoming()
    assert [(item.run_id, item.note) for item in found] == [(due, UNCLAIMED), (retried, "a retry")]
    assert [item.run_id for item in outlook(core).upcoming(since=clock.now())] == [retried]


@pytest.mark.every_database
def test_what_is_overdue_without_a_worker_for_its_function_is_not_held_against_beats(
    core: Core, clock: ManualClock
) -> None:
    enrolled(core)
    for function, minutes in (("Bill", 1), ("Send", 2), ("Bill", 30)):
        make_run(core, function, execution_time=START + minutes * MINUTE)
    clock.advance(minutes=10)
    assert [item.note for item in outlook(core).upcoming()] == [NO_WORKER, UNCLAIMED, None]


@pytest.mark.every_database
def test_an_instant_that_has_its_run_is_not_said_twice(core: Core, clock: ManualClock) -> None:
    make_cron(core, "@hourly")
    clock.set(START + HOUR + MINUTE)
    (cron_id,) = {item.cron_ticker_id for item in outlook(core).upcoming()}
    assert cron_id is not None
    assert outlook(core).upcoming()[0].note == OVERDUE
    (made,) = crons(core).backfill(cron_id, START + HOUR, clock.now())
    first, second, *_ = outlook(core).upcoming()
    assert (first.run_id, second.run_id) == (made.id, None)
    assert second.moment == START + 2 * HOUR


@pytest.mark.every_database
def test_what_a_pause_holds_is_marked_and_what_is_paused_itself_left_out(
    core: Core, clock: ManualClock
) -> None:
    held = make_cron(core, "@hourly", tags=["eu"])
    paused, free = make_cron(core, "@hourly"), make_cron(core, "@hourly")
    crons(core).pause(paused)
    tagged = make_run(core, execution_time=START + 90 * MINUTE, tags=["eu"])
    pauses(core).pause(tag="eu", reason="release", by="ann")
    found = outlook(core).upcoming(START + 2 * HOUR)
    assert {(item.cron_ticker_id or item.run_id, item.is_held) for item in found} == {
        (held, True),
        (free, False),
        (tagged, True),
    }
    note = "held: tag eu is paused by ann: release"
    assert {item.note for item in found if item.is_held} == {note}
    assert {item.pause and item.pause.name for item in found if item.is_held} == {"eu"}


@pytest.mark.every_database
def test_what_has_been_suspended_by_a_pause_goes_on_from_the_next_instant(
    core: Core, clock: ManualClock
) -> None:
    cron_id = make_cron(core, "@hourly", max_runs=2)
    pauses(core).pause(everything=True)
    edit_cron(core, cron_id, next_run_at=None, resume_from=START + HOUR)
    clock.set(START + 3 * HOUR)
    found = outlook(core).upcoming()
    assert hours(found) == [4, 5]
    assert all(item.is_held for item in found)


@pytest.mark.every_database
def test_skipped_instants_are_marked_however_far_the_next_one_is(core: Core) -> None:
    cron_id = make_cron(core, "0 18 * * *")
    crons(core).skip_next(cron_id, reason="holiday")
    (item,) = outlook(core).upcoming()
    assert (item.moment, item.is_skipped, item.note) == (
        START + 6 * HOUR,
        True,
        "Skipped on request: holiday",
    )
    assert (item.is_computed, item.cron_ticker_id) == (False, cron_id)
    crons(core).unskip_next(cron_id)
    (item,) = outlook(core).upcoming()
    assert (item.is_computed, item.is_skipped) == (True, False)


def test_a_skip_that_an_edit_has_taken_back_is_not_shown(core: Core) -> None:
    cron_id = make_cron(core, "0 18 * * *")
    crons(core).skip_next(cron_id)
    crons(core).update(cron_id, expression="0 17 * * *")
    assert [(item.moment, item.is_skipped) for item in outlook(core).upcoming()] == [
        (START + 5 * HOUR, False)
    ]


def test_an_occurrence_of_a_paused_cron_ticker_that_is_due_later_is_held(
    core: Core, clock: ManualClock
) -> None:
    cron_id = make_cron(core, "@hourly")
    clock.set(START + HOUR + MINUTE)
    (made,) = crons(core).backfill(cron_id, START + HOUR, clock.now())
    core.write(
        lambda tx: tx.execute(update(tickers).where(tickers.c.id == made.id).values(due_at=START + 2 * HOUR))
    )
    crons(core).pause(cron_id)
    (item,) = outlook(core).upcoming()
    assert (item.run_id, item.is_held, item.note) == (made.id, True, CRON_PAUSED)


@pytest.mark.every_database
def test_only_one_function_is_shown_where_it_is_asked_for(core: Core) -> None:
    other = another_node(core)
    make_cron(core, "@hourly", function="Count")
    make_run(other, "Count", execution_time=START + MINUTE)
    wanted = make_cron(core, "0 18 * * *")
    assert [item.cron_ticker_id for item in outlook(core).upcoming(function="Send")] == [wanted]
    assert outlook(core).upcoming(function="Gone").items == ()


@pytest.mark.every_database
def test_the_limit_ends_an_answer_and_says_up_to_when_it_is_complete(core: Core) -> None:
    make_cron(core, "* * * * * *")
    daily = make_cron(core, "0 18 * * *")
    for each in range(120):
        make_run(core, execution_time=START + (each + 1) * MINUTE)
    found = outlook(core).upcoming(limit=500, bands=False)
    assert (len(found), found.truncated) == (500, Bound.LIMIT)
    assert START < found.complete_until < START + 500 * timedelta(seconds=1)
    whole = outlook(core).upcoming(found.complete_until, bands=False)
    assert [(item.moment, item.run_id) for item in whole] == [
        (item.moment, item.run_id) for item in found if item.moment < found.complete_until
    ]
    # What fires each second hides nothing of a later hour.
    at_six = outlook(core).upcoming(START + 6 * HOUR + MINUTE, since=START + 6 * HOUR)
    assert daily in {item.cron_ticker_id for item in at_six}


@pytest.mark.every_database
def test_a_frequent_cron_ticker_is_one_band_and_uses_up_nothing_of_the_others(core: Core) -> None:
    often = make_cron(core, "*/20 * * * * *")
    nightly = make_cron(core, "30 2 * * *")
    found = outlook(core).upcoming(limit=3)
    assert (found.truncated, found.complete_until) == (None, START + DAY)
    assert [(item.cron_ticker_id, item.starts, item.every) for item in found] == [
        (often, 4_319, timedelta(seconds=20)),
        (nightly, 1, None),
    ]
    band = found[0]
    assert band.is_band
    assert (band.moment, band.last) == (START + timedelta(seconds=20), START + DAY - timedelta(seconds=20))
    tonight = outlook(core).upcoming(START + 20 * HOUR, since=START + 14 * HOUR)
    assert [item.starts for item in tonight] == [1_080, 1]


def test_a_window_may_begin_in_the_last_years(core: Core) -> None:
    make_cron(core, "0 */2 * * *")
    last = datetime(9998, 12, 31, tzinfo=UTC)
    (band,) = outlook(core).upcoming(last, since=last - DAY)
    assert (band.moment, band.starts) == (last - DAY, 12)
    assert outlook(core).upcoming(since=last).until == last + DAY


def test_skips_that_an_edit_has_taken_back_leave_all_starts_of_the_new_times(core: Core) -> None:
    cron_id = make_cron(core, "@hourly")
    for _ in range(3):
        crons(core).skip_next(cron_id)
    crons(core).update(cron_id, expression="5 12,20 * * *")
    assert hours(outlook(core).upcoming()) == [5 / 60, 8 + 5 / 60]
    crons(core).update(cron_id, expression="5 * * * *")
    assert [item.starts for item in outlook(core).upcoming()] == [24]


def test_a_skipped_instant_of_a_band_is_an_item_of_its_own(core: Core) -> None:
    cron_id = make_cron(core, "@hourly")
    crons(core).skip_next(cron_id)
    skipped, band = outlook(core).upcoming()
    assert (skipped.is_skipped, skipped.moment) == (True, START + HOUR)
    assert (band.moment, band.starts) == (START + 2 * HOUR, 22)


def test_a_page_of_those_that_fire_next_is_enough_for_a_short_answer(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        make_cron(core, "@hourly")
    later = make_cron(core, "0 18 * * *")
    monkeypatch.setattr(outlook_reads, "_FIRST_PAGE", 1)
    found = outlook(core).upcoming(limit=2)
    assert (len(found), found.truncated, found.complete_until) == (2, Bound.LIMIT, START + HOUR)
    assert [item.cron_ticker_id for item in outlook(core).upcoming(limit=4)][-1] == later


def test_the_time_that_an_answer_may_take_ends_it_and_says_up_to_when_it_is_complete(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    for each in range(200):
        edit_cron(core, make_cron(core, "0 12 * * *"), next_run_at=START + (each + 1) * MINUTE)
    looks = count()
    monkeypatch.setattr(core.clock, "monotonic", lambda: next(looks) * 0.001)
    found = outlook(core).upcoming(budget=0.15)
    assert found.truncated is Bound.BUDGET
    assert 100 < len(found) < 150
    assert found.complete_until == found[-1].moment + MINUTE


def test_a_connection_that_had_to_be_made_takes_nothing_from_the_time(
    core: Core, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_cron(core, "@hourly")
    connected = Core.transaction

    def slowly(self: Core, connection: Connection) -> Transaction:
        clock.advance(seconds=1)
        return connected(self, connection)

    monkeypatch.setattr(Core, "transaction", slowly)
    found = outlook(core).upcoming(limit=5, bands=False)
    assert (len(found), found.truncated) == (5, Bound.LIMIT)


def test_held_cron_tickers_take_half_of_the_time_at_most_and_it_is_said(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(40):
        cron_id = make_cron(core, "@hourly")
        edit_cron(core, cron_id, next_run_at=None, resume_from=START)
    pauses(core).pause(function="Send")
    run_id = make_run(core, "Count", execution_time=START + MINUTE)
    looks = count()
    monkeypatch.setattr(core.clock, "monotonic", lambda: next(looks) * 0.01)
    found = outlook(core).upcoming(budget=0.4)
    assert found.leaves_out_held
    assert found[0].run_id == run_id


def test_many_cron_tickers_of_which_few_fire_soon_are_not_looked_at_one_by_one(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    core.write(lambda tx: tx.execute(update(cron_tickers).values(next_run_at=None)))
    for number in range(30):
        edit_cron(core, make_cron(core, "0 0 29 2 1"), next_run_at=START + DAY + number * MINUTE)
    soon = make_cron(core, "@hourly")
    read: list[UUID] = []
    add = outlook_reads.Reading.add_cron

    def noted(self: outlook_reads.Reading, cron: outlook_reads.OutlookCron) -> None:
        read.append(cron.id)
        add(self, cron)

    monkeypatch.setattr(outlook_reads.Reading, "add_cron", noted)
    monkeypatch.setattr(outlook_reads, "_FIRST_PAGE", 1)
    assert len(outlook(core).upcoming(limit=10, bands=False)) == 10
    assert read == [soon]


@pytest.mark.every_database
def test_pages_have_each_run_and_cron_ticker_once_with_all_its_starts(core: Core) -> None:
    fired = [make_cron(core, "*/5 * * * *") for _ in range(7)] + [make_cron(core, "0 */8 * * *")]
    fired += [make_cron(core, "0 18 * * *") for _ in range(4)]
    due = [make_run(core, execution_time=START + 5 * MINUTE) for _ in range(5)]
    skipped = make_cron(core, "0 18 * * *")
    crons(core).skip_next(skipped)
    until, seen, lefts = START + DAY, [], []
    cursor: str | None = None
    while cursor is not None or not seen:
        page = outlook(core).by_first_start(until, limit=3, cursor=cursor)
        assert list(page) == sorted(page, key=lambda item: item.moment)
        seen += page
        lefts.append(page.crons_left)
        assert (page.next_cursor is None) == (page.complete_until == until) == (page.truncated is None)
        cursor = page.next_cursor
    whole = outlook(core).upcoming(until)
    assert len(seen) == len(whole) == 7 + 3 + 4 + 5 + 1
    assert sorted(seen, key=repr) == sorted(whole, key=repr)
    assert {item.cron_ticker_id for item in seen if item.is_computed} == set(fired)
    assert {item.run_id for item in seen if item.cron_ticker_id is None} == set(due)
    assert lefts == sorted(lefts, reverse=True)
    assert lefts[0] > lefts[-1] == 0


@pytest.mark.every_database
def test_the_first_page_has_all_where_few_cron_tickers_are_left(core: Core) -> None:
    for each in range(6):
        make_cron(core, f"0 {6 + each} * * *")
    make_run(core, execution_time=START + 20 * HOUR)
    until = START + DAY
    with queries() as sent:
        page = outlook(core).by_first_start(until, limit=2, whole_within=4)
    assert page == outlook(core).upcoming(until)
    # One reading has what is paused, skipped, due and planned, and how many are left.
    assert 4 <= len(sent) <= 7
    part = outlook(core).by_first_start(until, limit=2, whole_within=3)
    assert (len(part), part.crons_left, part.truncated) == (2, 4, Bound.LIMIT)
    rest = outlook(core).by_first_start(until, limit=2, whole_within=4, cursor=part.next_cursor)
    assert (len(rest), rest.crons_left) == (2, 3)


def test_a_page_of_thousands_of_cron_tickers_reads_and_computes_no_more_than_it_has(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    for each in range(20):
        make_cron(core, f"{each} 1-23 * * *")
    core.write(_multiply_crons, 100)
    read, computed = [], []
    planned, next_after = outlook_rows.planned, Timetable.next_after

    def reading(*args: Any, **kwargs: Any) -> list[OutlookCron]:
        read.extend(planned(*args, **kwargs))
        return read

    def computing(self: Timetable, moment: datetime) -> datetime | None:
        computed.append(moment)
        return next_after(self, moment)

    monkeypatch.setattr(outlook_rows, "planned", reading)
    monkeypatch.setattr(Timetable, "next_after", computing)
    with queries() as sent:
        page = outlook(core).by_first_start(START + 7 * DAY, limit=10)
    assert (len(page), page.crons_left) == (10, 20 * 100 - 10)
    assert len(read) < 100
    assert len(computed) < 10 * 110
    assert 4 <= len(sent) < 10


def test_a_page_whose_time_is_over_leads_to_the_rest(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    made = {make_cron(core, "*/5 * * * *") for _ in range(6)}
    monkeypatch.setattr(core.clock, "monotonic", count().__next__)
    seen: list[UUID | None] = []
    cursor: str | None = None
    while cursor is not None or not seen:
        page = outlook(core).by_first_start(START + DAY, cursor=cursor)
        seen += [item.cron_ticker_id for item in page]
        cursor = page.next_cursor
        assert page.truncated is (None if cursor is None else Bound.BUDGET)
    assert (len(seen), set(seen)) == (6, made)


@pytest.mark.parametrize("cursor", ["", "x", "2026-11-25|", "2026-11-25T10:00,0|"])
def test_a_cursor_that_is_of_no_page_is_refused(core: Core, cursor: str) -> None:
    with pytest.raises(TickerValidationError, match=r"^cursor: "):
        outlook(core).by_first_start(cursor=cursor)


def test_a_run_that_is_claimed_is_not_to_come(core: Core) -> None:
    enrolled(core)
    make_run(core)
    assert len(outlook(core).upcoming()) == 1
    (claimed,) = claim(core)
    assert claimed
    assert outlook(core).upcoming().items == ()


@pytest.mark.parametrize(
    ("keywords", "field"),
    [
        ({"until": START, "since": START}, "until"),
        ({"until": START.replace(tzinfo=None)}, "until"),
        ({"limit": 0}, "limit"),
        ({"bands": 1}, "bands"),
        ({"until": START + timedelta(days=4_000)}, "until"),
        ({"budget": 0}, "budget"),
        ({"budget": 60}, "budget"),
        ({"function": ""}, "function"),
    ],
)
def test_what_means_nothing_is_refused_by_name(core: Core, keywords: dict[str, object], field: str) -> None:
    with pytest.raises(TickerValidationError, match=f"^{field}: "):
        outlook(core).upcoming(**keywords)  # type: ignore[arg-type]
