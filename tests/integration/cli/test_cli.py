"""The command line, run as an operator runs it."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.integration.apps import change_row
from tickerq_celery import TickerQ, TickerStatus, TimeTicker
from tickerq_celery.broker.address import broker_address
from tickerq_celery.cli.commands import tickerq_command
from tickerq_celery.enums import DropReason, NodeKind
from tickerq_celery.runtime.core import new_identity
from tickerq_celery.runtime.node import NodeRegistration, profile
from tickerq_celery.worker import drop_counts
from tickerq_celery.worker.drop_counts import DropCounter
from tickerq_celery.worker.enrolment import enrol

APP = """
import os
from celery import Celery
from tests.integration.apps import change_row
from tickerq_celery import TickerQ, TickerStatus, TimeTicker

app = Celery("cli_app", broker="memory://")
tickerq = TickerQ(app, store_url=os.environ["CLI_STORE"])

@tickerq.function("Send", cron=os.environ.get("CLI_CRON"))
def send():
    pass
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, namespace: str):
    """Run the command on an application of its own, whose name is the test's namespace."""
    module = f"cli_{namespace.replace('-', '_')}"
    (tmp_path / f"{module}.py").write_text(APP.replace('"cli_app"', repr(namespace)))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLI_STORE", f"sqlite:///{tmp_path}/tickers.db")
    monkeypatch.setattr(sys, "path", list(sys.path))

    def invoke(*arguments: str) -> Result:
        sys.modules.pop(module, None)
        return CliRunner().invoke(tickerq_command, ["-A", f"{module}:app", *arguments])

    return invoke


@pytest.fixture
def configure(tmp_path: Path, namespace: str):
    """Add a line to the application's module."""

    def add(line: str) -> None:
        module = tmp_path / f"cli_{namespace.replace('-', '_')}.py"
        module.write_text(f"{module.read_text()}\n{line}\n")

    return add


@pytest.fixture
def app(run, namespace: str):
    """Return the TickerQ that the last command ran on."""
    return lambda: TickerQ.of(sys.modules[f"cli_{namespace.replace('-', '_')}"].app)


@pytest.fixture
def migrated(run) -> None:
    """The store's tables, made by the command itself."""
    assert "the store is ready" in run("migrate").output


@pytest.mark.usefixtures("migrated")
def test_check_says_that_settings_and_store_are_fine(run, namespace: str, tmp_path: Path):
    result = run("check")
    assert result.exit_code == 0
    assert result.output.splitlines() == [
        f"ok       settings, namespace {namespace!r}",
        f"ok       store sqlite:///{tmp_path}/tickers.db",
    ]


@pytest.mark.usefixtures("migrated")
@pytest.mark.parametrize(
    ("configuration", "code", "line"),
    [
        ("app.conf.accept_content = ['yaml']", 1, "failed   accept_content: add 'json'"),
        ("app.conf.task_create_missing_queues = False", 0, "ok       settings"),
        ("app.conf.worker_enable_remote_control = False", 0, "warning  worker_enable_remote_control is off"),
        ("app.conf.task_always_eager = True", 0, "warning  task_always_eager has no effect on tickers"),
    ],
)
def test_check_judges_celerys_settings(run, configure, configuration: str, code: int, line: str):
    configure(configuration)
    result = run("check")
    assert result.exit_code == code
    assert line in result.output


@pytest.mark.usefixtures("migrated")
@pytest.mark.parametrize(
    ("broker", "queue", "code"),
    [("same", "celery", 1), ("same", "mail", 0), ("redis://elsewhere/0", "celery", 0)],
)
def test_check_fails_where_another_namespace_consumes_the_same_queue(
    run, app, broker: str, queue: str, code: int, namespace: str
):
    core = app().core
    here = broker_address(app().app) if broker == "same" else broker
    theirs = replace(core, config=replace(core.config, namespace="theirs"), node=new_identity(None))
    me = profile(theirs, NodeKind.WORKER, queues=[queue], broker=here)
    enrol(theirs, NodeRegistration(me))
    result = run("check")
    assert result.exit_code == code
    line = (
        f"failed   queue celery: workers of namespace 'theirs' consume it as well as those of {namespace!r}"
    )
    assert (line in result.output) is bool(code)


@pytest.mark.usefixtures("migrated")
def test_check_shows_what_workers_dropped_lately_and_nothing_where_nothing_was(run, app):
    assert "dropped" not in run("check").output
    tally = DropCounter()
    for reason in (DropReason.INVALID, DropReason.OLD_CLAIM, DropReason.OLD_CLAIM):
        tally.note(reason)
    drop_counts.write(app().core, tally)
    lines = run("check").output.splitlines()
    assert lines[-1] == "messages dropped in the last 24 hours: 2 old_claim, 1 invalid"


@pytest.mark.usefixtures("migrated")
def test_migrate_may_be_repeated(run):
    assert "the store is ready" in run("migrate").output


@pytest.mark.usefixtures("migrated")
def test_seed_stores_what_the_code_defines_and_prune_pauses_what_is_gone(
    run, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("CLI_CRON", "0 9 * * *")
    assert "seeded 1 cron tickers: Send" in run("seed").output
    assert "paused 0" in run("seed", "--prune").output

    monkeypatch.delenv("CLI_CRON")
    assert "paused 1 that no code defines any more: Send" in run("seed", "--prune").output
    assert "paused 0" in run("seed", "--prune").output


@pytest.mark.usefixtures("migrated")
def test_list_shows_runs_with_what_holds_them(run, namespace: str, tmp_path: Path):
    script = f"import cli_{namespace.replace('-', '_')} as m; print(m.send.schedule(delay=3600).id)"
    added = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=True,
    )
    assert added.stdout.strip() in run("list").output
    assert "IDLE" in run("list", "--limit", "1").output


@pytest.mark.usefixtures("migrated")
def test_list_says_of_a_celery_task_that_it_was_published(run, namespace: str):
    run("list")
    tickerq = TickerQ.of(sys.modules[f"cli_{namespace.replace('-', '_')}"].app)
    added = tickerq.time_tickers.add(TimeTicker(function="Send"))
    end = {"status": TickerStatus.DONE, "ended_status": TickerStatus.DONE, "ended_at": added.created_at}
    change_row(tickerq, added.id, kind="celery_task", due_at=None, held_for=None, **end)
    [line] = [line for line in run("list").output.splitlines() if str(added.id) in line]
    assert line.split()[1] == "PUBLISHED"


def test_a_store_without_tables_is_said_in_one_line(run):
    result = run("check")
    assert result.exit_code == 1
    assert result.output.splitlines()[-1] == (
        "failed   store_url: the store has no tables yet: run `celery -A yourapp tickerq migrate`, "
        "or tickerq.create_schema()"
    )


def test_an_app_that_cannot_be_found_is_said_in_one_line():
    result = CliRunner().invoke(tickerq_command, ["-A", "no_such_module_here", "check"])
    assert result.exit_code == 1
    assert "no_such_module_here" in result.output
    assert "Traceback" not in result.output


def test_a_command_that_needs_an_app_asks_for_it():
    result = CliRunner().invoke(tickerq_command, ["check"])
    assert result.exit_code == 2
    assert "Missing option '-A'" in result.output


def test_the_dashboards_command_comes_from_its_entry_point():
    assert "hash-password" in CliRunner().invoke(tickerq_command, ["dashboard", "--help"]).output


def test_the_core_never_imports_the_dashboard():
    script = "import sys, tickerq_celery, tickerq_celery.cli; assert 'flask' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], check=True)
