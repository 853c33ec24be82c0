"""What all commands share: who acts, how errors are said, exit codes, help, pipes, completion."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.inner import new_id, tickerq_command
from tests.integration.apps import ticker_app
from tests.integration.cli.conftest import Cli
from tests.servers.schema_template import make_schema
from tickerq_celery import TickerQ
from tickerq_celery.cli import acting
from tickerq_celery.cli.own_commands import OWN
from tickerq_celery.errors import StoreError

BIN = Path(sys.executable).parent
# Those that look into a store, with what they cannot do without.
LOOKS = {
    "audit": [],
    "crons": [],
    "export": [],
    "nodes": [],
    "prune": [],
    "runs": [],
    "show": [str(new_id())],
}


def last_actor(tickerq: TickerQ) -> Any:
    return next(iter(tickerq.audit.find(limit=1)))


def test_who_acts_is_named_before_or_after_the_command_else_by_a_variable_else_by_the_system(
    cli: Cli, tickerq: TickerQ, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "alice")
    for arguments, environment, name in (
        (("prune", "--apply"), {}, "alice"),
        (("prune", "--apply"), {"TICKERQ_AS": "night shift"}, "night shift"),
        (("--as", "ops", "prune", "--apply"), {"TICKERQ_AS": "night shift"}, "ops"),
        (("prune", "--apply", "--as", "ada"), {}, "ada"),
        (("--as", "ops", "prune", "--apply", "--as", "ada"), {}, "ada"),
    ):
        assert cli(*arguments, env=environment).exit_code == 0
        entry = last_actor(tickerq)
        assert (entry.actor, entry.via, entry.action) == (name, "cli", "cli.prune")


def test_a_user_without_a_name_acts_by_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found: 1234")

    monkeypatch.setattr("tickerq_celery.cli.acting.getpass.getuser", nameless)
    assert acting.user_name() == f"uid {os.getuid()}"


@pytest.mark.parametrize("name", ["", "code", "a" * 201])
def test_a_name_that_no_actor_can_have_is_refused(cli: Cli, name: str) -> None:
    result = cli("--as", name, "runs")
    assert result.exit_code == 2
    assert "Invalid value for '--as'" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["rums"], "No such command 'rums': did you mean runs?"),
        (["runs", "--status", "faild"], "did you mean failed?"),
        (["runs", "--statu", "failed"], "--status"),
        (["runs", "--json", "--jsonl"], "pass --json or --jsonl, not both"),
        (["runs", "--all"], "--cursor and --all are of one list"),
        (["show", "12"], "'12' is no id: an id has 36 characters"),
        (["runs", "--cron", "12"], "'12' is no id: an id has 36 characters"),
        (["audit", "--run", "12"], "'12' is no id: an id has 36 characters"),
        (["bulk", "show", "12"], "'12' is no id: an id has 36 characters"),
        (["show", f"{'0' * 35}z"], "is no id: an id is 32 of 0-9 and a-f, and four hyphens"),
        (["show", "Send"], "'Send' is a function: `tickerq functions Send`"),
        (["explain", "Send"], "'Send' is a function: `tickerq runs --function Send`"),
        (["pause", "Send"], "'Send' is a function: `tickerq pause --function Send`"),
        (["run", "Send"], "'Send' is a function: `tickerq add Send`"),
        (["cancel", "Send"], "'Send' is a function: `tickerq cancel --function Send`"),
        (["runs", "-A", "shop"], "-A stands before the command: celery -A yourapp tickerq …"),
        (["rusn"], "did you mean runs?"),
        (["show"], "Missing argument 'ID'"),
        ([], "Missing command."),
    ],
)
def test_what_is_not_understood_ends_with_2_and_says_why_as_json_where_that_is_asked_for(
    cli: Cli, arguments: list[str], words: str
) -> None:
    result = cli(*arguments)
    if arguments:
        assert result.exit_code == 2
        assert words in result.stderr
        written = cli(*arguments, "--json")
        assert (written.exit_code, written.stdout) == (2, "")
        said = json.loads(written.stderr)
        assert (said["error"], said["exit_code"]) == ("UsageError", 2)
        assert words in said["message"]


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_store_that_does_not_answer_is_said_in_one_line(
    cli: Cli, tickerq: TickerQ, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise StoreError("connection\nrefused")

    monkeypatch.setattr("tickerq_celery.cli.shell.verify", refuse)
    store = tickerq.core.database.shown
    result = cli("runs")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        f"Error: the store did not answer: connection refused (store: {store}, namespace {namespace!r})\n"
    )
    assert json.loads(cli("runs", "--jsonl").stderr)["store"] == store


@pytest.mark.parametrize("name", LOOKS)
def test_a_look_at_a_file_that_is_not_there_names_it_and_makes_none(
    run: Callable[..., Any], tmp_path: Path, name: str
) -> None:
    result = run(name, *LOOKS[name])
    assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1)
    assert result.stderr.count(f"sqlite:///{tmp_path}/tickers.db") == 1
    assert "has no tables yet: run `celery -A yourapp tickerq migrate`" in result.stderr
    assert list(tmp_path.glob("tickers.db*")) == []


def test_ctrl_c_ends_a_command_quietly(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("tickerq_celery.cli.shell.verify", interrupt)
    result = cli("runs")
    assert (result.exit_code, result.output) == (130, "")


@pytest.mark.parametrize("name", OWN)
def test_each_command_says_what_it_does_in_one_line_without_an_application(name: str) -> None:
    result = CliRunner().invoke(tickerq_command, [name, "--help"])
    assert (result.exit_code, result.stderr) == (0, "")
    listed = " ".join(CliRunner().invoke(tickerq_command, ["--help"]).stdout.split())
    summary = OWN[name].load().short_help
    assert summary
    assert f" {name} {summary}" in listed


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("no_such_module", "No module named 'no_such_module'"),
        (
            "json.scanner",
            "no Celery app was found in it: pass -A json.scanner:NAME",
        ),
        ("json:nope", "module json has no Celery app named nope"),
        ("no_such_module:app", "No module named 'no_such_module'"),
    ],
)
def test_an_application_that_is_not_there_is_named_with_the_reason(path: str, reason: str) -> None:
    result = CliRunner().invoke(tickerq_command, ["-A", path, "runs"])
    assert (result.exit_code, result.stderr) == (1, f"Error: -A {path}: {reason}\n")


@pytest.fixture
def shop(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a program of the environment in a folder with an application, as an operator's shell does."""
    (tmp_path / "shop.py").write_text(
        "from celery import Celery\n"
        "from tickerq_celery import TickerQ\n"
        "app = Celery('shop', broker='memory://')\n"
        "tickerq = TickerQ(app, store_url='sqlite:///shop.db')\n"
        "@tickerq.function('Send')\n"
        "def send():\n    pass\n"
    )

    def invoke(script: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-c", f"set -o pipefail; {script}"],
            cwd=tmp_path,
            env={**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    return invoke


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize(("typed", "found"), [("ru", "runs"), ("runs --status fa", "failed")])
def test_what_is_typed_is_completed(namespace: str, typed: str, found: str) -> None:
    words = f"tickerq -A cli_{namespace.replace('-', '_')} {typed}"
    environ = {"COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1)}
    environ["_TICKERQ_COMPLETE"] = "bash_complete"
    result = CliRunner().invoke(tickerq_command, env=environ, prog_name="tickerq")
    assert f"plain,{found}" in result.stdout.splitlines()


@pytest.mark.usefixtures("run")
def test_a_function_of_a_module_that_the_app_includes_is_completed(
    namespace: str, configure: Callable[[str], None], tmp_path: Path
) -> None:
    module = f"cli_{namespace.replace('-', '_')}"
    jobs = f"{module}_jobs"
    (tmp_path / f"{jobs}.py").write_text(
        "from tickerq_celery import ticker_function\n@ticker_function('Report')\ndef report():\n    pass\n"
    )
    configure(f"app.conf.include = [{jobs!r}]")
    words = f"tickerq -A {module} runs --function Re"
    environ = {"COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1)}
    environ["_TICKERQ_COMPLETE"] = "bash_complete"
    result = CliRunner().invoke(tickerq_command, env=environ, prog_name="tickerq")
    assert "plain,Report" in result.stdout.splitlines()


@pytest.mark.verify
def test_both_entry_points_work_in_pipes_and_complete_what_is_typed(
    shop: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    make_schema(f"sqlite:///{tmp_path}/shop.db")
    with ticker_app(f"sqlite:///{tmp_path}/shop.db", "shop") as tickerq:
        send = tickerq.function("Send")(lambda: None)
        for _ in range(60):
            send.schedule(delay=3600)
    # More than a pipe holds, so that the writer meets its closed end.
    cut = shop("celery -A shop tickerq runs --upcoming --all --jsonl | head -1")
    assert (cut.stderr, json.loads(cut.stdout)["function"]) == ("", "Send")
    asked = shop("celery tickerq runs")
    assert asked.returncode == 2
    assert "Pass -A before the command: celery -A yourapp tickerq" in asked.stderr
    words = "tickerq -A shop runs --function S"
    completed = shop(
        "tickerq",
        COMP_WORDS=words,
        COMP_CWORD=str(len(words.split()) - 1),
        _TICKERQ_COMPLETE="bash_complete",
    )
    assert "plain,Send" in completed.stdout.splitlines()
