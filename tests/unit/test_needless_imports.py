"""What a worker and a beat leave out of memory, since they do not use it."""

import ast
import json
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import tickerq_entry

ROOT = Path(__file__).parents[2]
NEEDLESS = {
    *("alembic", "cryptography", "flask", "mako", "pygments", "rich", "tickerq_dashboard"),
    *("tickerq_celery.cli.changing", "tickerq_celery.cli.reading", "tickerq_celery.health.waiting"),
    *("pydantic", "sqlalchemy.dialects.mysql", "sqlalchemy.dialects.postgresql", "sqlalchemy.orm"),
}
# What all of them make is imported once; each goes on in a fork.
PROGRAM = """
import json, os, sys
before = set(sys.modules)
from celery import Celery
import celery.apps.worker, celery.apps.beat, celery.concurrency.prefork
celerys = set(sys.modules)
from tickerq_celery import TickerQ
app = Celery("adds", broker="memory://")
tickerq = TickerQ(app, "sqlite:///tickers.db")
@tickerq.function("Send")
def send(user_id: int, note: str | None = None): ...

for process, use in json.loads(sys.argv[1]).items():
    child = os.fork()
    if child == 0:
        exec(use)
        imported = set(sys.modules) - before - celerys
        print(json.dumps([process, *imported]), flush=True)
        os._exit(0)
    assert os.waitpid(child, 0) == (child, 0)
"""
USES = {
    "worker": "[step for step in app.steps['worker']]",
    "beat": "from tickerq_celery.scheduler import TickerScheduler; TickerScheduler(app, lazy=True);"
    "from tickerq_celery.runtime.node import NodeKind, profile; profile(tickerq.core, NodeKind.BEAT)",
}


@pytest.fixture(scope="module")
def imported() -> dict[str, set[str]]:
    """What each kind of process imports besides Celery's own part."""
    command = [sys.executable, "-c", PROGRAM, json.dumps(USES)]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    return {process: set(names) for process, *names in map(json.loads, ended.stdout.splitlines())}


@pytest.mark.parametrize("process", USES)
def test_a_process_imports_nothing_that_it_does_not_use(imported: dict[str, set[str]], process: str) -> None:
    assert "tickerq_celery" in imported[process]
    assert imported[process] & NEEDLESS == set()


def imported_by(program: str) -> set[str]:
    """Return what a new process has imported at the end of a program."""
    command = [sys.executable, "-c", f"{program}\nimport sys, json\nprint(json.dumps(list(sys.modules)))"]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(json.loads(ended.stdout.splitlines()[-1]))


def test_a_celery_command_imports_nothing_of_ours_where_this_package_is_merely_installed() -> None:
    places = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]
    load = "EntryPoint('tickerq', {!r}, 'celery.commands').load()".format(
        places["celery.commands"]["tickerq"]
    )
    before = imported_by("from importlib.metadata import EntryPoint; import click")
    assert imported_by(f"from importlib.metadata import EntryPoint; import click; {load}") - before == {
        "tickerq_entry"
    }


def test_the_entry_is_short_and_imports_click_alone() -> None:
    text = (ROOT / "tickerq_entry.py").read_text()
    assert len(text.splitlines()) <= 40
    tree = ast.parse(text)
    names = {each.module for each in ast.walk(tree) if isinstance(each, ast.ImportFrom)}
    names |= {alias.name for each in ast.walk(tree) if isinstance(each, ast.Import) for alias in each.names}
    assert names - sys.stdlib_module_names == {"click"}


def test_the_entry_stands_for_the_group_of_commands() -> None:
    celery = click.Group("celery", commands=[tickerq_entry.celery_command])
    result = CliRunner().invoke(celery, ["tickerq", "runs", "--help"])
    assert (result.exit_code, result.stderr) == (0, "")
    assert "--upcoming" in result.stdout
    refused = CliRunner().invoke(celery, ["tickerq", "rums"])
    assert "No such command 'rums': did you mean runs?" in refused.stderr


HELP = """
from click.testing import CliRunner
from tickerq_celery.cli.commands import tickerq_command
listed = CliRunner().invoke(tickerq_command, ["--help"])
assert listed.exit_code == 0, listed.stderr
assert "Serve the dashboard" in listed.stdout
"""


def test_the_list_of_commands_imports_none_of_them() -> None:
    found = imported_by(HELP)
    inner = {name for name in found if name.startswith(("tickerq_celery.cli.", "tickerq_dashboard"))}
    assert inner == {
        f"tickerq_celery.cli.{name}"
        for name in ("acting", "command_group", "commands", "failures", "own_commands", "terminal")
    }
    assert found & {"celery", "sqlalchemy", "pydantic", "flask", "tickerq_celery.extension"} == set()


def test_a_command_that_lists_runs_imports_nothing_that_explains_one() -> None:
    found = imported_by("import tickerq_celery.cli.reading.runs")
    assert "tickerq_celery.managers.runs.runs" in found
    assert {name for name in found if name.startswith("tickerq_celery.health.waiting")} == set()
