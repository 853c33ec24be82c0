"""Starts Celery's processes in a tenth of a second: what all of them import is imported once, in this one.

Each is a fork of it that runs a module as ``python -m`` would, in an environment, a folder and a session
of its own. The package under test is among what is shared: all that it reads of its environment when it is
imported is the crash point, which each process reads again.
"""

import contextlib
import gc
import importlib
import json
import os
import runpy
import signal
import subprocess
import sys
import time
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from tests.acceptance.warm_statements import compile_statements
from tests.run_mark import inherited
from tickerq_celery import failpoints

ROOT = Path(__file__).resolve().parents[2]
_SHARED = (
    "alembic.command", "alembic.config", "celery.app.amqp", "celery.app.control", "celery.app.events",
    "celery.app.log", "celery.app.trace", "celery.apps.beat", "celery.apps.worker", "celery.backends.base",
    "celery.bin.base", "celery.bin.beat", "celery.bin.celery", "celery.bin.worker",
    "celery.concurrency.asynpool", "celery.concurrency.prefork", "celery.concurrency.solo",
    "celery.fixups.django", "celery.loaders.app", "celery.utils.static", "celery.worker.autoscale",
    "celery.worker.components", "celery.worker.consumer", "celery.worker.control", "celery.worker.strategy",
    "celery.worker.worker", "click_didyoumean", "click_plugins", "click_repl", "croniter",
    "kombu.asynchronous.hub", "kombu.pidbox", "kombu.transport.filesystem", "pydantic.dataclasses",
    "pydantic.json_schema", "pydantic.type_adapter", "sqlalchemy.dialects.mysql",
    "sqlalchemy.dialects.postgresql", "sqlalchemy.dialects.sqlite", "sqlalchemy.orm",
    "tickerq_celery.cli.commands", "tickerq_celery.scheduler", "zoneinfo",
)  # fmt: skip
_SHARED_IF_INSTALLED = (
    "kombu.transport.pyamqp", "kombu.transport.redis", "psycopg", "pymysql", "redis", "uuid_utils.compat",
    "sqlalchemy.dialects.mysql.pymysql", "sqlalchemy.dialects.postgresql.psycopg",
)  # fmt: skip


class ForkedProcess:
    """A process that the server has started; it does what ``subprocess.Popen`` does under the same names."""

    def __init__(self, server: "WarmServer", pid: int) -> None:
        self.pid = pid
        self._server = server
        self._code: int | None = None

    def poll(self) -> int | None:
        """Return its exit code, or None while it runs."""
        if self._code is None:
            self._code = self._server.ask({"poll": self.pid})
        return self._code

    def wait(self, timeout: float) -> int:
        """Return its exit code once it has ended."""
        deadline = time.monotonic() + timeout
        while (code := self.poll()) is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(str(self.pid), timeout)
            time.sleep(0.01)
        return code

    def send_signal(self, number: signal.Signals) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)


class WarmServer:
    """The process of which the others are forks."""

    def __init__(self) -> None:
        path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__],
            env={**os.environ, "PYTHONPATH": path},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def launch(
        self, command: Collection[str], *, folder: Path, environ: Mapping[str, str], log: Path
    ) -> ForkedProcess:
        """Start a module with its arguments; what it prints goes to ``log``."""
        log.touch()
        given = {**inherited(), **environ}
        order = {"command": list(command), "folder": str(folder), "environ": given, "log": str(log)}
        return ForkedProcess(self, self.ask(order))

    def ask(self, request: Mapping[str, object]) -> Any:
        """Return the server's answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        """End the server; what it has started goes on."""
        self._process.communicate()


def _warm_up() -> None:
    for name in _SHARED:
        importlib.import_module(name)
    for name in _SHARED_IF_INSTALLED:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    compile_statements()
    # Else each process would look for garbage among what it shares, and by that copy it.
    gc.collect()
    gc.freeze()


def _serve() -> dict[str, Any] | None:
    """Answer requests until there are no more; in a child, return what it shall be."""
    for line in sys.stdin:
        request = json.loads(line)
        if "poll" in request:
            pid, status = os.waitpid(request["poll"], os.WNOHANG)
            answer = os.waitstatus_to_exitcode(status) if pid else None
        else:
            answer = _fork_leader()
            if answer == 0:
                return dict(request)
        print(json.dumps(answer), flush=True)
    return None


def _fork_leader() -> int:
    """Fork, and return in the parent once the child leads a session, so that its group can be killed."""
    is_leader, leads = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.setsid()
        os.close(is_leader)
    os.close(leads)
    if pid:
        os.read(is_leader, 1)  # the end of the pipe, which the child has closed
        os.close(is_leader)
    return pid


def _become(order: Mapping[str, Any]) -> None:
    os.chdir(order["folder"])
    sys.path[0] = order["folder"]
    os.environ.clear()
    os.environ.update(order["environ"])
    failpoints._TRAP = failpoints._trap(os.environ.get(failpoints.VARIABLE))
    nothing = os.open(os.devnull, os.O_RDONLY)
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    for number, source in enumerate((nothing, log, log)):
        os.dup2(source, number)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(write_through=True)
    module, *arguments = order["command"]
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _warm_up()
    mine = _serve()
    if mine is not None:
        _become(mine)
