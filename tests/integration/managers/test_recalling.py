"""An operation that is submitted again returns its result, and says where that is gone since."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.inner import new_id
from tests.manual_clock import START, ManualClock
from tests.statements import occurrences
from tickerq_celery import CronTicker, TickerQ, TimeTicker
from tickerq_celery.errors import StoreError, TickerChangedError, TickerNotFoundError
from tickerq_celery.typing import Managers
from tickerq_celery.views import Actor

IN_AN_HOUR = timedelta(hours=1)
Submit = Callable[[Managers, UUID], Any]


def once(tickerq: TickerQ) -> Managers:
    return tickerq.acting_as(Actor("ana", operation_id=new_id()))


def waiting(**fields: Any) -> TimeTicker:
    return TimeTicker("Send", delay=IN_AN_HOUR, **fields)


def daily(**fields: Any) -> CronTicker:
    return CronTicker("Send", expression="0 9 * * *", **fields)


@pytest.mark.parametrize(
    "submit",
    [
        lambda all, run: all.time_tickers.add(waiting()),
        lambda all, run: all.time_tickers.update(run, retries=1),
        lambda all, run: all.time_tickers.run_now(run),
        lambda all, run: all.time_tickers.clone(run),
        lambda all, run: all.runs.cancel(run),
        lambda all, run: all.chains.cancel_rest(run),
    ],
)
def test_what_was_done_to_a_run_that_is_gone_is_reported_and_not_done_again(
    tickerq: TickerQ, submit: Submit
) -> None:
    run = tickerq.time_tickers.add(waiting())
    ana = once(tickerq)
    submit(ana, run.id)
    assert tickerq.time_tickers.delete_batch([each.id for each in tickerq.runs.iterate()]) > 0
    with pytest.raises(TickerNotFoundError, match=" was done, and it is gone since") as caught:
        submit(ana, run.id)
    assert caught.value.done in {entry.action for entry in tickerq.audit.iterate()}
    assert tickerq.runs.count() == 0


def test_a_retry_of_a_run_that_is_gone_is_told(tickerq: TickerQ) -> None:
    run = tickerq.runs.cancel(tickerq.time_tickers.add(waiting()).id)
    ana = once(tickerq)
    ana.runs.retry(run.id)
    tickerq.time_tickers.delete(run.id)
    with pytest.raises(TickerNotFoundError, match=r"runs\.retry was done"):
        ana.runs.retry(run.id)


@pytest.mark.parametrize(
    "submit",
    [
        lambda all, cron: all.cron_tickers.add(daily()),
        lambda all, cron: all.cron_tickers.update(cron, retries=1),
        lambda all, cron: all.cron_tickers.pause(cron),
        lambda all, cron: all.cron_tickers.run_now(cron),
        lambda all, cron: all.cron_tickers.backfill(cron, START - timedelta(days=2), START),
    ],
)
def test_what_was_done_to_a_cron_ticker_that_is_gone_is_reported_and_not_done_again(
    tickerq: TickerQ, submit: Submit
) -> None:
    cron = tickerq.cron_tickers.add(daily())
    ana = once(tickerq)
    submit(ana, cron.id)
    assert tickerq.cron_tickers.delete_batch([each.id for each in tickerq.cron_tickers.iterate()]) > 0
    with pytest.raises(TickerNotFoundError, match=" was done, and it is gone since"):
        submit(ana, cron.id)
    assert list(tickerq.cron_tickers.iterate()) == []


def test_a_copy_and_a_start_are_returned_again_where_the_original_is_gone(tickerq: TickerQ) -> None:
    run = tickerq.time_tickers.add(waiting())
    ana = once(tickerq)
    copy = ana.time_tickers.clone(run.id)
    tickerq.runs.delete(run.id)
    assert ana.time_tickers.clone(run.id) == copy


def test_what_was_added_to_another_namespace_is_returned_again(tickerq: TickerQ) -> None:
    ana, ben = once(tickerq), once(tickerq)
    run = ana.time_tickers.add(waiting(namespace="other"), allow_unknown=True)
    cron = ben.cron_tickers.add(daily(namespace="other"), allow_unknown=True)
    assert ana.time_tickers.add(waiting(namespace="other"), allow_unknown=True) == run
    assert ben.cron_tickers.add(daily(namespace="other"), allow_unknown=True) == cron


def test_a_deletion_that_broke_off_goes_on_with_the_version_that_was_seen(
    tickerq: TickerQ, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = tickerq.cron_tickers.add(daily())
    clock.advance(seconds=1)
    ana = once(tickerq)
    with monkeypatch.context() as patched:
        patched.setattr(occurrences, "remove_some", unreachable)
        with pytest.raises(StoreError):
            ana.cron_tickers.delete(seen.id, expected=seen)
    assert not tickerq.cron_tickers.get(seen.id).is_enabled
    ana.cron_tickers.delete(seen.id, expected=seen)
    assert list(tickerq.cron_tickers.iterate()) == []
    ana.cron_tickers.delete(seen.id, expected=seen)


def test_a_deletion_that_broke_off_does_not_go_on_past_an_edit(
    tickerq: TickerQ, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = tickerq.cron_tickers.add(daily())
    with monkeypatch.context() as patched:
        patched.setattr(occurrences, "remove_some", unreachable)
        with pytest.raises(StoreError):
            tickerq.cron_tickers.delete(seen.id, expected=seen)
    kept = tickerq.cron_tickers.resume(seen.id)
    with pytest.raises(TickerChangedError):
        tickerq.cron_tickers.delete(seen.id, expected=seen)
    assert tickerq.cron_tickers.get(seen.id) == kept


def unreachable(*args: object, **kwargs: object) -> bool:
    raise StoreError("down")
