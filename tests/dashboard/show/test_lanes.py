"""The coming hours as lanes: marks that lead somewhere, bands, and an axis."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from tests.inner import new_id
from tickerq_celery.enums import TickerKind
from tickerq_celery.views import OutlookItem
from tickerq_dashboard.show.charts.lanes import MOST_LANES, Lanes, lanes_of
from tickerq_dashboard.show.moments import Clock

NOW = datetime(2026, 11, 26, 14, 4, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
BERLIN = Clock(now=NOW, zone=ZoneInfo("Europe/Berlin"), name="Europe/Berlin")


def item(hours: float, function: str = "Send", cron: UUID | None = None, **fields: Any) -> OutlookItem:
    return OutlookItem(
        moment=NOW + hours * HOUR,
        run_id=None if cron else new_id(),
        cron_ticker_id=cron,
        kind=TickerKind.FUNCTION,
        function=function,
        description=None,
        **fields,
    )


def lanes(*items: OutlookItem, hours: int = 24) -> Lanes:
    return lanes_of(items, NOW, NOW + hours * HOUR, BERLIN)


def test_a_band_is_one_link_that_says_its_rate() -> None:
    flush = item(1, "flush", new_id(), starts=180, every=timedelta(seconds=20), last=NOW + 2 * HOUR)
    found = lanes(flush, item(12, "nightly"))
    assert [(each.function, each.count, len(each.marks)) for each in found.shown] == [
        ("flush", 180, 1),
        ("nightly", 1, 1),
    ]
    [band] = found.shown[0].marks
    assert (band.item, band.title) == (flush, "every 20\u202fs, 180 in this window")
    # From one hour on to the other, of 24.
    assert band.parts == (("4.17%", "4.17%"),)


def test_a_band_is_drawn_where_it_starts_and_not_between() -> None:
    hourly = item(0, cron=new_id(), starts=24, every=HOUR, last=NOW + 23 * HOUR)
    assert len(lanes(hourly).shown[0].marks[0].parts) == 24
    by_day = item(0, cron=new_id(), starts=900, marks=(NOW, NOW + 10 * timedelta(minutes=1), NOW + 9 * HOUR))
    assert len(lanes(by_day).shown[0].marks[0].parts) == 2


def test_a_mark_leads_to_its_ticker_or_to_the_span_of_several() -> None:
    alone, two = item(3), (item(9), item(9.05))
    [lane] = lanes(alone, *two).shown
    span, own = lane.marks
    assert (own.item, own.title) == (alone, "18:04:12")
    assert span.item is None
    assert span.since <= two[0].moment <= two[1].moment < span.until
    assert span.title.startswith("several, ")


@pytest.mark.parametrize(
    ("hours", "texts"),
    [
        (24, ["18:00", "21:00", "Fri 27", "03:00", "06:00", "09:00", "12:00"]),
        (1, ["15:10", "15:20", "15:30", "15:40", "15:50", "16:00"]),
        (168, ["Fri 27", "Sat 28", "Sun 29", "Mon 30", "Tue 1", "Wed 2", "Thu 3"]),
    ],
)
def test_the_axis_has_round_moments_of_the_readers_zone(hours: int, texts: list[str]) -> None:
    assert [tick.text for tick in lanes(hours=hours).ticks] == texts


def test_what_is_held_is_not_drawn_and_of_many_functions_those_with_most_starts_are() -> None:
    many = [item(1, f"f{number}") for number in range(MOST_LANES + 5)]
    found = lanes(*many, item(2, "f7"), item(3, "held", is_held=True))
    assert (len(found.shown), found.functions) == (MOST_LANES, MOST_LANES + 5)
    assert (found.shown[0].function, found.shown[0].count) == ("f7", 2)


def test_cron_tickers_with_one_timetable_are_counted_and_drawn_once() -> None:
    alike = [item(0, cron=new_id(), starts=24, every=HOUR, last=NOW + 23 * HOUR) for _ in range(50)]
    [lane] = lanes(*alike).shown
    assert (lane.count, len(lane.marks), {mark.item for mark in lane.marks}) == (50 * 24, 24, {None})


def test_those_of_one_moment_that_a_jitter_moves_apart_are_drawn_apart() -> None:
    moved = [item(0, cron=new_id(), delay=hours * HOUR) for hours in range(4)]
    [lane] = lanes(*moved).shown
    assert len(lane.marks) == 4
