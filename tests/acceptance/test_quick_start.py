"""The README's quick start, executed literally: its files, its commands, real processes, no server."""

import base64
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

pytestmark = pytest.mark.acceptance

README = Path(__file__).parents[2] / "README.md"
BLOCK = re.compile(r"^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
FILE_NAME = re.compile(r"# (?P<name>\w+\.py)\n")
WAIT_SECONDS = 60.0
STOP_SECONDS = 20.0


def quick_start() -> str:
    return README.read_text().partition("## Five-minute quick start\n")[2].partition("\n## ")[0]


def files() -> dict[str, str]:
    """Return the files that the reader pastes, by name."""
    blocks = [found["text"] for found in BLOCK.finditer(quick_start()) if found["language"] == "python"]
    named = [(FILE_NAME.match(text), text) for text in blocks]
    return {found["name"]: text for found, text in named if found is not None}


def commands() -> list[str]:
    """Return what the reader types once the package is installed."""
    blocks = [found["text"] for found in BLOCK.finditer(quick_start()) if found["language"] == "bash"]
    return [line for text in blocks for line in text.splitlines() if line.startswith(("celery ", "python "))]


class Terminals:
    """A folder with the reader's files, and what runs in it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        paths = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        inherited = {name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ}
        self._environ = {**inherited, "PATH": paths, "PYTHONUNBUFFERED": "1"}
        self._processes: list[subprocess.Popen[bytes]] = []

    def run(self, command: str) -> str:
        """Run a command to its end and return what it printed."""
        ended = subprocess.run(
            command, shell=True, cwd=self._folder, env=self._environ,
            capture_output=True, text=True, check=False, timeout=WAIT_SECONDS,
        )  # fmt: skip
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    def start(self, name: str, command: str) -> None:
        """Start what runs until it is stopped."""
        with (self._folder / f"{name}.txt").open("wb") as output:
            process = subprocess.Popen(
                f"exec {command}", shell=True, cwd=self._folder, env=self._environ,
                stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        self._processes.append(process)

    def printed(self, name: str) -> str:
        return (self._folder / f"{name}.txt").read_text(errors="replace")

    def wait_for(self, is_there: Callable[[], object], *names: str) -> None:
        deadline = time.monotonic() + WAIT_SECONDS
        while not is_there():
            assert all(process.poll() is None for process in self._processes), self._all(names)
            assert time.monotonic() < deadline, self._all(names)
            time.sleep(0.1)

    def stop(self) -> list[int]:
        """Ask everything to stop, and return the exit codes."""
        for process in self._processes:
            process.terminate()
        return [process.wait(STOP_SECONDS) for process in self._processes]

    def kill(self) -> None:
        for process in self._processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(STOP_SECONDS)

    def _all(self, names: tuple[str, ...]) -> str:
        return "\n".join(f"--- {name}\n{self.printed(name)}" for name in names)


@pytest.fixture
def terminals(tmp_path: Path) -> Iterator[Terminals]:
    for name, text in files().items():
        (tmp_path / name).write_text(text)
    with ExitStack() as stack:
        opened = Terminals(tmp_path)
        stack.callback(opened.kill)
        yield opened


def page(address: str, password: str) -> str:
    login = base64.b64encode(f"admin:{password}".encode()).decode()
    request = urllib.request.Request(address, headers={"Authorization": f"Basic {login}"})
    with urllib.request.urlopen(request, timeout=WAIT_SECONDS) as response:
        return str(response.read().decode())


def test_the_quick_start_does_what_the_readme_says(terminals: Terminals) -> None:
    assert set(files()) == {"celery_app.py", "jobs.py", "add.py"}
    migrate, worker, beat, dashboard, add, listing = commands()
    assert "the store is ready" in terminals.run(migrate)

    terminals.start("worker", worker)
    terminals.start("beat", beat)
    terminals.start("dashboard", f"{dashboard} --port 0")  # its own may be taken
    everything = ("worker", "beat", "dashboard")
    terminals.wait_for(lambda: "It is" in terminals.printed("worker"), *everything)

    run_id = terminals.run(add).strip()
    terminals.wait_for(lambda: "Hello Ada!" in terminals.printed("worker"), *everything)
    terminals.wait_for(
        lambda: re.search(rf"{run_id} +DONE .* SayHello$", terminals.run(listing), re.MULTILINE), *everything
    )

    printed = terminals.printed("dashboard")
    address = re.search(r"http://\S+", printed)
    password = re.search(r"password (\S+)", printed)
    assert address, printed
    assert password, printed
    with pytest.raises(urllib.error.HTTPError, match="401"):
        page(address[0], "wrong")
    shown = page(f"{address[0]}runs/{run_id}", password[1])
    assert "ConnectionError" in shown
    assert "nobody is listening yet" in shown

    assert terminals.stop()[:2] == [0, 0]
