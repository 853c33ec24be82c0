from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest

from tests.inner import delay_of

CRON = UUID("019a0000-0000-7000-8000-000000000001")
OTHER = UUID("019a0000-0000-7000-8000-000000000002")
MINUTES = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=count) for count in range(1000)]


def test_the_delay_of_an_instant_never_changes() -> None:
    # Beats of several versions share a store: this figure may never become another.
    assert delay_of(CRON, MINUTES[0], timedelta(minutes=5)) == timedelta(seconds=128.215)
    elsewhere = MINUTES[0].astimezone(timezone(timedelta(hours=9)))
    assert delay_of(CRON, elsewhere, timedelta(minutes=5)) == delay_of(CRON, MINUTES[0], timedelta(minutes=5))


@pytest.mark.parametrize("jitter", [timedelta(milliseconds=1), timedelta(seconds=10), timedelta(days=1)])
def test_delays_lie_between_nothing_and_the_jitter_and_fill_that_span(jitter: timedelta) -> None:
    delays = [delay_of(CRON, instant, jitter) for instant in MINUTES]
    assert timedelta(0) <= min(delays) < jitter / 50 + timedelta(milliseconds=1)
    assert jitter - jitter / 50 <= max(delays) <= jitter
    assert jitter * 0.45 < sum(delays, timedelta(0)) / len(delays) < jitter * 0.55


def test_without_jitter_nothing_is_delayed() -> None:
    assert delay_of(CRON, MINUTES[0], timedelta(0)) == timedelta(0)


def test_cron_tickers_of_one_instant_are_spread() -> None:
    hour = timedelta(hours=1)
    assert delay_of(CRON, MINUTES[0], hour) != delay_of(OTHER, MINUTES[0], hour)
