"""The embedded broker between real processes: publishers, workers, remote control, kills."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from celery import Celery

from tests.inner import broker_url, register
from tests.thoroughness import in_proof, in_verify

pytestmark = pytest.mark.acceptance

ROOT = Path(__file__).resolve().parents[2]
APP = "tests.integration.fs_app"
# Prefetched by one worker: four for each of its two children, and what these run at the moment.
WINDOW = 8 + 2


def wait_until(condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s in vain: {what}"
        time.sleep(0.05)


class Processes:
    """Workers and publishers of the helper app on one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._started: list[subprocess.Popen[bytes]] = []
        (folder / "notes").mkdir()

    def start(self, *arguments: str, log: str) -> subprocess.Popen[bytes]:
        with (self._folder / log).open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", *arguments],
                cwd=ROOT,
                env={**os.environ, "FS_APP_FOLDER": str(self._folder), "PYTHONPATH": str(ROOT)},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._started.append(process)
        return process

    def worker(self, name: str, pool: str) -> subprocess.Popen[bytes]:
        arguments = ["-A", APP, "worker", "-P", pool, "-c", "2", "-n", f"{name}@test", "-l", "INFO"]
        process = self.start("celery", *arguments, log=f"{name}.log")
        wait_until(lambda: b" ready." in self.log(name), f"{name} is ready")
        return process

    def publisher(self, first: int, count: int) -> subprocess.Popen[bytes]:
        return self.start(APP, str(first), str(count), log=f"publisher-{first}.log")

    def log(self, name: str) -> bytes:
        return (self._folder / f"{name}.log").read_bytes()

    def notes(self) -> list[int]:
        """Return the numbers of all tasks that ran."""
        return [int(line) for path in (self._folder / "notes").iterdir() for line in path.read_text().split()]

    def kill_all(self) -> None:
        for process in self._started:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    processes = Processes(tmp_path)
    yield processes
    processes.kill_all()


@pytest.fixture
def control_app(tmp_path: Path) -> Iterator[Celery]:
    register()
    with Celery("control", broker=broker_url(tmp_path / "broker"), set_as_current=False) as app:
        yield app


def end_cleanly(*workers: subprocess.Popen[bytes]) -> None:
    assert [worker.poll() for worker in workers] == [None] * len(workers)
    for worker in workers:
        worker.terminate()
    assert [worker.wait(timeout=30) for worker in workers] == [0] * len(workers)


def left_files(folder: Path) -> list[str]:
    return [path.name for path in (folder / "broker" / "messages").glob("*/*")]


@pytest.mark.parametrize("messages", [in_verify(4_000), in_proof(10_000)])
@pytest.mark.parametrize("pool", ["prefork", "threads"])
def test_no_message_is_lost_or_doubled(
    processes: Processes, tmp_path: Path, pool: str, messages: int
) -> None:
    workers = [processes.worker(name, pool) for name in ("one", "two")]
    began = time.monotonic()
    publishers = [processes.publisher(first, messages // 2) for first in (0, messages // 2)]
    assert [publisher.wait(timeout=60) for publisher in publishers] == [0, 0]
    published = time.monotonic()
    wait_until(lambda: len(processes.notes()) >= messages, f"{messages} notes")
    ended = time.monotonic()
    print(
        f"\n{pool}: {messages / (published - began):.0f} published/s, {messages / (ended - began):.0f} done/s"
    )
    end_cleanly(*workers)
    assert Counter(processes.notes()) == Counter(range(messages))
    assert left_files(tmp_path) == []
    assert list((tmp_path / "broker").glob("rejected/*")) == []


@pytest.mark.verify
@pytest.mark.parametrize("count", [600, 2_000])
def test_a_killed_worker_takes_its_window_along_and_no_more(
    processes: Processes, tmp_path: Path, count: int
) -> None:
    doomed, survivor = processes.worker("doomed", "prefork"), processes.worker("survivor", "prefork")
    publisher = processes.publisher(0, count)
    wait_until(lambda: len(processes.notes()) > count // 10, "the work has begun")
    os.killpg(doomed.pid, signal.SIGKILL)
    doomed.wait()
    assert publisher.wait(timeout=60) == 0
    wait_until(lambda: len(processes.notes()) >= count - WINDOW, "the survivor goes on")
    wait_until(lambda: not [name for name in left_files(tmp_path) if name.endswith(".msg")], "the end")
    end_cleanly(survivor)
    assert len(processes.notes()) == len(set(processes.notes()))
    assert len([name for name in left_files(tmp_path) if name.endswith(".claimed")]) <= 1


@pytest.mark.verify
def test_workers_obey_remote_control(processes: Processes, tmp_path: Path, control_app: Celery) -> None:
    workers = [processes.worker(name, "threads") for name in ("one", "two")]
    for _ in range(3):
        answers = control_app.control.ping(timeout=5, limit=2) or []
        assert sorted(name for answer in answers for name in answer) == ["one@test", "two@test"]
    inspect = control_app.control.inspect(destination=["one@test"], timeout=5)
    queues = inspect.active_queues() or {}
    assert [queue["name"] for queue in queues["one@test"]] == ["celery"]
    control_app.control.revoke("an-id", destination=["one@test"], reply=True, timeout=5)
    assert inspect.revoked() == {"one@test": ["an-id"]}
    end_cleanly(*workers)
    assert sorted(path.name for path in (tmp_path / "broker" / "messages").iterdir()) == ["celery"]
