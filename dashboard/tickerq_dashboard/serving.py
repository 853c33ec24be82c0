"""The dashboard's own small server: where it listens, and how it serves."""

import errno
import socket
import threading
from collections.abc import Sequence

from flask import Flask
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

LOCALHOST = "localhost"
_BACKLOG = 128
_NO_SUCH_ADDRESS = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}


class QuietHandler(WSGIRequestHandler):
    """Answers requests without naming the versions that answer."""

    def version_string(self) -> str:
        return "tickerq"


def servers_on(host: str, port: int, app: Flask) -> list[BaseWSGIServer]:
    """Return servers that listen on a port of ``host``, one for each address; port 0 takes a free one.

    Raises:
        OSError: The port cannot be used there.
    """
    return [_server(listener, app) for listener in _listeners(host, port)]


def serve(servers: Sequence[BaseWSGIServer]) -> None:
    """Serve until the process is interrupted."""
    for other in servers[1:]:
        threading.Thread(target=other.serve_forever, daemon=True).start()
    servers[0].serve_forever()


def _listeners(host: str, port: int) -> list[socket.socket]:
    """Return listening sockets: for ``localhost`` on both loopback addresses, where the machine has both.

    Which of the two the name means depends on the machine and on the program that asks.
    """
    if host != LOCALHOST:
        return [_listener(host, port)]
    first = _listener("127.0.0.1", port)
    try:
        return [first, _listener("::1", first.getsockname()[1])]
    except OSError as error:
        if error.errno in _NO_SUCH_ADDRESS:
            return [first]
        first.close()
        raise


def _listener(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return socket.create_server((address, port), family=family, backlog=_BACKLOG)


def _server(listener: socket.socket, app: Flask) -> BaseWSGIServer:
    address, port = listener.getsockname()[:2]
    with listener:  # the server has a descriptor of its own
        return make_server(
            address, port, app, threaded=True, request_handler=QuietHandler, fd=listener.fileno()
        )
