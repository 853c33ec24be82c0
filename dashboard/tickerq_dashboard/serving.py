"""The dashboard's own small server: where it listens, and how it serves."""

import errno
import gc
import socket
from collections.abc import Sequence

from flask import Flask
from waitress.adjustments import Adjustments  # type: ignore[import-untyped]  # it ships no types
from waitress.server import MultiSocketServer  # type: ignore[import-untyped]
from waitress.task import ThreadedTaskDispatcher  # type: ignore[import-untyped]

from tickerq_dashboard.connections import Server

LOCALHOST = "localhost"
# A page that waits for the store holds one; no more wait at once than the reads of a few people.
THREADS = 8
_BACKLOG = 128
# Those of the store and of open files are beside them: a process may often have 1,024 descriptors.
MOST_CONNECTIONS = 800
# In bytes: an Authorization header has a few hundred, and the guard lets no body of more than 256 KiB in.
_MOST_HEADERS, _MOST_BODY = 64 * 1024, 512 * 1024
_NO_SUCH_ADDRESS = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}


def listeners_on(host: str, port: int) -> list[socket.socket]:
    """Return listening sockets: for ``localhost`` on both loopback addresses, where the machine has both.

    Which of the two the name means depends on the machine and on the program that asks. Port 0 takes a free
    one.

    Raises:
        OSError: The port cannot be used there.
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


def server_of(listeners: Sequence[socket.socket], app: Flask) -> MultiSocketServer:
    """Return a server of the app on these sockets, whose ``run`` serves until the process is interrupted."""
    settings = Adjustments(
        sockets=list(listeners),
        # Not the version that answers.
        ident="tickerq",
        # What a client says of a proxy is not true where there is none.
        clear_untrusted_proxy_headers=True,
        max_request_header_size=_MOST_HEADERS,
        max_request_body_size=_MOST_BODY,
        connection_limit=MOST_CONNECTIONS,
        # select() takes no descriptor over 1,023.
        asyncore_use_poll=True,
        cleanup_interval=1,
    )
    threads = ThreadedTaskDispatcher()
    threads.set_thread_count(THREADS)
    channels: dict[int, object] = {}
    servers = [
        Server(
            app,
            channels,
            _sock=listener,
            dispatcher=threads,
            adj=settings,
            bind_socket=False,
            sockinfo=(listener.family, listener.type, listener.proto, listener.getsockname()),
        )
        for listener in listeners
    ]
    addresses = [(each.effective_host, each.effective_port) for each in servers]
    return MultiSocketServer(channels, settings, addresses, threads, servers[-1].log_info)


def freeze_heap() -> None:
    """Free what is garbage now, and let no later collection walk what has been loaded.

    A full collection of all that is imported stops every page for some 100 ms; about every tenth page of many
    items waits for one. What is frozen is never collected: for a process that serves this dashboard alone.
    """
    gc.collect()
    gc.freeze()


def _listener(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return socket.create_server((address, port), family=family, backlog=_BACKLOG)
