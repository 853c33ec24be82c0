"""A hundred wrong passwords at once, sent to a real process: its memory, and who is answered meanwhile."""

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from hashlib import sha256
from http.client import HTTPConnection
from pathlib import Path
from threading import Barrier

import pytest

from tests.dashboard.conftest import BASE, basic
from tests.dashboard.seeds import Seeds

SERVER = """
import sys

from celery import Celery
from tickerq_celery import TickerQ
from tickerq_dashboard import create_app
from tickerq_dashboard.serving import listeners_on, server_of
from werkzeug.security import generate_password_hash

store_url, token = sys.argv[1:]
# Of the cost that a hash has by default.
users = {"admin": (generate_password_hash("right"), "admin")}
app = create_app(TickerQ(Celery("dashboard"), store_url), users=users, api_tokens={"program": token})
listeners = listeners_on("127.0.0.1", 0)
print(listeners[0].getsockname()[1], flush=True)
server_of(listeners, app).run()
"""
TOKEN = "token-of-a-program"
GUESSES, MOST_MIB, TIMEOUT = 100, 150, 60.0

pytestmark = pytest.mark.verify


@pytest.fixture
def server(seeds: Seeds) -> Iterator[tuple[int, int]]:
    """The process id and the port of a dashboard in a process of its own."""
    digest = sha256(TOKEN.encode()).hexdigest()
    command = [sys.executable, "-c", SERVER, str(seeds.tickerq.store_url), digest]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.pid, int(process.stdout.readline())
        finally:
            process.kill()


def status(port: int, headers: dict[str, str], address: str = "127.0.0.1") -> int:
    """The status that a page is answered to an address of this machine."""
    connection = HTTPConnection("127.0.0.1", port, timeout=TIMEOUT, source_address=(address, 0))
    try:
        connection.request("GET", f"{BASE}/help", headers=headers)
        return connection.getresponse().status
    finally:
        connection.close()


def memory(pid: int, kind: str) -> float:
    """The resident memory of a process in MiB: what it has now, or the most it ever had."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{kind}:"))


def guess(port: int) -> tuple[Counter[int], Counter[int]]:
    """Send all guesses at the same moment; count the answers to one address, and those to many."""
    together = Barrier(GUESSES)

    def send(number: int) -> int:
        together.wait(TIMEOUT)
        address = "127.0.0.1" if number % 2 else f"127.0.1.{number + 1}"
        return status(port, basic("admin", f"guess {number}"), address)

    with ThreadPoolExecutor(GUESSES) as pool:
        answers = list(pool.map(send, range(GUESSES)))
    return Counter(answers[1::2]), Counter(answers[::2])


@contextmanager
def answered_meanwhile(port: int, headers: dict[str, str]) -> Iterator[list[tuple[int, float]]]:
    """Ask for a page again and again; give the statuses, and the seconds that each took."""
    answers: list[tuple[int, float]] = []
    goes_on = [True]

    def ask() -> None:
        while goes_on:
            began = time.monotonic()
            answers.append((status(port, headers), time.monotonic() - began))

    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(ask)
        try:
            yield answers
        finally:
            goes_on.clear()
            asking.result()


def test_a_hundred_guesses_at_once_take_little_memory_and_lock_no_user_out(
    server: tuple[int, int], seeds: Seeds
) -> None:
    pid, port = server
    people = {"logged in": basic("admin", "right"), "token": {"Authorization": f"Bearer {TOKEN}"}}
    # Who is verified, and what pages are made of, is known from here on.
    assert [status(port, headers) for headers in people.values()] == [200, 200]
    before = memory(pid, "VmRSS")
    with (
        answered_meanwhile(port, people["logged in"]) as person,
        answered_meanwhile(port, people["token"]) as program,
    ):
        of_one, of_many = guess(port)
    more = memory(pid, "VmHWM") - before
    pages = [*person, *program]
    slowest = max(seconds for _, seconds in pages)
    print(f"{of_one}, {of_many}, {more:.0f} MiB more; {len(pages)} pages, the slowest {slowest:.2f} s")
    assert more < MOST_MIB
    assert set(of_one) | set(of_many) == {401, 429}
    # The sixth wrong password of an address is not looked at.
    assert of_one[401] <= 5
    assert {code for code, _ in pages} == {200}
    assert seeds.tickerq.audit.find(action="dashboard.log_in")
