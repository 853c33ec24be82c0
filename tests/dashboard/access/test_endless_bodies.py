"""A body whose length is not said is read to the limit and no further, under each server of the docs."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from flask.testing import FlaskClient

from tests.acceptance.waiting import wait_until
from tests.dashboard.conftest import BASE, LOGIN, QUICK_HASH
from tests.dashboard.seeds import Seeds
from tests.servers.ports import free_port
from tickerq_dashboard import create_app
from tickerq_dashboard.access.guard import MAX_BODY_BYTES

APP = """
from celery import Celery
from tickerq_celery import TickerQ
from tickerq_dashboard import create_app
from tickerq_dashboard.access import hashing
hashing.LEAST_PBKDF2_ROUNDS = 1
tickerq = TickerQ(Celery("dashboard"), {url!r})
application = create_app(tickerq, users={{"admin": ({password_hash!r}, "admin")}}, base_path={base!r})
"""
SERVERS = {
    "waitress": """
from web import application
from tickerq_dashboard.serving import listeners_on, server_of
server_of(listeners_on("127.0.0.1", {port}), application).run()
""",
    "gunicorn": """
from gunicorn.app.wsgiapp import run
import sys
sys.argv = ["gunicorn", "--workers", "1", "--threads", "2", "--bind", "127.0.0.1:{port}", "web:application"]
run()
""",
    "uvicorn": """
import uvicorn
from a2wsgi import WSGIMiddleware
from web import application
uvicorn.run(WSGIMiddleware(application), host="127.0.0.1", port={port})
""",
}
# Under ASGI, a2wsgi says of no such body where it ends, so none of it is read: the form has no token.
REFUSED = {"waitress": b"413", "gunicorn": b"413", "uvicorn": b"403"}
CHUNK = b"x" * 65_536
MOST_SENT, MOST_MIB = 300 * 2**20, 40


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest, seeds: Seeds, tmp_path: Path) -> Iterator[tuple[int, int, bytes]]:
    """The process id and the port of a server of a dashboard, and what it answers to such a body."""
    port, log = free_port(), tmp_path / "log"
    web = APP.format(url=str(seeds.tickerq.store_url), password_hash=QUICK_HASH, base=BASE)
    (tmp_path / "web.py").write_text(web)
    script = SERVERS[request.param].format(port=port)
    with log.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, "-c", script], cwd=tmp_path, stdout=file, stderr=subprocess.STDOUT
        )
    try:
        wait_until(lambda: is_listening(port), log.read_text, 60)
        yield process.pid, port, REFUSED[request.param]
    finally:
        process.terminate()
        process.wait(60)


def is_listening(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False


def memory_of(pid: int) -> float:
    """Return how many MiB a process has with its children."""
    process = psutil.Process(pid)
    each = [process, *process.children(recursive=True)]
    return sum(one.memory_info().rss for one in each) / 2**20


def head(port: int, length: str) -> bytes:
    lines = [
        f"POST {BASE}/crons/new HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        f"Authorization: {LOGIN['Authorization']}",
        "Sec-Fetch-Site: same-origin",
        "Content-Type: application/x-www-form-urlencoded",
        length,
    ]
    return "\r\n".join([*lines, "", ""]).encode()


def answer_to(port: int, length: str, body: bytes, most: int) -> tuple[bytes, int]:
    """Send a body again and again, until it is refused; return the answer, and how much was sent."""
    sent, found = 0, b""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection, suppress(OSError):
        connection.sendall(head(port, length))
        with suppress(BrokenPipeError, ConnectionResetError):
            while sent < most:
                connection.sendall(body)
                sent += len(body)
        found = connection.recv(4096)
    return found, sent


@pytest.mark.verify
def test_what_has_no_length_is_refused_once_it_is_too_long_and_fills_no_memory(
    server: tuple[int, int, bytes],
) -> None:
    pid, port, refused = server
    small, _ = answer_to(port, "Content-Length: 5", b"a=b&c", 5)
    assert small.split()[1] == b"403"
    before = memory_of(pid)
    chunk = b"%x\r\n%s\r\n" % (len(CHUNK), CHUNK)
    found, _ = answer_to(port, "Transfer-Encoding: chunked", chunk, MOST_SENT)
    # Who sends on may meet the closed connection before the answer.
    assert found.split()[1:2] in ([refused], [])
    assert memory_of(pid) - before < MOST_MIB
    again, _ = answer_to(port, "Content-Length: 5", b"a=b&c", 5)
    assert again.split()[1] == b"403"


@pytest.mark.parametrize(("size", "expected"), [(MAX_BODY_BYTES, 403), (MAX_BODY_BYTES + 1, 413)])
def test_a_body_without_a_length_is_read_to_the_first_byte_too_many(
    admins: FlaskClient, size: int, expected: int
) -> None:
    body = Endless(size)
    response = admins.post(
        f"{BASE}/crons/new",
        headers={**LOGIN, "Sec-Fetch-Site": "same-origin"},
        content_type="application/x-www-form-urlencoded",
        environ_overrides={"wsgi.input_terminated": True, "wsgi.input": body},
    )
    assert response.status_code == expected
    assert body.left == 0


def test_what_is_beyond_the_limit_is_not_read(admins: FlaskClient) -> None:
    body = Endless(64 * MAX_BODY_BYTES)
    response = admins.post(
        f"{BASE}/crons/new",
        headers={**LOGIN, "Sec-Fetch-Site": "same-origin"},
        content_type="application/x-www-form-urlencoded",
        environ_overrides={"wsgi.input_terminated": True, "wsgi.input": body},
    )
    assert response.status_code == 413
    assert body.left >= 62 * MAX_BODY_BYTES


@pytest.fixture
def admins(seeds: Seeds) -> FlaskClient:
    return create_app(seeds.tickerq, users={"admin": (QUICK_HASH, "admin")}).test_client()


class Endless:
    """A body of so many bytes, as a server has it that says no length."""

    def __init__(self, size: int) -> None:
        self.left = size

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes, 64 KiB at most."""
        taken = min(self.left, 65_536, self.left if size < 0 else size)
        self.left -= taken
        return b"x" * taken
