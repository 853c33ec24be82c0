"""Where the web app listens: `localhost` may mean 127.0.0.1 or ::1, so it is both."""

import errno
import socket

NO_SUCH_ADDRESS = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}


def listen(host: str, port: int) -> list[socket.socket]:
    """Return a listening socket for each address of a host that this machine has; an OSError if it cannot."""
    if host != "localhost":
        return [listener(host, port)]
    first = listener("127.0.0.1", port)
    try:
        return [first, listener("::1", port)]
    except OSError as error:
        if error.errno in NO_SUCH_ADDRESS:  # a machine without IPv6
            return [first]
        first.close()
        raise


def listener(address: str, port: int) -> socket.socket:
    """Return a socket that listens on one address."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return socket.create_server((address, port), family=family, backlog=128)
