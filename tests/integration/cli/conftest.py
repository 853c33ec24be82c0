"""The command line: on an application of its own, and on the stores of all databases."""

import json
import shutil
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from celery import _state
from click.testing import CliRunner, Result

from tests.inner import celery_command, tickerq_command
from tests.integration.apps import join
from tickerq_celery import TickerQ
from tickerq_celery.enums import NodeKind

Cli = Callable[..., Result]
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
    # Shared tasks of applications that other tests of this process made are not this one's.
    built_in = {each for each in _state._on_app_finalizers if each.__module__ == "celery.app.builtins"}
    monkeypatch.setattr(_state, "_on_app_finalizers", built_in)

    def invoke(*arguments: str, stdin: str | None = None) -> Result:
        sys.modules.pop(module, None)
        return CliRunner().invoke(tickerq_command, ["-A", f"{module}:app", *arguments], input=stdin)

    return invoke


@pytest.fixture
def configure(tmp_path: Path, namespace: str):
    """Add a line to the application's module."""

    def add(line: str) -> None:
        module = tmp_path / f"cli_{namespace.replace('-', '_')}.py"
        module.write_text(f"{module.read_text()}\n{line}\n")

    return add


@pytest.fixture
def app(run, namespace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Return the TickerQ that the last command ran on, or that the first one will find."""

    def find() -> TickerQ:
        with monkeypatch.context() as patched:
            patched.syspath_prepend(tmp_path)
            module = import_module(f"cli_{namespace.replace('-', '_')}")
        return TickerQ.of(module.app)

    return find


@pytest.fixture
def migrated(run, schema_url: Callable[[str], str], tmp_path: Path) -> None:
    """The store's tables, as ``tickerq migrate`` makes them."""
    shutil.copyfile(schema_url("sqlite").removeprefix("sqlite:///"), tmp_path / "tickers.db")


@pytest.fixture
def fleet(migrated, app) -> None:
    """A store with a live beat, and a live worker of the default queue."""
    join(app(), NodeKind.BEAT)
    join(app(), NodeKind.WORKER, queues=["celery"])


@pytest.fixture
def cli(tickerq: TickerQ) -> Cli:
    """Run a command on the store of ``tickerq``, as ``celery -A app tickerq …`` does."""

    def invoke(*arguments: str, **options: Any) -> Result:
        return CliRunner().invoke(celery_command, arguments, obj=tickerq.app, **options)

    return invoke


@pytest.fixture
def asked(cli: Cli) -> Callable[..., Any]:
    """Run a command with ``--json`` that succeeds, and return its document."""

    def ask(*arguments: str) -> Any:
        result = cli(*arguments, "--json")
        assert (result.exit_code, result.stderr) == (0, ""), result.output
        return json.loads(result.stdout)

    return ask
