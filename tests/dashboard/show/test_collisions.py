"""Minutes in which the runs of several tickers start."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from tests.inner import new_id
from tickerq_celery.enums import TickerKind
from tickerq_celery.views import OutlookItem
from tickerq_dashboard.show.collisions import MOST_NAMED, MOST_SHOWN, collisions_of

NINE = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def item(moment: datetime, function: str = "Send", cron: UUID | None = None, **fields: Any) -> OutlookItem:
    return OutlookItem(
        moment=moment,
        run_id=None if cron else new_id(),
        cron_ticker_id=cron,
        kind=TickerKind.FUNCTION,
        function=function,
        description=None,
        **fields,
    )


def test_one_ticker_that_starts_often_collides_with_nothing() -> None:
    cron = new_id()
    every_second = [item(NINE + timedelta(seconds=each), cron=cron) for each in range(60)]
    assert collisions_of(every_second) == []
    [found] = collisions_of([*every_second, item(NINE, "Report")])
    assert (found.minute, found.tickers, found.starts) == (NINE, 2, 61)
    assert found.functions == (("Send", 60), ("Report", 1))


def test_the_fullest_minutes_come_first_and_no_more_than_are_shown() -> None:
    items = [item(NINE + number * MINUTE) for number in range(MOST_SHOWN + 5) for _ in range(2)]
    found = collisions_of([*items, item(NINE + 7 * MINUTE)])
    assert found[0].minute == NINE + 7 * MINUTE
    assert [each.minute for each in found[1:]] == [NINE + n * MINUTE for n in range(MOST_SHOWN - 1)]


def test_what_does_not_start_is_left_out_and_a_jitter_counts() -> None:
    held, skipped = item(NINE, is_held=True), item(NINE, is_skipped=True)
    late = item(NINE, delay=timedelta(seconds=90))
    assert collisions_of([item(NINE), held, skipped, late]) == []
    assert [each.minute for each in collisions_of([late, item(NINE + MINUTE)])] == [NINE + MINUTE]


def test_of_many_functions_some_are_named_and_the_rest_counted() -> None:
    [found] = collisions_of([item(NINE, f"f{number}") for number in range(MOST_NAMED + 3)])
    assert (len(found.functions), found.others) == (MOST_NAMED, 3)


def test_bands_collide_where_their_moments_are_known_one_by_one() -> None:
    hour = timedelta(hours=1)
    hourly = [item(NINE, f"f{n}", new_id(), starts=24, every=hour, last=NINE + 23 * hour) for n in range(3)]
    often = item(NINE, "often", new_id(), starts=4_320, every=timedelta(seconds=20))
    found = collisions_of([*hourly, often, item(NINE + 5 * hour, "Report")])
    assert (found[0].minute, found[0].tickers, found[0].starts) == (NINE + 5 * hour, 4, 4)
    assert [each.tickers for each in found[1:]] == [3] * (MOST_SHOWN - 1)
    uneven = item(NINE, "uneven", new_id(), starts=2, marks=(NINE, NINE + 7 * hour))
    assert collisions_of([uneven, item(NINE + 7 * hour)])[0].minute == NINE + 7 * hour
