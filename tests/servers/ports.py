"""Loopback ports that stay a server's own, also while it is down."""

import random
import socket

# Below the range that outgoing connections take their ports from: otherwise a client could sit on the port of
# a server that is being restarted, or reach itself while the server is down.
PORTS = range(15_000, 32_000)


def free_port() -> int:
    """Return a port on which nothing listens."""
    for port in random.sample(PORTS, 100):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise RuntimeError(f"no free port in {PORTS}")
