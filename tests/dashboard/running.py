"""The dashboard's own server in a thread of a test."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask
from waitress import wasyncore

from tickerq_dashboard.serving import listeners_on, server_of


@contextmanager
def running(app: Flask, host: str = "127.0.0.1", port: int = 0) -> Iterator[list[tuple[str, int]]]:
    """Serve an app on a port of a host, a free one if not said, and give the addresses where it listens."""
    listeners = listeners_on(host, port)
    addresses = [listener.getsockname()[:2] for listener in listeners]
    server: Any = server_of(listeners, app)
    channels = server.map
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield addresses
    finally:
        # In the server's own thread, which would else wait on sockets that are closed.
        trigger = next(each.trigger for each in channels.values() if hasattr(each, "accept_connections"))
        trigger.pull_trigger(lambda: wasyncore.close_all(channels))
        thread.join()
        server.task_dispatcher.shutdown()
