"""The instants to come of cron tickers, against a walk over every one of their timetables."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.inner import delay_of
from tickerq_celery.enums import PauseKind, TickerKind
from tickerq_celery.schedule.shared_timetables import OutlookWindow, SharedTimetables
from tickerq_celery.schedule.timetable import timetable_of
from tickerq_celery.tickers.outlook_items import OVERDUE, UNREADABLE, OutlookCron, items_of
from tickerq_celery.views import OutlookItem, Pause

NOW = datetime(2026, 3, 28, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
MOMENT = timedelta(microseconds=1)
CRON = OutlookCron(
    id=UUID(int=1),
    kind=TickerKind.FUNCTION,
    function="Send",
    description="mails",
    tags=(),
    expression="@hourly",
    time_zone="UTC",
    day_or=False,
    start_at=None,
    end_at=None,
    max_runs=None,
    run_count=0,
    exclude=(),
    jitter=timedelta(0),
    next_run_at=NOW + HOUR,
    resume_from=None,
    created_at=NOW - HOUR,
)
EXPRESSIONS = [
    "@hourly",
    "*/20 * * * *",
    "30 2 * * *",
    "0 9 * * MON",
    "0 0 29 2 *",
    "@every 50m",
    "15 */3 * * *",
]


def window(until: datetime, *, since: datetime = NOW, most_each: int = 10_000) -> OutlookWindow:
    return OutlookWindow(since=since, until=until, now=NOW, most_each=most_each)


def found(
    cron: OutlookCron, within: OutlookWindow, *, pause: Pause | None = None, taken: tuple[datetime, ...] = ()
) -> list[OutlookItem]:
    return items_of(cron, within, pause=pause, taken=taken, timetables=SharedTimetables(within))


def moments(items: list[OutlookItem]) -> list[datetime]:
    return [item.moment for item in items]


@given(st.data())
def test_they_are_what_a_walk_over_the_timetable_finds(data: st.DataObject) -> None:
    since = NOW + data.draw(st.integers(-2, 40)) * HOUR
    until = since + data.draw(st.integers(1, 48)) * HOUR
    cron = replace(
        CRON,
        expression=data.draw(st.sampled_from(EXPRESSIONS)),
        time_zone=data.draw(st.sampled_from(["UTC", "Europe/Berlin", "America/St_Johns"])),
        exclude=data.draw(st.sampled_from([(), (date(2026, 3, 29),)])),
        end_at=data.draw(st.sampled_from([None, NOW + 30 * HOUR])),
        max_runs=data.draw(st.sampled_from([None, 3, 9])),
        run_count=2,
    )
    first = timetable_of(cron).next_after(NOW + data.draw(st.integers(-3, 5)) * HOUR)
    cron = replace(cron, next_run_at=first)
    walked = []
    moment = first
    while moment is not None and moment < until:
        walked.append(moment)
        moment = timetable_of(cron).next_after(max(moment, NOW))
    taken = tuple(data.draw(st.sets(st.sampled_from(walked)))) if walked else ()
    left = None if cron.max_runs is None else cron.max_runs - cron.run_count
    wanted = [each for each in walked if each not in taken][:left]
    said = [each for each in wanted if each >= since]
    assert moments(found(cron, window(until, since=since), taken=taken)) == said
    bands = found(cron, window(until, since=since, most_each=2), taken=taken)
    assert sum(each.starts for each in bands) == len(said)
    assert moments(bands[:1]) == said[:1]


def test_one_that_is_overdue_is_said_once_and_goes_on_from_now() -> None:
    cron = replace(CRON, next_run_at=NOW - 5 * HOUR)
    items = found(cron, window(NOW + 3 * HOUR, since=NOW - 9 * HOUR))
    assert moments(items) == [NOW - 5 * HOUR, NOW + HOUR, NOW + 2 * HOUR]
    assert [item.note for item in items] == [OVERDUE, None, None]


@pytest.mark.parametrize("hours", [-5, 2])
def test_one_that_waits_for_the_end_of_a_pause_fires_nothing_that_has_passed(hours: int) -> None:
    cron = replace(CRON, next_run_at=None, resume_from=NOW + hours * HOUR)
    pause = Pause(kind=PauseKind.FUNCTION, name="Send", reason="release", paused_by="ann", paused_at=NOW)
    items = found(cron, window(NOW + 3 * HOUR), pause=pause)
    assert moments(items) == [NOW + each * HOUR for each in ((1, 2) if hours < 0 else (2,))]
    assert {item.note for item in items} == {"held: function Send is paused by ann: release"}
    assert all(item.is_held and item.pause is pause for item in items)


def test_one_that_cannot_be_read_here_shows_what_beat_has_stored_and_says_so() -> None:
    cron = replace(CRON, expression="no cron")
    (item,) = found(cron, window(NOW + 9 * HOUR))
    assert (item.moment, item.note) == (NOW + HOUR, UNREADABLE)


def test_an_item_says_which_cron_ticker_it_is_of_and_how_much_later_the_jitter_lets_it_run() -> None:
    cron = replace(CRON, jitter=timedelta(minutes=10))
    (item,) = found(cron, window(NOW + 2 * HOUR))
    assert (item.run_id, item.cron_ticker_id, item.function, item.description) == (
        None,
        CRON.id,
        "Send",
        "mails",
    )
    assert item.is_computed
    assert item.delay == delay_of(CRON.id, item.moment, cron.jitter) > timedelta(0)


def test_what_starts_often_is_one_item_that_a_pause_holds_and_one_that_is_overdue_stands_before_it() -> None:
    pause = Pause(kind=PauseKind.FUNCTION, name="Send", reason="release", paused_by="ann", paused_at=NOW)
    cron = replace(CRON, expression="*/20 * * * * *", next_run_at=NOW - HOUR)
    overdue, band = found(cron, window(NOW + HOUR, since=NOW - 2 * HOUR, most_each=6), pause=pause)
    assert (overdue.is_band, overdue.moment, OVERDUE in (overdue.note or "")) == (False, NOW - HOUR, True)
    assert (band.starts, band.every, band.is_held) == (179, timedelta(seconds=20), True)
    assert band.note == "held: function Send is paused by ann: release"
