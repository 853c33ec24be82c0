"""What cron tickers do in a window: few starts singly, many as a band, and of one timetable computed once."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickerq_celery.schedule import shared_timetables
from tickerq_celery.schedule.shared_timetables import (
    MOMENT,
    Begin,
    OutlookWindow,
    SharedTimetables,
    WindowStarts,
    starts_in,
)
from tickerq_celery.schedule.timetable import Timetable, timetable_of

NOW = datetime(2026, 3, 28, 12, tzinfo=UTC)
EXPRESSIONS = ["30 2 * * *", "0 9 * * MON", "*/20 * * * *", "0 0 29 2 *", "@every 50m"]


@dataclass(frozen=True, kw_only=True)
class Cron:
    """A definition of a cron ticker."""

    expression: str
    time_zone: str = "Europe/Berlin"
    day_or: bool = False
    start_at: datetime | None = None
    end_at: datetime | None = None
    exclude: tuple[date, ...] = ()
    created_at: datetime = NOW


CRONS = st.builds(
    Cron,
    expression=st.sampled_from(EXPRESSIONS),
    end_at=st.sampled_from([None, NOW + timedelta(hours=30)]),
    created_at=st.sampled_from([NOW, NOW + timedelta(minutes=7)]),
)
MOMENTS = st.integers(0, 60 * 48).map(lambda minutes: NOW + timedelta(minutes=minutes))
WINDOW = OutlookWindow(since=NOW, until=NOW + timedelta(hours=20), now=NOW, most_each=6)


@given(st.lists(st.tuples(CRONS, MOMENTS)))
def test_the_starts_are_those_of_each_timetable(asked: list[tuple[Cron, datetime]]) -> None:
    shared = SharedTimetables(WINDOW)
    for cron, moment in asked:
        timetable = shared.of(cron)
        assert timetable == timetable_of(cron)
        assert shared.starts(cron, timetable, Begin(moment)) == starts_in(
            timetable_of(cron), WINDOW, Begin(moment)
        )


def test_that_of_a_thousand_cron_tickers_is_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    computed = []

    def noting(*args: Any, **kwargs: Any) -> WindowStarts:
        computed.append(args)
        return starts_in(*args, **kwargs)

    monkeypatch.setattr(shared_timetables, "starts_in", noting)
    shared = SharedTimetables(WINDOW)
    for number in range(1_000):
        cron = Cron(expression="0 9 * * *", created_at=NOW + timedelta(number))
        timetable = shared.of(cron)
        assert timetable is not None
        shared.starts(cron, timetable, Begin(NOW))
    assert len(computed) == 1


@pytest.mark.parametrize("wrong", [Cron(expression="x"), Cron(expression="* * * * *", time_zone="Nowhere")])
def test_what_cannot_be_read_has_none(wrong: Cron) -> None:
    assert SharedTimetables(WINDOW).of(wrong) is None


def starts(expression: str, hours: int = 24, **more: Any) -> WindowStarts:
    window = OutlookWindow(since=NOW, until=NOW + timedelta(hours=hours), now=NOW, most_each=6)
    return starts_in(
        timetable_of(Cron(expression=expression, time_zone="UTC")), window, Begin(NOW - MOMENT), **more
    )


def test_what_starts_often_is_a_band_of_which_few_instants_are_computed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []
    next_after = Timetable.next_after

    def noting(self: Timetable, moment: datetime) -> datetime | None:
        asked.append(moment)
        return next_after(self, moment)

    monkeypatch.setattr(Timetable, "next_after", noting)
    band = starts("*/20 * * * * *")
    assert (band.is_band, band.count, band.every) == (True, 4_320, timedelta(seconds=20))
    assert (band.moments, band.last) == ((NOW,), NOW + timedelta(hours=24, seconds=-20))
    assert band.marks == ()
    assert len(asked) <= 8


def test_a_band_that_pauses_says_where_it_starts() -> None:
    band = starts("*/20 * 17-18 * * *", hours=48)
    assert (band.count, band.every) == (4 * 180, timedelta(seconds=20))
    assert {each.hour for each in band.marks} <= {17, 18}
    assert {each.day for each in band.marks} == {28, 29}
    assert 8 <= len(band.marks) <= 12
    few = starts("0 7,9,20 * * *", hours=96)
    assert (few.count, few.every, len(few.marks)) == (12, None, 12)


def test_up_to_so_many_starts_are_said_singly() -> None:
    assert [len(starts("0 */4 * * *").moments), starts("0 */4 * * *").is_band] == [6, False]
    assert (len(starts("0 */3 * * *").moments), starts("0 */3 * * *").count) == (1, 8)


def test_a_band_has_no_more_starts_than_are_left_and_none_that_is_taken() -> None:
    hour = timedelta(hours=1)
    assert starts("0 * * * *", left=9) == WindowStarts(
        moments=(NOW,), count=9, every=hour, last=NOW + 8 * hour
    )
    assert starts("0 * * * *", left=3).moments == (NOW, NOW + hour, NOW + 2 * hour)
    assert starts("0 * * * *", left=0) == WindowStarts(moments=(), count=0)
    assert starts("0 * * * *", taken={NOW, NOW + 20 * hour}).count == 22
