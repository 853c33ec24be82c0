"""``tickerq upcoming`` and ``tickerq settings``, for people and for programs."""

import json

from tickerq_celery import CronTicker, TimeTicker


def test_upcoming_lists_stored_runs_and_instants(run, app) -> None:
    run("migrate")
    tickerq = app()
    added = tickerq.time_tickers.add(TimeTicker(function="Send", delay=30, description="mail"))
    cron = tickerq.cron_tickers.add(CronTicker(function="Send", expression="* * * * *"))
    tickerq.pauses.pause(function="Send", reason="release", by="ann")
    shown = run("upcoming", "--for", "10m", "--each")
    assert shown.exit_code == 0, shown.output
    title, *lines = shown.output.splitlines()
    assert title.split()[:3] == ["MOMENT", "STATE", "STARTS"]
    assert sum(str(cron.id) in line for line in lines) in {9, 10}
    (stored,) = [line for line in lines if str(added.id) in line]
    assert "held: function Send is paused by ann: release" in stored
    (band,) = [line for line in run("upcoming", "--for", "1d").output.splitlines() if str(cron.id) in line]
    assert "1,440, every 1 min" in band


def test_a_program_gets_the_bounds_of_the_answer(run, app) -> None:
    run("migrate")
    app().cron_tickers.add(CronTicker(function="Send", expression="* * * * *"))
    found = json.loads(run("upcoming", "--limit", "3", "--each", "--json").output)
    assert len(found["items"]) == 3
    assert found["truncated"] == "limit"
    assert found["complete_until"] < found["until"]
    assert found["items"][0]["run_id"] is None
    assert "There is more: complete up to " in run("upcoming", "--limit", "3", "--each").output
    [band] = json.loads(run("upcoming", "--json").output)["items"]
    assert (band["starts"], band["every"]) == (1_440, 60.0)


def test_two_ends_are_refused(run) -> None:
    run("migrate")
    found = run("upcoming", "--for", "1h", "--until", "+2h")
    assert found.exit_code == 2
    assert "pass --for or --until, not both" in found.output


def test_a_bare_duration_is_not_taken_for_a_moment_that_has_passed(run) -> None:
    run("migrate")
    found = run("upcoming", "--until", "1h")
    assert found.exit_code == 2
    assert "'1h' is a duration: pass +1h, or a moment" in found.output
    assert run("upcoming", "--until", "+1h").exit_code == 0


def test_nothing_is_to_come_where_nothing_is_stored(run) -> None:
    run("migrate")
    assert "nothing is to come" in run("upcoming").output


def test_settings_are_shown_with_where_they_come_from(run, configure) -> None:
    configure("app.conf.tickerq_lease = 60")
    run("migrate")
    shown = run("settings").output
    assert [line.split() for line in shown.splitlines() if line.startswith("lease")] == [
        ["lease", "configuration", "1", "min"]
    ]
    found = json.loads(run("settings", "--json").output)
    assert found["schema"]["number"] == found["schema_needed"]
    assert {"name": "seed", "value": "True", "source": "default"} in found["settings"]


def test_settings_are_shown_without_a_store(run) -> None:
    shown = run("settings")
    assert shown.exit_code == 0
    assert "problem" in shown.output
