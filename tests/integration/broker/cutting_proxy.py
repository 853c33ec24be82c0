"""A TCP proxy before a server, which cuts its connections at a byte that a test chooses."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit


class CuttingProxy:
    """Forwards bytes, until ``requests`` bytes have gone to the server: then it cuts, unless that is None.

    While it ``is_mute`` the server gets all, and its answers are lost. ``url`` is the server's with the port
    of the proxy, and ``cuts`` counts.
    """

    def __init__(self, server_url: str) -> None:
        parts = urlsplit(server_url)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._server = (parts.hostname, parts.port)
        account, at, _ = parts.netloc.rpartition("@")
        port = self._listening.getsockname()[1]
        self.url = parts._replace(netloc=f"{account}{at}127.0.0.1:{port}").geturl()
        self.requests: int | None = None
        self.is_mute = False
        self.cuts = 0
        self._mutex = threading.Lock()
        self._sockets = [self._listening]
        self._threads: list[threading.Thread] = []
        self._run(self._accept)

    def heal(self) -> None:
        """Forward all again."""
        with self._mutex:
            self.requests, self.is_mute = None, False

    def close(self) -> None:
        """End all connections, and wait for the threads."""
        for each in self._sockets:
            _end(each)
        for thread in self._threads:
            thread.join()
        for each in self._sockets:
            each.close()

    def _run(self, target: object, *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                upstream = socket.create_connection(self._server)
                self._sockets += [client, upstream]
                self._run(self._ask, client, upstream)
                self._run(self._answer, upstream, client)

    def _ask(self, client: socket.socket, upstream: socket.socket) -> None:
        with suppress(OSError):
            while data := client.recv(65536):
                allowed = self._allowed(len(data))
                upstream.sendall(data[:allowed])
                if allowed < len(data):
                    break
        _end(client)
        _end(upstream)

    def _answer(self, upstream: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while data := upstream.recv(65536):
                if not self.is_mute:
                    client.sendall(data)
        _end(client)

    def _allowed(self, count: int) -> int:
        """Return how many of so many bytes may pass."""
        with self._mutex:
            if self.requests is None:
                return count
            allowed = min(self.requests, count)
            self.requests -= allowed
            self.cuts += allowed < count
            return allowed


def _end(each: socket.socket) -> None:
    with suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)


@contextmanager
def cutting_proxy(server_url: str) -> Iterator[CuttingProxy]:
    """Give a proxy before a server."""
    proxy = CuttingProxy(server_url)
    yield proxy
    proxy.close()
