"""What a user schedules, as a value."""

import pytest

from tickerq_celery import CronTicker, TimeTicker

SECRET = TimeTicker(function="Send", request={"card": "4111"})


@pytest.mark.parametrize(
    "ticker",
    [
        SECRET,
        TimeTicker(function="Send", children=[SECRET]),
        CronTicker(function="Send", expression="@daily", request=["4111"], children=[SECRET]),
    ],
)
def test_the_text_of_a_ticker_shows_no_request(ticker: object) -> None:
    assert "4111" not in repr(ticker)
    assert "Send" in repr(ticker)
