"""The whole notification system on one machine, with a mail server that makes one retry visible.

Run it with ``make demo``. ``PORT`` and ``WELCOME_DELAY_SECONDS`` may be set; with ``BROKER_URL`` and
``STORE_URL`` it uses those servers instead of SQLite and a folder.
"""

import io
import os
import select
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from examples.notifications.children import Child, stop
from examples.notifications.demo_setup import (
    ROOT,
    DemoError,
    check_port,
    demo_environment,
    is_listening,
    only_demo_in,
)
from examples.notifications.settings import SettingError, Settings, from_environment

LOOK_SECONDS = 0.1
STOP_SECONDS = 10.0
MAIL_STOP_SECONDS = 2.0
PYTHON = (sys.executable, "-m")
CELERY = (*PYTHON, "celery", "--quiet", "--app", "examples.notifications.celery_app")
MIGRATE = (*PYTHON, "examples.notifications.migrate")
COMMANDS: Mapping[str, Sequence[str]] = {
    "mail": (*PYTHON, "examples.notifications.smtp_server"),
    "web": (*PYTHON, "examples.notifications.web"),
    "worker": (*CELERY, "worker", "--pool", "prefork", "--concurrency", "2"),
    "beat": (*CELERY, "beat"),
}
INVITATION = """
Register a user (in another terminal):

  curl -X POST http://localhost:{port}/api/users/register \\
    -H 'Content-Type: application/json' -d '{{"email":"user@example.com","name":"John Doe"}}'

The welcome email is due {delay} s later. The mail server refuses its first delivery, so the first
email takes a retry. See it all at http://localhost:{port}/admin/tickerq/ (admin / secure-password).
Ctrl-C stops everything.
"""


class Demo:
    """Everything that runs, from the first process to the last."""

    def __init__(self, environ: Mapping[str, str], settings: Settings, folder: Path) -> None:
        self._environ = environ
        self._settings = settings
        self._folder = folder
        self._children: list[Child] = []
        self._is_over = False

    def run(self) -> None:
        """Run until a signal comes; raise a DemoError if something ends before that."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._end)
        if "TICKERQ_EMBEDDED" in self._environ:
            self._say(f"Everything is kept in {self._folder}: delete that folder to start afresh.")
        try:
            self._migrate()
            for name, command in COMMANDS.items():
                self._start(name, command)
            self._watch()
        finally:
            self._stop()

    def _end(self, *_: object) -> None:
        self._is_over = True

    def _say(self, text: str) -> None:
        try:
            print(text)
        except OSError:  # no process reads any more
            self._is_over = True

    def _show(self, name: str, line: str) -> None:
        if line.strip():
            self._say(f"{f'[{name}]':<8} {line}")

    def _start(self, name: str, command: Sequence[str]) -> Child | None:
        if self._is_over:
            return None
        child = Child(name, command, folder=self._folder, environ=self._environ, show=self._show)
        self._children.append(child)
        return child

    def _look(self) -> None:
        speaking, _, _ = select.select(self._children, [], [], LOOK_SECONDS)
        for child in speaking:
            child.show_output()

    def _migrate(self) -> None:
        child = self._start("store", MIGRATE)
        while child and child.exit_code is None and not self._is_over:
            self._look()
        if child and child.exit_code is not None:
            child.show_output()
            self._children.remove(child)
            if child.exit_code:
                raise DemoError(f"the store could not be prepared{self._advice()}")

    def _advice(self) -> str:
        if "TICKERQ_EMBEDDED" not in self._environ:
            return ""
        return f"; if an earlier version made it, delete {self._folder} to start afresh"

    def _watch(self) -> None:
        is_open = False
        while not self._is_over:
            self._look()
            self._require_all()
            if not is_open and is_listening(self._settings.host, self._settings.port):
                is_open = True
                delay = int(self._settings.welcome_delay.total_seconds())
                self._say(INVITATION.format(port=self._settings.port, delay=delay))

    def _require_all(self) -> None:
        for child in self._children:
            if child.exit_code is not None and not self._is_over:
                child.show_output()
                raise DemoError(f"{child.name} ended by itself ({child.ending}), so everything stops")

    def _stop(self) -> None:
        self._say("stopping")
        now = time.monotonic()
        mail = [child for child in self._children if child.name == "mail"]
        # The mail server goes last: a run that is being executed may still need it.
        stop([child for child in self._children if child not in mail], deadline=now + STOP_SECONDS)
        stop(mail, deadline=time.monotonic() + MAIL_STOP_SECONDS)
        self._say("all processes have ended")


def main() -> None:
    """Run the demo; whatever prevents it is one line and exit code 1."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)
    folder = Path(os.environ.get("DEMO_FOLDER", ROOT / ".demo")).resolve()
    try:
        environ = demo_environment(os.environ)
        settings = from_environment(environ)
        check_port(settings.host, settings.port)
        with only_demo_in(folder):
            Demo(environ, settings, folder).run()
    except (DemoError, SettingError) as exc:
        sys.exit(f"demo: {exc}")


if __name__ == "__main__":
    main()
