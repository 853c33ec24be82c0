"""Where a broker is, so that processes can be compared by it."""

import socket
from urllib.parse import parse_qs

from celery import Celery

LONGEST_ADDRESS = 300
_HERE = {None, "", "localhost", "127.0.0.1", "::1"}
# Transport options under which two apps on one broker have queues of their own.
_APART = ("global_keyprefix", "queue_name_prefix")


def broker_address(app: Celery) -> str:
    """Return where an app's messages are, without user and password.

    A broker that is named by its own machine carries that machine's name: another machine's is another one.
    """
    connection = app.connection_for_read()
    found = connection.info()
    name, _, query = str(found["hostname"] or "").partition("?")
    # Of a socket, and of a broker in a database, kombu keeps the URL as it is.
    is_url = "://" in name
    folder = (
        parse_qs(query).get("virtual_host", [found["virtual_host"]])[0] if is_url else found["virtual_host"]
    )
    start = _without_user(name) if is_url else f"{found['transport']}://{name}:{found['port'] or ''}"
    here = f" on {socket.gethostname()}" if is_url or found["hostname"] in _HERE else ""
    options = app.conf.broker_transport_options or {}
    apart = "".join(f" {option}={options[option]}" for option in _APART if options.get(option))
    return f"{start}/{folder}{here}{apart}"[:LONGEST_ADDRESS]


def _without_user(url: str) -> str:
    scheme, _, rest = url.partition("://")
    # Up to the last one: a password may hold what ends the user's part elsewhere.
    return f"{scheme}://{rest.rpartition('@')[2]}"
