"""Who sends nothing, or drop by drop, keeps nobody else from the dashboard's own server."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from http.client import HTTPConnection

import pytest
from flask import Flask, request
from waitress import wasyncore
from waitress.server import MultiSocketServer

from tests.dashboard.running import running
from tickerq_dashboard import connections, serving
from tickerq_dashboard.connections import Connection
from tickerq_dashboard.serving import listeners_on, server_of

LINE = b"GET /livez HTTP/1.1\r\nHost: x\r\n"
REQUEST = LINE + b"\r\n"
# With a body that is not there yet.
POST = b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"
# For what is to happen within a second, on a busy machine.
ROOM = 20.0


@pytest.fixture
def port() -> Iterator[int]:
    app = Flask("held")
    app.get("/livez")(lambda: "ok\n")

    app.post("/echo", endpoint="echo")(lambda: f"{len(request.get_data())}\n")

    with running(app) as [(_, number)]:
        yield number


@pytest.fixture
def opened(port: int) -> Iterator["Opened"]:
    with ExitStack() as stack:
        yield Opened(port, stack)


class Opened:
    """Connections of a test, which it leaves open."""

    def __init__(self, port: int, stack: ExitStack) -> None:
        self._port = port
        self._stack = stack

    def __call__(self, data: bytes = b"") -> socket.socket:
        found = socket.create_connection(("127.0.0.1", self._port), timeout=ROOM)
        self._stack.callback(found.close)
        if data:
            found.sendall(data)
        return found


def is_alive(port: int, timeout: float = ROOM) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=timeout)
    connection.request("GET", "/livez")
    found = connection.getresponse().read()
    connection.close()
    return found == b"ok\n"


def answer(connection: socket.socket, end: bytes = b"ok\n") -> bytes:
    """Return what a server answers, to its end."""
    found = b""
    while not found.endswith(end):
        more = connection.recv(4096)
        assert more, found
        found += more
    return found


def drips(connection: socket.socket, *, seconds: float, line: bytes = b"X-A: 1\r\n") -> None:
    """Send a line again and again, until the server has closed the connection."""
    until = time.monotonic() + seconds
    with suppress(BrokenPipeError, ConnectionResetError):
        while time.monotonic() < until:
            connection.sendall(line)
            time.sleep(0.05)
        pytest.fail("it was not closed")


def is_closed(connection: socket.socket) -> bool:
    """Wait until the server has closed a connection."""
    with suppress(ConnectionResetError):
        while connection.recv(4096):
            pass
    return True


@pytest.mark.parametrize("sent", [b"", LINE, POST, POST + b"x" * 10], ids=["none", "head", "body", "more"])
def test_what_does_not_come_in_time_is_closed(
    opened: Opened, sent: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.2)
    monkeypatch.setattr(connections, "BODY_SECONDS", 0.2)
    assert is_closed(opened(sent))


def test_a_drop_now_and_then_gains_no_time(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.5)
    slow = opened(LINE)
    drips(slow, seconds=ROOM)
    assert is_closed(slow)


def test_between_two_requests_a_connection_may_rest(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.2)
    resting, idle = opened(REQUEST), opened()
    answer(resting)
    # By then the head of a request would be overdue.
    assert is_closed(idle)
    resting.sendall(REQUEST)
    assert answer(resting)


def test_where_there_are_too_many_the_one_that_waits_longest_for_a_head_goes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(serving, "MOST_CONNECTIONS", 6)
    # As if each had waited for longer than honest clients do.
    monkeypatch.setattr(connections, "_HONEST_SECONDS", 0.0)
    app = Flask("held")
    app.get("/livez")(lambda: "ok\n")
    with running(app) as [(_, port)], ExitStack() as stack:
        # Beside these the listener and the trigger count.
        opened = Opened(port, stack)
        body, head, resting = opened(POST), opened(LINE), opened(REQUEST)
        answer(resting)
        assert is_alive(port)
        opened(LINE)
        assert is_alive(port)
        assert is_closed(head)
        for _ in range(3):
            opened(LINE)
            assert is_alive(port)
        assert is_closed(resting)
        # A body that has begun goes last.
        body.sendall(b"x" * 1000)
        assert body.recv(4096).startswith(b"HTTP/1.1 404")


def test_where_all_others_hold_bodies_a_new_one_is_answered_and_the_oldest_body_goes(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(serving, "MOST_CONNECTIONS", 6)
    # Those that rest between two requests are not suspect while this test runs.
    monkeypatch.setattr(connections, "_HONEST_SECONDS", 600.0)
    app = Flask("held")
    app.get("/livez")(lambda: "ok\n")
    with running(app) as [(_, port)], ExitStack() as stack:
        opened = Opened(port, stack)
        bodies = [opened(POST) for _ in range(4)]
        for body in bodies[:2]:
            answer(opened(REQUEST))
            assert is_closed(body)
        # For each new one goes one.
        for body in bodies[2:]:
            body.sendall(b"x" * 1000)
            assert body.recv(4096).startswith(b"HTTP/1.1 404")
    assert caplog.text.count("too many connections") == 1


@contextmanager
def by_turns(app: Flask) -> Iterator[tuple[int, MultiSocketServer]]:
    """Give the port of a server whose loop a test turns itself, and the server."""
    listeners = listeners_on("127.0.0.1", 0)
    server = server_of(listeners, app)
    yield listeners[0].getsockname()[1], server
    wasyncore.close_all(server.map)
    server.task_dispatcher.shutdown()


def turn(server: MultiSocketServer) -> None:
    """Let the loop of a server do once what there is to do."""
    wasyncore.poll2(0.0, server.map)


@pytest.mark.parametrize("held", [0, 200])
def test_a_request_is_read_two_turns_after_it_came_however_many_connections_drip(
    monkeypatch: pytest.MonkeyPatch, held: int
) -> None:
    monkeypatch.setattr(serving, "MOST_CONNECTIONS", held + 3)
    with by_turns(Flask("held")) as (port, server), ExitStack() as stack:
        opened = Opened(port, stack)
        dripping = [opened(LINE) for _ in range(held)]
        while len(server.map) < held + 2:
            turn(server)
        read: list[object] = []
        monkeypatch.setattr(server.task_dispatcher, "add_task", read.append)
        opened(REQUEST)
        for number in range(2):
            assert read == [], number
            for each in dripping:
                each.sendall(b"X: 1\r\n")
            turn(server)
        assert len(read) == 1


def test_of_those_that_wait_each_is_looked_at_once_for_all_that_are_accepted_in_a_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    held, new = 200, 50
    monkeypatch.setattr(serving, "MOST_CONNECTIONS", held + 2)
    looks: list[Connection] = []
    waits_since = Connection.waits_since.fget
    assert waits_since is not None
    noting = property(lambda each: looks.append(each) or waits_since(each))
    monkeypatch.setattr(Connection, "waits_since", noting)
    with by_turns(Flask("held")) as (port, server), ExitStack() as stack:
        opened = Opened(port, stack)
        for _ in range(held):
            opened()
        while len(server.map) < held + 2:
            turn(server)
        looks.clear()
        for _ in range(new):
            opened()
        turn(server)
        assert 0 < len(looks) <= 2 * held
        # Those that are closed go with the next turn.
        assert len(server.map) == held + 2 + new
        turn(server)
        assert len(server.map) == held + 2


def test_empty_lines_gain_no_time(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.5)
    slow = opened(b"\r\n\r\n")
    drips(slow, seconds=ROOM, line=b"\r\n\r\n")
    assert is_closed(slow)


@pytest.mark.parametrize("version", [b"1.1", b"1.0"])
def test_a_body_with_two_lengths_is_refused(opened: Opened, version: bytes) -> None:
    two = b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    asked = opened(b"POST /echo HTTP/" + version + b"\r\nHost: x\r\n" + two)
    assert asked.recv(4096).startswith(b"HTTP/" + version + b" 400")


def test_a_body_in_chunks_is_read(opened: Opened) -> None:
    chunked = opened(
        b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n"
    )
    assert answer(chunked, b"4\n")


@pytest.mark.verify
@pytest.mark.timeout(180)
def test_livez_answers_each_time_beside_2000_idle_and_500_dripping_connections(
    port: int, opened: Opened
) -> None:
    longest, ends = 0.0, threading.Event()

    def watch() -> None:
        nonlocal longest
        while not ends.is_set():
            begun = time.monotonic()
            assert is_alive(port)
            longest = max(longest, time.monotonic() - begun)

    watching = threading.Thread(target=watch)
    watching.start()
    for _ in range(2_000):
        opened()
    dripping = [opened(LINE if number % 2 else POST) for number in range(500)]
    until = time.monotonic() + 40
    while time.monotonic() < until:
        for each in dripping:
            with suppress(OSError):
                each.sendall(b"X: 1\r\n")
    ends.set()
    watching.join()
    # Each came within ROOM, as none would if connections were held. What keeps it short is counted above:
    # turns of the loop, and looks at those that are held. The seconds are also those of this test's own work,
    # which is done in the same process.
    print(f"the longest answer of /livez took {longest:.2f} s")
