"""``tickerq explain``: why a run does not run, for people and for programs."""

import json

from tests.inner import new_id
from tickerq_celery import CronTicker, TimeTicker


def test_it_says_why_and_who_changes_it(run, app) -> None:
    run("migrate")
    added = app().time_tickers.add(TimeTicker(function="Send", delay=3_600))
    shown = run("explain", str(added.id))
    assert shown.exit_code == 0
    first, _, text, remedy, *_ = shown.output.splitlines()
    assert first.startswith(f"Send {added.id}: Waits for its time, ")
    assert text.startswith("Its time has not come: it is due at ")
    assert remedy.startswith(f"To change it: `tickerq run {added.id}`, or ")
    assert "No beat is alive" in shown.output


def test_a_program_gets_the_causes(run, app) -> None:
    run("migrate")
    added = app().time_tickers.add(TimeTicker(function="Send", delay=3_600))
    found = json.loads(run("explain", str(added.id), "--json").output)
    assert [wait["cause"] for wait in found["waits"]] == ["time", "function", "beat"]
    assert (found["run_id"], found["status"]) == (str(added.id), "idle")


def test_one_that_is_not_there_is_an_error_in_one_line(run, app) -> None:
    run("migrate")
    missing = run("explain", str(new_id()))
    assert missing.exit_code == 1
    assert "no run has the id" in missing.output
    assert run("explain", "nonsense").exit_code == 2


def test_a_cron_ticker_is_said_to_be_one_with_what_there_is_about_it(run, app) -> None:
    run("migrate")
    cron = app().cron_tickers.add(CronTicker(function="Send", expression="0 9 * * *"))
    refused = run("explain", str(cron.id))
    assert refused.exit_code == 2
    said = " ".join(refused.stderr.split())
    assert f"{cron.id} is a cron ticker of Send, and no run: `tickerq show {cron.id}`" in said
    assert f"`tickerq runs --cron {cron.id}`" in said
