"""``health``: the answer first, what to do about each finding, JSON for programs, and probes."""

import json
import socket

import pytest

from tests.inner import new_id
from tests.integration.apps import join
from tests.statements import cron_pauses
from tickerq_celery.enums import NodeKind
from tickerq_celery.store.cron.cron_pauses import PausedCron


@pytest.mark.usefixtures("migrated")
def test_health_says_how_much_is_wrong_then_what_and_what_to_do(run, app) -> None:
    join(app(), NodeKind.WORKER, queues=["celery"])
    app().pauses.pause(function="Send", reason="the mail server moves", by="ann")
    result = run("health")
    assert result.exit_code == 1
    first, failed, remedy, warned, resume, *well = result.output.splitlines()
    assert first == "Not well: 1 failure, 1 warning"
    assert (failed, remedy) == (
        "failed   no beat is alive",
        "         -> start one, `celery -A yourapp beat`",
    )
    assert warned.startswith("warning  function Send is paused since ")
    assert warned.endswith(" by ann: the mail server moves")
    assert resume == "         -> `tickerq resume --function Send` ends it"
    assert {line[:9] for line in well} == {"ok       "}


@pytest.mark.usefixtures("fleet")
def test_health_ends_with_0_where_all_is_well_or_only_a_warning(run, app) -> None:
    assert (run("health").exit_code, run("health").output.splitlines()[0]) == (0, "All well")
    app().pauses.pause(everything=True, by="ann")
    result = run("health")
    first = result.output.splitlines()[0]
    assert result.exit_code == 0
    assert first.startswith("Well, with 1 warning: everything is paused since ")
    assert first.endswith(" by ann")


@pytest.mark.usefixtures("migrated")
def test_health_as_json_has_state_headline_and_each_finding(run) -> None:
    result = run("health", "--json")
    report = json.loads(result.output)
    assert result.exit_code == 1
    assert (report["status"], report["headline"]) == ("failed", "no beat is alive")
    assert report["at"].endswith("+00:00")
    assert {"code": "no_worker", "severity": "failed"}.items() <= report["findings"][3].items()
    fields = {"code", "severity", "text", "subject", "since", "remedy", "functions", "error_head", "measured"}
    assert set(report["findings"][0]) == fields


@pytest.mark.usefixtures("fleet")
def test_health_and_check_say_what_the_last_error_of_a_paused_cron_ticker_said(
    run, monkeypatch: pytest.MonkeyPatch
) -> None:
    cron = PausedCron(
        id=new_id(),
        function="Send",
        expression="0 9 * * *",
        reason="an occurrence has failed",
        paused_by="tickerq",
        paused_at=None,
        error_type="OSError",
        error_head="no route\x1b to host",
    )
    monkeypatch.setattr(cron_pauses, "paused", lambda tx, *, most: [cron])
    _, said, error, remedy, *_ = run("health").output.splitlines()
    assert said.endswith(" has failed, the last with OSError")
    assert error == "         the last error: no route\\x1b to host"
    assert remedy.startswith("         -> fix the cause")
    assert "the last with OSError (the last error: no route" in run("check").output


@pytest.mark.usefixtures("fleet")
@pytest.mark.parametrize("kind", list(NodeKind))
def test_a_probe_judges_its_kind_on_its_host_and_asks_no_broker(
    run, app, configure, monkeypatch: pytest.MonkeyPatch, kind: NodeKind
) -> None:
    configure("app.conf.broker_url = 'redis://127.0.0.1:1/0'")
    for arguments in ((f"--{kind}",), (f"--{kind}", "--here")):
        result = run("health", *arguments)
        assert (result.exit_code, result.output.splitlines()[0]) == (0, "All well")
        assert len(result.output.splitlines()) == 2
    monkeypatch.setattr(socket, "gethostname", lambda: "another")
    here = run("health", f"--{kind}", "--here")
    assert here.exit_code == 1
    assert here.output.splitlines()[1] == f"failed   no {kind} is alive on another"
    assert run("health", f"--{kind}").exit_code == 0


def test_a_probe_names_a_store_that_does_not_answer_in_one_line(run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLI_STORE", "postgresql+psycopg://ada:secret@127.0.0.1:1/none")
    result = run("health", "--beat", "--here")
    assert result.exit_code == 1
    assert "failed   store postgresql+psycopg://ada:***@127.0.0.1:1/none: " in result.output
    assert "secret" not in result.output


@pytest.mark.usefixtures("fleet")
def test_here_alone_is_refused(run) -> None:
    result = run("health", "--here")
    assert result.exit_code == 2
    assert "--here is of one kind: add --beat or --worker" in result.output


@pytest.mark.usefixtures("fleet")
def test_check_fails_where_beat_could_not_append_to_the_archive(run, configure, tmp_path) -> None:
    configure(f"app.conf.tickerq_prune_archive = '{tmp_path}/gone/a.jsonl'")
    for arguments in (("check",), ("check", "--offline")):
        result = run(*arguments)
        assert result.exit_code == 1
        assert f"failed   the archive {tmp_path}/gone/a.jsonl cannot be written from here" in result.output
    (tmp_path / "gone").mkdir()
    assert run("check").exit_code == 0
    assert list((tmp_path / "gone").iterdir()) == []


@pytest.mark.usefixtures("fleet")
def test_explain_without_an_id_says_how_to_find_one(run) -> None:
    result = run("explain")
    assert result.exit_code == 2
    assert "`tickerq runs --active` lists what waits, `tickerq health` says why" in result.output
