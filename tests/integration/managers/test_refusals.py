"""A refusal carries what it is about as it is, so that a page can show that."""

from datetime import timedelta

import pytest

from tests.inner import Core
from tests.integration.locking import locked
from tests.integration.making import ON_SERVERS
from tests.tables import tickers
from tickerq_celery import CronTicker, TickerQ, TimeTicker
from tickerq_celery.errors import StoreError, TickerBusyError, TickerStateError

IN_AN_HOUR = timedelta(hours=1)


def test_a_refused_verb_carries_the_run_as_it_is(tickerq: TickerQ) -> None:
    run = tickerq.time_tickers.add(TimeTicker("Send", delay=IN_AN_HOUR))
    cancelled = tickerq.runs.cancel(run.id)
    for verb in (tickerq.runs.cancel, tickerq.runs.release, tickerq.runs.mark_failed):
        with pytest.raises(TickerStateError) as caught:
            verb(run.id)
        assert caught.value.current == cancelled


def test_a_refused_verb_carries_the_cron_ticker_as_it_is(tickerq: TickerQ) -> None:
    cron = tickerq.cron_tickers.add(CronTicker("Send", expression="0 * * * *"))
    for verb in (tickerq.cron_tickers.unskip_next, tickerq.cron_tickers.revert_to_code):
        with pytest.raises(TickerStateError) as caught:
            verb(cron.id)
        assert caught.value.current == cron


@pytest.mark.parametrize("store_url", ON_SERVERS, indirect=True)
@pytest.mark.timeout(60)
def test_what_is_busy_is_shown_as_others_see_it(tickerq: TickerQ) -> None:
    run = tickerq.time_tickers.add(TimeTicker("Send", delay=IN_AN_HOUR))
    with locked(tickerq.core, tickers, tickers.c.id == run.id), pytest.raises(TickerBusyError) as caught:
        tickerq.runs.delete(run.id)
    assert caught.value.current == run


def test_a_refusal_is_raised_as_it_is_where_the_store_is_gone_by_then(
    tickerq: TickerQ, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tickerq.time_tickers.add(TimeTicker("Send", delay=IN_AN_HOUR))

    def gone(self: Core, *_: object, **__: object) -> None:
        raise StoreError("gone")

    monkeypatch.setattr(Core, "read", gone)
    with pytest.raises(TickerStateError) as caught:
        tickerq.runs.release(run.id)
    assert caught.value.current is None
