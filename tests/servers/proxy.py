"""A TCP proxy before a server: it counts round trips, and cuts a connection before an answer arrives."""

import select
import socket
import threading
from contextlib import closing, suppress
from typing import Self

from sqlalchemy import make_url

_AT_ONCE = 64 * 1024
# In seconds: how long it takes to notice that the proxy is to end.
_LOOK_AGAIN = 0.05
_PORTS = {"postgresql": 5432, "mysql": 3306, "redis": 6379, "amqp": 5672}


class TcpProxy:
    """Leads to the server of an address from a loopback port of its own, within a ``with``.

    A round trip is what a client sends until the server answers, in however many packets: it counts also what
    a driver asks the server by itself, which no event of SQLAlchemy shows.
    """

    def __init__(self, url: str) -> None:
        server = make_url(url)
        self._server = (server.host or "127.0.0.1", server.port or _PORTS[server.get_backend_name()])
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._mutex = threading.Lock()
        self._requests: list[bytearray] = []
        self._marks: list[bytes] = []
        self._cuts = 0
        self._ends = threading.Event()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def before(self, url: str) -> str:
        """Return the address that leads through the proxy to the same database or virtual host."""
        through = make_url(url).set(host="127.0.0.1", port=self._listener.getsockname()[1])
        return through.render_as_string(hide_password=False)

    @property
    def requests(self) -> list[bytes]:
        """What clients have sent since the last ``forget``, one item a round trip."""
        with self._mutex:
            return [bytes(each) for each in self._requests]

    @property
    def cuts(self) -> int:
        """How many answers were cut off."""
        with self._mutex:
            return self._cuts

    def forget(self) -> None:
        """Count from here on."""
        with self._mutex:
            self._requests = []

    def cut_answer_to(self, mark: bytes) -> None:
        """Close the connection of the next request that holds ``mark`` once the server has answered it.

        The server has done then what it was asked, and the client cannot know. Each call cuts one.
        """
        with self._mutex:
            self._marks.append(mark)

    def _accept(self) -> None:
        self._listener.settimeout(_LOOK_AGAIN)
        while not self._ends.is_set():
            with suppress(TimeoutError):
                client, _ = self._listener.accept()
                thread = threading.Thread(target=self._lead, args=(client,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _lead(self, client: socket.socket) -> None:
        # Either side may go at any time.
        with suppress(OSError), closing(client), socket.create_connection(self._server) as server:
            for each in (client, server):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._exchange(client, server)

    def _exchange(self, client: socket.socket, server: socket.socket) -> None:
        request: bytearray | None = None
        while not self._ends.is_set():
            ready, _, _ = select.select([client, server], [], [], _LOOK_AGAIN)
            for each in ready:
                data = each.recv(_AT_ONCE)
                if not data or (each is server and request is not None and self._cuts_answer_to(request)):
                    return
                if each is server:
                    request = None
                    client.sendall(data)
                else:
                    request = self._asked(request, data)
                    server.sendall(data)

    def _asked(self, request: bytearray | None, data: bytes) -> bytearray:
        """Return the request that goes on with ``data``, or begins with it."""
        with self._mutex:
            if request is None:
                request = bytearray()
                self._requests.append(request)
            request += data
            return request

    def _cuts_answer_to(self, request: bytearray) -> bool:
        with self._mutex:
            mark = next((each for each in self._marks if each in request), None)
            if mark is None:
                return False
            self._marks.remove(mark)
            self._cuts += 1
            return True
