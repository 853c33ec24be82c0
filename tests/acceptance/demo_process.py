"""Runs the demo as `make demo` does, and talks to it as a user would."""

import base64
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.run_mark import inherited
from tests.servers.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
LOGIN = base64.b64encode(b"admin:secure-password").decode()
WAIT_SECONDS = 60.0
STOP_SECONDS = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the web app said."""

    status: int
    text: str


class DemoProcess:
    """One running demo, with everything it prints."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self.port = free_port()
        self.folder = folder
        self._printed = folder.with_suffix(".txt")
        self._mark = f"DEMO_FOLDER={folder}".encode()
        self._environ = {
            **inherited(),
            "DEMO_FOLDER": str(folder),
            "PORT": str(self.port),
            "WELCOME_DELAY_SECONDS": "1",
            "RETRY_INTERVALS": "1,300,900",
            **environ,
        }
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end(signal.SIGKILL)
        for pid in self.processes():
            os.kill(pid, signal.SIGKILL)

    def start(self) -> None:
        """Start it, without waiting for anything."""
        with self._printed.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "examples.notifications.demo"],
                cwd=ROOT,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_until_ready(self) -> None:
        """Return once it says what to do."""
        self.wait_for(lambda: "Ctrl-C stops everything" in self.output, "web app")

    @property
    def output(self) -> str:
        """All that was printed so far."""
        return self._printed.read_text(errors="replace")

    def lines(self, prefix: str) -> list[str]:
        """Return what one of the processes printed."""
        return [line for line in self.output.splitlines() if line.startswith(f"[{prefix}]")]

    def wait_for(self, is_there: Callable[[], object], what: str) -> None:
        """Return once this is true; fail with the output if it does not happen, or the demo ends."""
        deadline = time.monotonic() + WAIT_SECONDS
        while not is_there():
            assert self.process is not None
            assert self.process.poll() is None, f"the demo ended:\n{self.output}"
            assert time.monotonic() < deadline, f"no {what}:\n{self.output}"
            time.sleep(0.1)

    def end(self, number: signal.Signals) -> int:
        """Send a signal to the demo alone and return its exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        """Wait for its end and return its exit code."""
        assert self.process is not None
        return self.process.wait(STOP_SECONDS)

    def kill(self, word: str) -> None:
        """Kill the one child of the demo that has this word on its command line."""
        os.kill(self._child(word), signal.SIGKILL)

    def processes(self) -> list[int]:
        """Return every process that this demo started and that still lives, orphans too."""
        return [pid for pid in _all_processes() if self._mark in _file_of(pid, "environ").split(b"\0")]

    def _child(self, word: str) -> int:
        assert self.process is not None
        found = [
            pid
            for pid in self.processes()
            if word.encode() in _file_of(pid, "cmdline").split(b"\0") and _parent_of(pid) == self.process.pid
        ]
        assert len(found) == 1, found
        return found[0]

    def wait_until_nothing_is_left(self) -> None:
        """Return once none of its processes lives; fail if some stay."""
        deadline = time.monotonic() + STOP_SECONDS
        while left := self.processes():
            assert time.monotonic() < deadline, [_file_of(pid, "cmdline") for pid in left]
            time.sleep(0.1)

    def get(self, path: str, *, logged_in: bool = True, host: str = "127.0.0.1") -> Answer:
        """Get a page of the dashboard, or of anything else, or of where that leads."""
        headers = {"Authorization": f"Basic {LOGIN}"} if logged_in else {}
        return self._ask(urllib.request.Request(f"http://{host}:{self.port}{path}", headers=headers))

    def post(self, path: str, body: object) -> Answer:
        """Post a value as JSON."""
        return self._ask(
            urllib.request.Request(
                f"http://127.0.0.1:{self.port}{path}",
                data=json.dumps(body).encode(),
                headers={"Content-Type": "application/json"},
                method="POST",
            )
        )

    def _ask(self, request: urllib.request.Request) -> Answer:
        try:
            with urllib.request.urlopen(request, timeout=WAIT_SECONDS) as response:
                return Answer(status=response.status, text=response.read().decode())
        except urllib.error.HTTPError as refusal:
            with refusal:
                return Answer(status=refusal.code, text=refusal.read().decode())


def _all_processes() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _file_of(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:  # it has ended, or is none of ours
        return b""


def _parent_of(pid: int) -> int:
    fields = _file_of(pid, "stat").rpartition(b")")[2].split()
    return int(fields[1]) if fields else 0
