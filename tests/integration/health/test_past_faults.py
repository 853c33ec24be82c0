"""What went wrong lately and is over is a finding: runs that were lost for good, and missed instants."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.integration.apps import change_row, fire_crons
from tests.manual_clock import START, ManualClock
from tickerq_celery import CronTicker, MisfirePolicy, TickerQ, TickerStatus, TimeTicker
from tickerq_celery.health.past_faults import LATELY
from tickerq_celery.store.health.past_faults import _HEAD
from tickerq_celery.tickers.skip_reasons import missed_in
from tickerq_celery.views import Finding, FindingCode, Severity
from tickerq_celery.wording import moment

FAILED = {"status": TickerStatus.FAILED, "ended_status": TickerStatus.FAILED, "due_at": None}
LOST = {**FAILED, "exception_type": "WorkerLost"}


def found(tickerq: TickerQ, code: FindingCode) -> Finding | None:
    return next((each for each in tickerq.health.report().findings if each.code is code), None)


def ended(tickerq: TickerQ, **columns: Any) -> UUID:
    run = tickerq.time_tickers.add(TimeTicker(function="Send", execution_time=START + timedelta(days=1)))
    change_row(tickerq, run.id, **{"ended_at": START, **columns})
    return run.id


@pytest.mark.every_database
def test_runs_that_failed_as_their_workers_died_are_found_until_they_are_retried(
    tickerq: TickerQ, clock: ManualClock
) -> None:
    assert found(tickerq, FindingCode.LOST_RUNS) is None
    first, second = ended(tickerq, **LOST), ended(tickerq, **LOST, ended_at=START + timedelta(minutes=1))
    ended(tickerq, **FAILED, exception_type="KeyError")
    clock.advance(minutes=2)
    both = found(tickerq, FindingCode.LOST_RUNS)
    assert both is not None
    assert (both.severity, both.since) == (Severity.WARNING, START)
    assert both.text.startswith("2 runs of Send failed as their workers died, the first at 2026")
    tickerq.runs.retry(first)
    one = found(tickerq, FindingCode.LOST_RUNS)
    assert one is not None
    assert one.text.startswith("1 run of Send failed as its worker died")
    assert one.since == START + timedelta(minutes=1)
    tickerq.runs.delete(second)
    assert found(tickerq, FindingCode.LOST_RUNS) is None


def test_lost_runs_and_missed_instants_of_long_ago_are_no_finding(
    tickerq: TickerQ, clock: ManualClock
) -> None:
    cron = tickerq.cron_tickers.add(CronTicker(function="Send", expression="0 * * * * *"))
    clock.advance(minutes=5)
    ended(tickerq, **LOST, ended_at=clock.now())
    fire_crons(tickerq)
    tickerq.cron_tickers.pause(cron.id)
    both = {FindingCode.LOST_RUNS, FindingCode.MISSED_INSTANTS}
    clock.advance(seconds=LATELY.total_seconds() - 1)
    assert both <= {each.code for each in tickerq.health.report().findings}
    clock.advance(seconds=2)
    assert not both & {each.code for each in tickerq.health.report().findings}


@pytest.mark.every_database
@pytest.mark.parametrize(
    ("policy", "limit", "severity", "text"),
    [
        (MisfirePolicy.RUN_ONCE, 5, Severity.WARNING, "4 instants of Send were missed {}, the first of {}"),
        (MisfirePolicy.SKIP, 5, Severity.OK, "5 instants of Send were missed {}, the first of {}"),
        (MisfirePolicy.RUN_ALL, 4, Severity.WARNING, "1 instant of Send was missed {}, that of {}"),
        (
            MisfirePolicy.RUN_ALL,
            3,
            Severity.WARNING,
            "at least 2 instants of Send were missed {}, the first of {}",
        ),
    ],
)
def test_instants_that_an_outage_left_without_a_run_are_found(
    tickerq: TickerQ, clock: ManualClock, policy: MisfirePolicy, limit: int, severity: Severity, text: str
) -> None:
    ticker = CronTicker(function="Send", expression="0 * * * * *", misfire=policy, misfire_limit=limit)
    tickerq.cron_tickers.add(ticker)
    clock.advance(minutes=5, seconds=30)
    assert found(tickerq, FindingCode.MISSED_INSTANTS) is None
    fire_crons(tickerq)
    missed = found(tickerq, FindingCode.MISSED_INSTANTS)
    assert missed is not None
    assert (missed.severity, missed.since) == (severity, clock.now())
    them = "it" if text.startswith("1 ") else "them"
    first = moment(START + timedelta(minutes=1))
    assert missed.text.startswith(text.format(f"while nothing could run {them}", first))
    assert severity is Severity.OK or "a record counts for 6 h, or until it is deleted" in (
        missed.remedy or ""
    )
    [record] = tickerq.runs.history(origin="misfire")
    assert record.skipped_head is not None
    reason = tickerq.runs.get(record.id).skipped_reason or ""
    assert f"passed while nothing could run {them} (" in reason
    assert len(reason) < _HEAD


def test_what_passes_while_a_beat_is_restarted_is_no_fault(tickerq: TickerQ, clock: ManualClock) -> None:
    tickerq.cron_tickers.add(CronTicker(function="Send", expression="* * * * * *"))
    clock.advance(seconds=59)
    fire_crons(tickerq)
    short = found(tickerq, FindingCode.MISSED_INSTANTS)
    assert short is not None
    assert short.severity is Severity.OK
    assert "58 instants of Send were missed" in short.text
    assert short.text.endswith("for less than a minute each time")
    clock.advance(seconds=61)
    fire_crons(tickerq)
    both = found(tickerq, FindingCode.MISSED_INSTANTS)
    assert both is not None
    assert both.severity is Severity.WARNING


def test_records_are_judged_one_by_one(tickerq: TickerQ, clock: ManualClock) -> None:
    skipping = CronTicker(function="Send", expression="0 * * * * *", misfire=MisfirePolicy.SKIP)
    tickerq.cron_tickers.add(skipping)
    clock.advance(minutes=3)
    fire_crons(tickerq)
    tickerq.cron_tickers.add(CronTicker(function="Send", expression="* * * * * *"))
    clock.advance(seconds=30)
    fire_crons(tickerq)
    both = found(tickerq, FindingCode.MISSED_INSTANTS)
    assert both is not None
    assert both.severity is Severity.OK
    assert "in 2 misfire records" in both.text
    assert both.text.endswith("for less than a minute or by policy skip each time")
    clock.advance(seconds=90)
    fire_crons(tickerq)
    fault = found(tickerq, FindingCode.MISSED_INSTANTS)
    assert fault is not None
    assert (fault.severity, fault.since) == (Severity.WARNING, clock.now())
    assert fault.text.startswith("89 instants of Send were missed")
    assert "misfire records" not in fault.text


def test_what_passed_in_a_pause_was_not_missed(tickerq: TickerQ, clock: ManualClock) -> None:
    cron = tickerq.cron_tickers.add(CronTicker(function="Send", expression="0 * * * * *"))
    tickerq.cron_tickers.pause(cron.id)
    clock.advance(minutes=5)
    tickerq.cron_tickers.resume(cron.id)
    [record] = tickerq.runs.history(origin="misfire")
    assert missed_in(record.skipped_head or "") is None
    assert found(tickerq, FindingCode.MISSED_INSTANTS) is None


def test_a_run_is_found_by_why_it_was_skipped(tickerq: TickerQ, clock: ManualClock) -> None:
    tickerq.cron_tickers.add(CronTicker(function="Send", expression="0 * * * * *"))
    clock.advance(minutes=5)
    fire_crons(tickerq)
    assert len(tickerq.runs.history(error="missed:")) == 1
    assert len(tickerq.runs.history(error="paused:")) == 0
