"""``hand-back``: what it shows, what stops it, and what it says was done."""

import json
from datetime import timedelta
from pathlib import Path

from tickerq_celery import CronTicker, TickerStatus, TimeTicker
from tickerq_celery.broker.message_holding import Holding
from tickerq_celery.cli.changing import handing_back

TASK = """
@app.task(name="shop.add", shared=False)
def add(x):
    pass
"""
IN_AN_HOUR = ("--in", "1h")


def prepared(run, app, configure):
    configure(TASK)
    tickerq = app()
    tickerq.create_schema()
    return tickerq


def test_without_apply_it_only_shows(run, app, configure):
    tickerq = prepared(run, app, configure)
    run("add", "--task", "shop.add", "x=1", *IN_AN_HOUR)
    tickerq.cron_tickers.add(CronTicker(task="shop.add", kwargs={"x": 2}, expression="0 9 * * MON-FRI"))
    result = run("hand-back")
    assert result.exit_code == 0, result.output
    assert "nothing was handed back: add --apply" in result.stdout
    assert "crontab(minute='0', hour='9', day_of_week='MON-FRI')" in result.stdout
    assert [each.status for each in tickerq.runs.find()] == [TickerStatus.IDLE]


def test_what_celery_cannot_hold_stops_it_unless_it_is_left(run, app, configure):
    tickerq = prepared(run, app, configure)
    run("add", "--task", "shop.add", "x=1", *IN_AN_HOUR)
    tickerq.time_tickers.add(
        TimeTicker(function="Send", execution_time=tickerq.runs.find()[0].execution_time)
    )
    stopped = run("hand-back", "--apply")
    assert (stopped.exit_code, "pass --leave" in stopped.output) == (1, True)
    assert "of a ticker function" in stopped.output
    assert {each.status for each in tickerq.runs.find()} == {TickerStatus.IDLE}
    done = run("hand-back", "--apply", "--leave", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout) == {
        "sent": 1, "later": 0, "held": 0, "locked": 0, "refused": [], "beat_schedule": None,
    }  # fmt: skip
    assert {each.function: each.status for each in tickerq.runs.find()} == {
        "shop.add": TickerStatus.DONE, "Send": TickerStatus.IDLE,
    }  # fmt: skip
    [entry] = tickerq.audit.find(action="cli.hand-back")
    assert entry.reason == "sent 1 calls, wrote 0 to a file"


def test_a_file_in_no_folder_is_refused_before_anything_is_sent(run, app, configure):
    tickerq = prepared(run, app, configure)
    run("add", "--task", "shop.add", "x=1", *IN_AN_HOUR)
    refused = run("hand-back", "--apply", "--later", str(Path("missing") / "later.jsonl"))
    assert (refused.exit_code, "no such folder" in refused.output) == (1, True)
    assert [each.status for each in tickerq.runs.find()] == [TickerStatus.IDLE]


def test_what_is_left_is_not_dropped(run, app, configure):
    tickerq = prepared(run, app, configure)
    refused = run("hand-back", "--apply", "--leave", "--drop-tables")
    assert (refused.exit_code, "pass it or --drop-tables" in refused.output) == (2, True)
    assert len(tickerq.runs.find()) == 0


def test_anyway_sends_also_what_is_due_late(run, app, configure, tmp_path, monkeypatch):
    prepared(run, app, configure)
    run("add", "--task", "shop.add", "x=1", *IN_AN_HOUR)
    monkeypatch.setattr(handing_back, "holding_of", lambda app: Holding(limit=timedelta(minutes=10)))
    shown = run("hand-back")
    assert "due later than a worker may hold a message: 1 call" in shown.output
    assert "is not known" not in shown.output
    assert "sent 1 call to the broker, wrote 0" in run("hand-back", "--apply", "--anyway").output
    assert not (tmp_path / "tickerq-later.jsonl").exists()


def test_where_a_broker_is_not_known_to_hold_anything_it_is_said_and_nothing_late_is_sent(
    run, app, configure, tmp_path, monkeypatch
):
    prepared(run, app, configure)
    run("add", "--task", "shop.add", "x=1", *IN_AN_HOUR)
    unknown = Holding(limit=timedelta(0), unknown="confluentkafka")
    monkeypatch.setattr(handing_back, "holding_of", lambda app: unknown)
    assert "one of confluentkafka is not known; --anyway" in run("hand-back").output
    assert "sent 0 calls to the broker, wrote 1" in run("hand-back", "--apply").output
