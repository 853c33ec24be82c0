"""The commands that change cron tickers, and pauses of more than one."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from tests.inner import new_id
from tickerq_celery import CronTicker, TickerQ, TimeTicker
from tickerq_celery.enums import HoldReason, Origin

pytestmark = pytest.mark.usefixtures("fleet")

YEAR = timedelta(days=366)


@pytest.fixture
def cron(app: Callable[[], TickerQ]) -> UUID:
    """A cron ticker that fires once a year."""
    return app().cron_tickers.add(CronTicker(function="Send", expression="0 0 1 1 *", tags=["yearly"])).id


def audited(tickerq: TickerQ) -> list[tuple[str, str, str | None]]:
    """Return who did what for which reason, the latest first; but how the tables were made."""
    return [
        (entry.actor, entry.action, entry.reason)
        for entry in tickerq.audit.find()
        if entry.action != "cli.migrate"
    ]


def test_pause_and_resume_a_cron_ticker(run, app, cron):
    result = run("pause", str(cron), "--reason", "incident 7", "--as", "ann")
    assert result.output.startswith(f"cron ticker {cron} of Send: paused since ")
    assert result.output.endswith(" by ann: incident 7\n")
    assert not app().cron_tickers.get(cron).is_enabled
    result = run("resume", str(cron), "--missed", "--as", "bob")
    assert f"cron ticker {cron} of Send: fires next at " in result.output
    assert app().cron_tickers.get(cron).is_enabled
    assert audited(app()) == [
        ("bob", "cron_tickers.resume", None),
        ("ann", "cron_tickers.pause", "incident 7"),
    ]


@pytest.mark.parametrize(
    ("arguments", "kind", "name"),
    [
        (["--function", "Send"], "function", "Send"),
        (["--tag", "a"], "tag", "a"),
        (["--everything"], "everything", ""),
    ],
)
def test_pause_and_resume_more_than_one(run, app, arguments, kind, name):
    result = run("pause", *arguments, "--reason", "incident 7", "--as", "ann")
    assert result.output.startswith(f"{kind} {name}".rstrip() + " is paused since ")
    assert result.output.endswith(" by ann: incident 7\n")
    [pause] = app().pauses.find()
    assert (pause.kind.value, pause.name, pause.paused_by) == (kind, name, "ann")
    result = run("resume", *arguments, "--expected", pause.version, "--json", "--as", "bob")
    assert json.loads(result.stdout)["version"] == pause.version
    assert app().pauses.find() == ()
    assert audited(app()) == [("bob", "pauses.resume", None), ("ann", "pauses.pause", "incident 7")]


def test_a_pause_holds_runs_and_an_earlier_one_stays_and_is_shown(run, app):
    run("pause", "--function", "Send", "--as", "ann", "--reason", "incident 7")
    waiting = run("add", "Send").output.strip()
    assert app().runs.explain(waiting).waits[0].cause.value == "pause"
    result = run("pause", "--function", "Send", "--as", "bob", "--reason", "mine")
    assert result.exit_code == 0
    assert result.output.startswith("function Send is paused already since ")
    assert result.output.endswith(" by ann: incident 7; nothing was changed\n")


def test_a_cron_ticker_that_is_paused_or_resumed_twice_is_said_to_be_as_it_was(run, cron):
    for verb in ("pause", "resume"):
        assert "nothing was changed" not in run(verb, str(cron)).output
        again = run(verb, str(cron), "--reason", "mine")
        assert (again.exit_code, again.output.endswith("; nothing was changed\n")) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (["pause", "--function", "Sned"], 1, "did you mean Send?"),
        (["pause", "--function", "Sned"], 1, "pass --allow-unknown"),
        (["pause"], 2, "pass one of CRON_ID, --function, --tag and --everything"),
        (
            ["pause", "--tag", "a", "--everything"],
            2,
            "pass one of CRON_ID, --function, --tag and --everything",
        ),
        (["pause", "--tag", "a", "--expected", "x"], 2, "--expected is of a cron ticker"),
        (["resume", "--tag", "a"], 1, "there is no pause of tag a"),
        (["pause", str(new_id())], 1, "no cron ticker has the id"),
    ],
)
def test_what_cannot_be_paused_or_resumed_is_refused(run, app, arguments, code, complaint):
    tickerq = app()
    result = run(*arguments)
    assert (result.exit_code, complaint in " ".join(result.output.split())) == (code, True), result.output
    assert tickerq.pauses.find() == ()


def test_an_unknown_function_is_paused_where_that_is_allowed(run, app):
    assert run("pause", "--function", "Sned", "--allow-unknown").exit_code == 0
    assert [each.name for each in app().pauses.find()] == ["Sned"]


def test_skip_next_and_unskip_next(run, app, cron):
    first = app().cron_tickers.get(cron).next_run_at
    result = run("skip-next", str(cron))
    after = app().cron_tickers.get(cron).next_run_at
    assert after > first
    assert result.output == f"cron ticker {cron} of Send: fires next at {after:%Y-%m-%d %H:%M:%S}Z\n"
    assert run("unskip-next", str(cron)).exit_code == 0
    assert app().cron_tickers.get(cron).next_run_at == first


def test_backfill_creates_what_a_span_has_not_and_nothing_twice(run, app, cron):
    until = datetime.now(UTC) - timedelta(days=1)
    arguments = (
        "backfill",
        str(cron),
        "--since",
        f"{until - 3 * YEAR:%Y-%m-%d}",
        "--until",
        f"{until:%Y-%m-%d}",
    )
    result = run(*arguments, "--per-minute", "10", "--as", "ann", "--json")
    made = json.loads(result.stdout)["items"]
    assert 3 <= len(made) <= 4
    assert {each["origin"] for each in made} == {Origin.BACKFILL.value}
    assert run(*arguments).output.endswith("every instant of this span has its occurrence\n")
    refused = run("backfill", str(cron), "--since", "1d", "--until", "+1d")
    assert refused.exit_code == 1
    assert audited(app())[-1][:2] == ("ann", "cron_tickers.backfill")


def test_delete_cron_takes_its_occurrences_along(run, app, cron):
    occurrence = json.loads(run("run", str(cron), "--json").stdout)["id"]
    refused = run("delete-cron", str(cron))
    assert refused.exit_code == 2
    assert f"delete cron ticker {cron} of Send (0 0 1 1 *) with all of its occurrences?" in refused.output
    assert run("delete-cron", str(cron), "--yes", "--as", "ann", "--reason", "gone").exit_code == 0
    assert [*app().cron_tickers.find(), *app().runs.find()] == []
    assert audited(app())[0] == ("ann", "cron_tickers.delete", "gone")
    assert f"no run has the id {occurrence}" in run("cancel", occurrence).output


def test_delete_cron_says_where_code_brings_it_back_and_takes_no_runs_id(run, app, monkeypatch):
    monkeypatch.setenv("CLI_CRON", "0 9 * * *")
    run("seed")
    [seeded] = app().cron_tickers.find()
    assert "it is stored anew when a worker starts" in run("delete-cron", str(seeded.id)).output
    run_id = app().time_tickers.add(TimeTicker(function="Send", delay=3600)).id
    refused = run("delete-cron", str(run_id), "--yes")
    assert (refused.exit_code, f"no cron ticker has the id {run_id}" in refused.output) == (1, True)
    assert app().runs.get(run_id).held_for is not HoldReason.PAUSED


@pytest.mark.parametrize("verb", ["pause", "resume", "skip-next", "revert"])
def test_a_runs_id_is_refused_with_what_it_is(run, app, verb):
    run_id = app().time_tickers.add(TimeTicker(function="Send", delay=3600)).id
    refused = run(verb, str(run_id))
    assert f"no cron ticker has the id {run_id}: it is a run's, see show" in refused.output


def test_several_cron_tickers_are_paused_and_resumed_at_once(run, app, cron):
    other = app().cron_tickers.add(CronTicker(function="Send", expression="0 0 1 1 *")).id
    run("pause", str(cron), "--as", "ann", "--reason", "incident 7")
    result = run("pause", str(cron), str(other), "--json")
    assert result.exit_code == 0
    items = {each["id"]: each for each in json.loads(result.stdout)["items"]}
    assert items[str(other)]["done"] == "paused"
    assert items[str(cron)]["skipped"] == "it is paused already by ann: incident 7"
    missing = new_id()
    result = run("resume", str(cron), str(other), str(missing))
    assert (result.exit_code, "it is not there" in result.output) == (1, True)
    assert {app().cron_tickers.get(each).is_enabled for each in (cron, other)} == {True}
    assert run("pause", str(cron), str(other), "--expected", "x").exit_code == 2
