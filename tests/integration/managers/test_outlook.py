"""What is to come: stored runs and computed instants in one order, held and skipped ones, and its bounds."""

from datetime import timedelta
from itertools import count
from uuid import UUID

import pytest
from sqlalchemy import Connection, update

from tests.inner import Core, Transaction
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
from tests.statements import outlook as outlook_reads
from tests.tables import cron_tickers, tickers
from tickerq_celery.errors import TickerValidationError
from tickerq_celery.managers.outlook import OutlookManager
from tickerq_celery.tickers.outlook_steps import CRON_PAUSED, NO_WORKER, OVERDUE, UNCLAIMED
from tickerq_celery.typing import PauseManager
from tickerq_celery.views import Bound, Outlook

HOUR, MINUTE, DAY = timedelta(hours=1), timedelta(minutes=1), timedelta(days=1)


def outlook(core: Core) -> OutlookManager:
    return OutlookManager(storing(core))


def pauses(core: Core) -> PauseManager:
    return PauseManager(storing(core))


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
    found = outlook(core).upcoming(limit=500)
    assert (len(found), found.truncated) == (500, Bound.LIMIT)
    assert START < found.complete_until < START + 500 * timedelta(seconds=1)
    whole = outlook(core).upcoming(found.complete_until)
    assert [(item.moment, item.run_id) for item in whole] == [
        (item.moment, item.run_id) for item in found if item.moment < found.complete_until
    ]
    # What fires each second hides nothing of a later hour.
    at_six = outlook(core).upcoming(START + 6 * HOUR + MINUTE, since=START + 6 * HOUR)
    assert daily in {item.cron_ticker_id for item in at_six}


def test_the_time_that_an_answer_may_take_ends_it_and_says_up_to_when_it_is_complete(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_cron(core, "* * * * * *")
    looks = count()
    monkeypatch.setattr(core.clock, "monotonic", lambda: next(looks) * 0.001)
    found = outlook(core).upcoming(budget=0.15)
    assert found.truncated is Bound.BUDGET
    assert 100 < len(found) < 150
    assert found.complete_until == found[-1].moment + timedelta(seconds=1)


def test_a_connection_that_had_to_be_made_takes_nothing_from_the_time(
    core: Core, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_cron(core, "@hourly")
    connected = Core.transaction

    def slowly(self: Core, connection: Connection) -> Transaction:
        clock.advance(seconds=1)
        return connected(self, connection)

    monkeypatch.setattr(Core, "transaction", slowly)
    found = outlook(core).upcoming(limit=5)
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
    instants = outlook_reads._Reading._instants

    def noted(self: outlook_reads._Reading, cron: outlook_reads.OutlookCron) -> outlook_reads.Steps:
        read.append(cron.id)
        return instants(self, cron)

    monkeypatch.setattr(outlook_reads._Reading, "_instants", noted)
    assert len(outlook(core).upcoming(limit=10)) == 10
    assert read == [soon]


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
        ({"budget": 0}, "budget"),
        ({"budget": 60}, "budget"),
        ({"function": ""}, "function"),
    ],
)
def test_what_means_nothing_is_refused_by_name(core: Core, keywords: dict[str, object], field: str) -> None:
    with pytest.raises(TickerValidationError, match=f"^{field}: "):
        outlook(core).upcoming(**keywords)  # type: ignore[arg-type]
