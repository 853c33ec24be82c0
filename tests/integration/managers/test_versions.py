"""With ``expected=`` a verb changes what its caller has seen, or nothing."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.integration.apps import fire_crons
from tests.manual_clock import START, ManualClock
from tickerq_celery import CronTicker, Run, TickerQ, TimeTicker
from tickerq_celery.errors import TickerChangedError, TickerValidationError

IN_AN_HOUR = timedelta(hours=1)


def waiting(tickerq: TickerQ) -> Run:
    return tickerq.time_tickers.add(TimeTicker("Send", delay=IN_AN_HOUR))


def daily() -> CronTicker:
    return CronTicker("Send", expression="0 9 * * *")


@pytest.mark.parametrize(
    "act",
    [
        lambda all, seen: all.runs.cancel(seen.id, expected=seen),
        lambda all, seen: all.time_tickers.cancel(seen.id, expected=seen.version),
        lambda all, seen: all.time_tickers.update(seen.id, retries=2, expected=seen),
        lambda all, seen: all.time_tickers.update_batch({seen.id: {"retries": 2}}, expected=[seen]),
        lambda all, seen: all.time_tickers.run_now(seen.id, expected=seen),
        lambda all, seen: all.time_tickers.delete(seen.id, expected=seen),
        lambda all, seen: all.time_tickers.delete_batch([seen.id], expected={str(seen.id): seen.version}),
        lambda all, seen: all.runs.delete(seen.id, expected=seen),
        lambda all, seen: all.runs.delete_batch([seen.id], expected=[seen]),
    ],
)
def test_a_time_ticker_that_has_changed_stays_as_it_is(tickerq: TickerQ, act: Callable[..., object]) -> None:
    seen = waiting(tickerq)
    # Within one tick of the clock.
    changed = tickerq.time_tickers.update(seen.id, retries=1)
    with pytest.raises(TickerChangedError) as caught:
        act(tickerq, seen)
    assert (caught.value.current.retries, tickerq.runs.get(seen.id)) == (1, changed)
    act(tickerq, changed)


@pytest.mark.parametrize(
    "act",
    [
        lambda all, seen: all.cron_tickers.pause(seen.id, expected=seen),
        lambda all, seen: all.cron_tickers.resume(seen.id, expected=seen),
        lambda all, seen: all.cron_tickers.update(seen.id, retries=2, expected=seen),
        lambda all, seen: all.cron_tickers.update_batch({seen.id: {"retries": 2}}, expected=[seen]),
        lambda all, seen: all.cron_tickers.skip_next(seen.id, expected=seen),
        lambda all, seen: all.cron_tickers.run_now(seen.id, expected=seen),
        lambda all, seen: all.cron_tickers.backfill(seen.id, START - IN_AN_HOUR, START, expected=seen),
        lambda all, seen: all.cron_tickers.delete(seen.id, expected=seen),
        lambda all, seen: all.cron_tickers.delete_batch([seen.id], expected=[seen]),
    ],
)
def test_a_cron_ticker_that_has_changed_stays_as_it_is(tickerq: TickerQ, act: Callable[..., object]) -> None:
    seen = tickerq.cron_tickers.add(daily())
    changed = tickerq.cron_tickers.update(seen.id, retries=1)
    with pytest.raises(TickerChangedError) as caught:
        act(tickerq, seen)
    assert (caught.value.current, tickerq.cron_tickers.get(seen.id)) == (changed, changed)
    act(tickerq, changed)


def test_a_retry_wants_the_end_that_was_seen(tickerq: TickerQ) -> None:
    # Within one tick of the clock.
    seen = tickerq.runs.cancel(waiting(tickerq).id)
    tickerq.runs.retry(seen.id)
    again = tickerq.runs.cancel(seen.id)
    with pytest.raises(TickerChangedError):
        tickerq.runs.retry(seen.id, expected=seen)
    assert tickerq.runs.retry(seen.id, expected=again).status is not again.status


def test_the_pause_that_was_seen_is_ended_and_no_later_one(tickerq: TickerQ) -> None:
    seen = tickerq.pauses.pause(function="Send", reason="deploy")
    tickerq.pauses.resume(function="Send")
    tickerq.pauses.pause(function="Send", reason="an outage")
    with pytest.raises(TickerChangedError):
        tickerq.pauses.resume(function="Send", expected=seen)
    assert [pause.reason for pause in tickerq.pauses.find()] == ["an outage"]


def test_each_change_of_a_run_moves_its_version_within_one_tick(tickerq: TickerQ) -> None:
    run = waiting(tickerq)
    # A claim has a number of its own, and so would tell them apart.
    tickerq.pauses.pause(everything=True)
    changes = (
        lambda: tickerq.time_tickers.update(run.id, retries=1),
        lambda: tickerq.time_tickers.update(run.id, retries=2),
        lambda: tickerq.runs.cancel(run.id),
        lambda: tickerq.runs.retry(run.id),
        lambda: tickerq.runs.cancel(run.id),
        lambda: tickerq.runs.retry(run.id),
    )
    versions = [run.version, *(change().version for change in changes)]
    assert len(set(versions)) == 7


def test_each_change_moves_the_version_and_a_fire_does_not(tickerq: TickerQ, clock: ManualClock) -> None:
    cron = tickerq.cron_tickers.add(daily())
    changes = (
        lambda: tickerq.cron_tickers.update(cron.id, retries=1),
        lambda: tickerq.cron_tickers.update(cron.id, retries=2),
        lambda: tickerq.cron_tickers.skip_next(cron.id),
        lambda: tickerq.cron_tickers.skip_next(cron.id),
        lambda: tickerq.cron_tickers.pause(cron.id),
        lambda: tickerq.cron_tickers.resume(cron.id),
    )
    versions = [cron.version, *(change().version for change in changes)]
    assert len(set(versions)) == 7
    clock.advance(days=7)
    fire_crons(tickerq)
    fired = tickerq.cron_tickers.get(cron.id)
    assert (fired.version, fired.run_count) == (versions[-1], 1)


def test_what_has_no_version_is_refused(tickerq: TickerQ) -> None:
    run = waiting(tickerq)
    for wrong in (7, run.id, object()):
        with pytest.raises(TickerValidationError, match="expected"):
            tickerq.runs.cancel(run.id, expected=wrong)


@pytest.mark.parametrize(
    "act",
    [
        lambda all, run, versions: all.runs.delete_batch([run.id], expected=versions),
        lambda all, run, versions: all.time_tickers.delete_batch([run.id], expected=versions),
        lambda all, run, versions: all.time_tickers.update_batch({run.id: {"retries": 1}}, expected=versions),
        lambda all, run, versions: all.cron_tickers.delete_batch([run.id], expected=versions),
        lambda all, run, versions: all.cron_tickers.update_batch({run.id: {"retries": 1}}, expected=versions),
    ],
)
def test_a_version_of_what_is_not_in_the_batch_is_refused(
    tickerq: TickerQ, act: Callable[..., object]
) -> None:
    run, other = waiting(tickerq), waiting(tickerq)
    with pytest.raises(TickerValidationError, match=f"expected: .*not in the batch.*{other.id}"):
        act(tickerq, run, [run, other])
    assert tickerq.runs.get(run.id) == run
