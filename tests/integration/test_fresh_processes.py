"""The first call that a process keeps, which has to connect first: forked, and beside busy ones."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest
from celery import Celery

from tickerq_celery import TickerQ

_APP = """
import os, sys
from celery import Celery
from tickerq_celery import TickerQ

url, namespace, number = sys.argv[1:4]
app = Celery(namespace, broker="memory://")
tickerq = TickerQ(app, url, namespace=namespace, durable_eta=60)

@app.task(name="shop.add")
def add(number):
    ...
"""
_CALL = """
add.apply_async((number,), countdown=3600)
"""
_FORK = """
def opened():
    fds = [f"/proc/self/fd/{each}" for each in os.listdir("/proc/self/fd")]
    return [os.readlink(fd) for fd in fds if os.path.lexists(fd)]

app.finalize()
before = opened()
for _ in range(2):
    child = os.fork()
    if child == 0:
        add.apply_async((number,), countdown=3600)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
print([each for each in before if each.startswith("socket:") or ".db" in each])
"""
_BUSY = "while True: pass"


def started(script: str, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", script, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@contextmanager
def busy(loops: int) -> Iterator[None]:
    """Let so many processes take all the processor that they get."""
    processes = [started(_BUSY) for _ in range(loops)]
    try:
        yield
    finally:
        for each in processes:
            each.kill()
            each.communicate()


def failures(processes: Sequence["subprocess.Popen[str]"]) -> list[str]:
    """Wait for processes; return what those said last that failed."""
    said = [(each.communicate()[1], each.returncode) for each in processes]
    return [text[-300:] for text, code in said if code != 0]


def kept(store_url: str, namespace: str) -> int:
    with Celery(namespace, broker="memory://", set_as_current=False) as app:
        tickerq = TickerQ(app, store_url, namespace=namespace)
        found = tickerq.runs.count()
        tickerq.close()
    return found


def test_nothing_is_open_before_a_fork_and_each_child_keeps_its_first_call(
    store_url: str, namespace: str
) -> None:
    parent = started(_APP + _FORK, store_url, namespace, "1")
    said, errors = parent.communicate(timeout=60)
    assert said == "[]\n", errors
    assert kept(store_url, namespace) == 2


@pytest.mark.proof
@pytest.mark.timeout(900)
def test_twenty_fresh_processes_beside_eight_busy_loops_keep_their_first_calls(
    store_url: str, namespace: str
) -> None:
    with busy(8):
        for batch in range(5):
            numbers = [str(4 * batch + number) for number in range(4)]
            assert failures([started(_APP + _CALL, store_url, namespace, number) for number in numbers]) == []
    assert kept(store_url, namespace) == 20
