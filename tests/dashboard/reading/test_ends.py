"""What ended in a window is compared with what ended in a span before it that is as long."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from tests.dashboard.conftest import Visitor
from tests.dashboard.page_text import text_in
from tests.dashboard.seeds import Seeds
from tickerq_celery import TickerStatus
from tickerq_celery.views import EndCounts, ThroughputPoint
from tickerq_dashboard.reading.ends import before, ends_of
from tickerq_dashboard.reading.reader import Reader
from tickerq_dashboard.reading.windows import OF_ALL, WINDOWS, WindowChoice

NOW = datetime(2026, 11, 26, 15, 49, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.mark.parametrize("window", OF_ALL.values(), ids=OF_ALL)
def test_of_what_ends_evenly_as_much_ended_before_as_in_the_window(window: WindowChoice) -> None:
    since = window.since(NOW)
    a_minute = 4
    first = since - 2 * window.length
    points, at = [], first + (since - first) % window.step
    while at < NOW:
        count = a_minute * ((min(at + window.step, NOW) - at) // MINUTE)
        points.append(ThroughputPoint(at=at, counts=EndCounts(failed=count)))
        at += window.step
    total = sum(each.counts.failed for each in points if each.at >= since)
    assert total == a_minute * ((NOW - since) // MINUTE)
    assert before(points, since=since, now=NOW, step=window.step).failed == total


def test_a_step_in_which_the_span_before_begins_counts_by_its_share() -> None:
    since = NOW - 50 * MINUTE
    points = [
        ThroughputPoint(at=since - hours * HOUR, counts=EndCounts(failed=failed, done=12))
        for hours, failed in ((2, 100), (1, 6), (0, 7))
    ]
    found = before(points, since=since, now=NOW, step=HOUR)
    # 50 of 60 minutes: neither what was earlier, nor what is in the window.
    assert (found.failed, found.done) == (5, 10)


def test_a_window_begins_with_the_whole_step_that_so_long_ago_is_in() -> None:
    at = datetime(2026, 11, 26, 15, 49, 31, 7, tzinfo=UTC)
    assert {slug: f"{window.since(at):%m-%d %H:%M:%S.%f}" for slug, window in OF_ALL.items()} == {
        "1h": "11-26 14:49:00.000000",
        "24h": "11-25 15:30:00.000000",
        "7d": "11-19 15:00:00.000000",
        "30d": "10-28 00:00:00.000000",
    }
    assert WINDOWS["24h"].since(at) == at.replace(day=25, minute=0, second=0, microsecond=0)


def test_the_ends_of_a_window_are_those_that_its_links_lead_to(seeds: Seeds) -> None:
    reader = Reader(seeds.tickerq, page_size=10)
    now = reader.now()
    since = OF_ALL["1h"].since(now)
    for at in (since - MINUTE, since, now - MINUTE):
        seeds.run(status=TickerStatus.FAILED, ended_at=at, execution_time=at)
    found = ends_of(reader, OF_ALL["1h"], now, None)
    assert (found.total.failed, found.before.failed, len(found.points)) == (2, 1, 61)


CHANGES: Mapping[str, tuple[int, int, str]] = {
    "more": (3, 1, "Failed 3 ▲ 2 , was 1"),
    "fewer": (1, 3, "Failed 1 ▼ 2 , was 3"),
    "as many": (2, 2, "Failed 2 as in the 1 h before"),
}


@pytest.mark.parametrize(("now", "before", "said"), CHANGES.values(), ids=CHANGES)
def test_the_overview_of_an_hour_says_how_its_figures_changed(
    seeds: Seeds, visitor: Visitor, now: int, before: int, said: str
) -> None:
    at = datetime.now(UTC)
    for count, minutes in ((now, 20), (before, 80)):
        for _ in range(count):
            seeds.run(
                status=TickerStatus.FAILED,
                ended_at=at - minutes * MINUTE,
                execution_time=at - minutes * MINUTE,
                exception_type="KeyError",
            )
    page = visitor.get("/?window=1h").text
    assert said in text_in(page)
    assert f"Errors 1 kind, {now} failure{'s' if now > 1 else ''} in 1 h" in text_in(page)
    assert 'aria-current="true">1 h</a>' in page
    assert ('class="bad">▲' in page) == (now > before)


def test_errors_and_the_overview_have_the_window_of_an_hour_and_a_function_has_not(
    seeds: Seeds, visitor: Visitor
) -> None:
    seeds.run(function="Send", execution_time=datetime.now(UTC) + HOUR)
    paths = ("/?window=1h", "/errors?window=1h", "/functions/Send?window=1h", "/functions/Send?window=24h")
    assert [visitor.get(path).status_code for path in paths] == [200, 200, 400, 200]
    assert "window=1h" not in visitor.get("/functions/Send").text
