"""How much memory a process holds, with those that it has started."""

import subprocess
import sys

import psutil
import pytest

from tickerq_celery.runtime import memory
from tickerq_celery.runtime.memory import memory_held

HELD = 64 << 20
CHILD = f"import sys; held = b'x' * {HELD}; print('ready', flush=True); sys.stdin.read()"


def test_what_a_child_holds_counts_until_it_ends() -> None:
    before = memory_held()
    command = [sys.executable, "-c", CHILD]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        during = memory_held()
    after = memory_held()
    assert before is not None
    assert during is not None
    assert after is not None
    assert during - before > HELD
    assert during - after > HELD


def test_memory_that_cannot_be_read_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: psutil.Process) -> None:
        raise psutil.AccessDenied(self.pid)

    monkeypatch.setattr(psutil.Process, "memory_info", refuse)
    assert memory_held() is None


def test_a_child_that_ends_meanwhile_holds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    child = psutil.Process(gone.pid)
    gone.wait()
    monkeypatch.setattr(psutil.Process, "children", lambda self, recursive: [child])
    held = memory_held()
    assert held is not None
    assert held > 0
    assert memory._resident(child) == 0
